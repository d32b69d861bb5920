/** From a record to a workspace that answers SSH: every step of create and start, each with its own time. */
import { asBerthError, type BerthError } from '../../../../api/errors';
import type { FileChange } from '../../../../api/files/schemas';
import { rootFilesOf } from '../../../../api/rules/root-files';
import type { RuntimeInfo } from '../../../drivers/driver';
import type { PortLedger } from '../../../ssh/ports';
import type { SshKeys } from '../../../ssh/keys';
import type { SecretStore } from '../../../store/secrets';
import type { Drivers } from '../../engine/drivers';
import { FirstSteps } from './first-steps';
import { readCredentials, readScripts, type Script } from './injected-files';
import { renewIdentity } from '../fork/renew-identity';
import type { EventHub } from '../../operations/event-hub';
import type { OperationContext } from '../../operations/operation-context';
import { publishedFiles } from '../../volumes/published-files';
import { lostBeforeArchive } from '../own-files';
import { planOf } from './runtime-plan';
import { hasBundles, prepareStep, startStep, startSteps } from './start-steps';
import { notCarried, RuntimePreparation, type StartOptions } from './runtime-preparation';
import { onTarget } from '../target';
import { limitsAtStart } from '../waiting-changes';
import type { WorkspaceRegistry } from '../registry';
import type { RuntimeHandle, Runtimes } from '../runtime-handle';

const warningsOfAStart: readonly string[] = [
  limitsAtStart,
  'credentials',
  'secrets',
  'post-start',
  'port-moved',
  'runtime-gone',
  notCarried,
  lostBeforeArchive,
  'networks',
];

export interface StarterDeps {
  registry: WorkspaceRegistry;
  drivers: Drivers;
  runtimes: Runtimes;
  ports: PortLedger;
  keys: SshKeys;
  secrets: SecretStore;
  events: EventHub;
}

export class WorkspaceStarter {
  private readonly firstSteps: FirstSteps;
  private readonly preparation: RuntimePreparation;

  constructor(private readonly deps: StarterDeps) {
    this.firstSteps = new FirstSteps(deps);
    this.preparation = new RuntimePreparation(deps);
  }

  private runtime(name: string): RuntimeHandle {
    return this.deps.runtimes.of(this.deps.registry.get(name));
  }

  /** Makes the runtime when there is none; notes the volumes that came into being with it. Throws `volume_gone`. */
  build(name: string, context: OperationContext, options: StartOptions = {}): Promise<RuntimeInfo> {
    return this.preparation.build(name, context, options);
  }

  /**
   * Starts and configures. A runtime that vanished is built anew; one whose port was taken moves to another port, with
   * all its files.
   */
  async start(name: string, context: OperationContext, options: StartOptions = {}): Promise<void> {
    const { registry } = this.deps;
    const { spec, warnings } = registry.get(name);
    const isLossReported = warnings.some(({ code }) => code === lostBeforeArchive);
    // The start that moved it may have been cut off before anybody heard, and this one removes what it was before.
    warnings.filter(({ code }) => code === notCarried).forEach(({ message }) => context.warn(message));
    await this.forgetWarnings(name);
    const preparation = prepareStep(spec.runtime);
    await context.step(preparation.name, preparation.title, () =>
      this.preparation.prepare(name, context, { ...options, isLossReported: isLossReported }),
    );
    const { driver } = this.runtime(name);
    if (hasBundles(spec)) {
      await context.step(startSteps.bundles.name, startSteps.bundles.title, () =>
        driver.refreshBundles(planOf(registry.get(name)), context.signal, (text) => context.warn(text)),
      );
    }
    const { name: step, title } = startStep(spec.runtime);
    const info = await context.step(step, title, () => this.startRuntime(name, context));
    const noteStart = async (): Promise<void> => {
      const startedAt = info.startedAt ?? new Date().toISOString();
      await registry.update(name, { runtimeId: info.id, startedAt });
    };
    await this.finish(name, context, noteStart, options.agentSocket);
  }

  /** Throws `volume_gone` unless told to go on. */
  async checkVolumes(name: string, acceptEmpty = false): Promise<void> {
    await this.preparation.checkVolumes(name, acceptEmpty);
  }

  /** Goes on with a paused one; what was saved on disk needs its volumes and ports again. */
  async resume(name: string, context: OperationContext): Promise<void> {
    const runtime = this.runtime(name);
    const info = await runtime.inspect();
    if (info?.isSaved === true) {
      await this.forgetWarnings(name, ['port-moved']);
      await this.preparation.prepareSaved(name, context);
    }
    await runtime.resume();
  }

  /**
   * Starts a runtime that was just made to see it do all that a start asks of it, post-start scripts included, and stops
   * it. Throws what its start would throw.
   */
  async tryOut(name: string, context: OperationContext): Promise<void> {
    const runtime = this.runtime(name);
    const scripts = await readScripts(this.deps.registry.get(name).spec.postStart?.scripts ?? []);
    await context.step('start', 'Test the start', () => this.startRuntime(name, context));
    await this.setUp(name, scripts.found, context);
    await this.firstSteps.postStart(name, runtime, scripts, context);
    await runtime.stop();
  }

  /** The container engine may keep a port from everybody though nobody listens on it: then it is moved as well. */
  private async startRuntime(name: string, context: OperationContext): Promise<RuntimeInfo> {
    const runtime = this.runtime(name);
    const start = async (): Promise<RuntimeInfo> => {
      const { notes = [], ...info } = await runtime.start({ signal: context.signal });
      await this.warn(name, 'networks', notes, context);
      return info;
    };
    try {
      return await start();
    } catch (error) {
      const refused = asBerthError(error);
      if (!isPortTaken(refused)) {
        throw error;
      }
      await this.preparation.moveRefused(name, refused, context);
      return start();
    }
  }

  /** What a runtime that runs already still needs on every start, whoever started it. */
  async finish(
    name: string,
    context: OperationContext,
    isSetUp: () => Promise<void> = () => Promise.resolve(),
    agentSocket?: string,
  ): Promise<void> {
    const { spec, replaced } = this.deps.registry.get(name);
    const runtime = this.runtime(name);
    const scripts = await readScripts(spec.postStart?.scripts ?? []);
    await this.setUp(name, scripts.found, context);
    if (replaced === undefined) {
      // It moved to another port, with all its files. What a rebuild has put aside is the rebuild's to drop.
      await runtime.dropAside();
    }
    await isSetUp();
    await this.firstSteps.clone(name, runtime, context, agentSocket);
    await this.firstSteps.postStart(name, runtime, scripts, context);
  }

  private async setUp(name: string, scripts: readonly Script[], context: OperationContext): Promise<void> {
    const { spec } = this.deps.registry.get(name);
    const runtime = this.runtime(name);
    await context.step(startSteps.ssh.name, startSteps.ssh.title, () =>
      this.configure(name, scripts, context),
    );
    if (this.deps.registry.get(name).isIdentityCopied === true) {
      // A microVM shows its files only now.
      await context.step('identity', 'Renew ids and keys of the copy', async () => {
        const publish = (changes: FileChange[]): void =>
          this.deps.events.publish('files.changed', { volume: rootFilesOf(name), changes });
        await renewIdentity(publishedFiles(await runtime.rootFiles(), publish));
      });
      await this.deps.registry.update(name, { isIdentityCopied: undefined });
    }
    if (spec.docker === true) {
      await context.step(startSteps.docker.name, startSteps.docker.title, () =>
        runtime.startDocker(context.signal),
      );
    }
  }

  /** This start repeats the warnings of an earlier one that still hold. */
  private async forgetWarnings(name: string, codes: readonly string[] = warningsOfAStart): Promise<void> {
    const { registry } = this.deps;
    const { warnings } = registry.get(name);
    const kept = warnings.filter((warning) => !codes.includes(warning.code));
    if (kept.length < warnings.length) {
      await registry.update(name, { warnings: kept });
    }
  }

  /** Keys, environment and files. */
  private async configure(
    name: string,
    scripts: readonly Script[],
    context: OperationContext,
  ): Promise<void> {
    const { registry, keys, secrets } = this.deps;
    const { spec } = registry.get(name);
    const [hostKey, clientKey, secretValues] = await Promise.all([
      keys.hostKey(name),
      keys.clientKey(),
      secrets.values(name, spec.secretNames ?? []),
    ]);
    const credentials = await readCredentials(spec.credentialFiles ?? []);
    const missing = (spec.secretNames ?? []).filter((secret) => secretValues[secret] === undefined);
    await this.warn(
      name,
      'secrets',
      missing.map((secret) => `The secret ${secret} is lost: set it again.`),
      context,
    );
    if (hostKey.publicKey !== registry.get(name).hostKey) {
      await registry.update(name, { hostKey: hostKey.publicKey });
    }
    const files = [...credentials.found, ...scripts.map((script) => script.file)];
    const env = { ...spec.env, ...secretValues };
    const notWritten = await this.runtime(name).configure(
      { hostKey: hostKey.privateKey, authorizedKeys: [clientKey.publicKey], env, files },
      context.signal,
    );
    await this.noteTarget(name);
    await this.warn(name, 'credentials', [...credentials.problems, ...notWritten], context);
  }

  /** The user may have named another Docker, or its machine has turned out to be another one. */
  private async noteTarget(name: string): Promise<void> {
    const { registry } = this.deps;
    const { spec, engine: known } = registry.get(name);
    const { driver } = this.runtime(name);
    const [next, engine] = [onTarget(spec, await driver.target()), await driver.engine()];
    if (next.target !== spec.target || engine?.id !== known?.id || engine?.host !== known?.host) {
      await registry.update(name, { spec: next, engine });
    }
  }

  private async warn(
    name: string,
    code: string,
    problems: readonly string[],
    context: OperationContext,
  ): Promise<void> {
    problems.forEach((problem) => context.warn(problem));
    if (problems.length > 0) {
      await this.deps.registry.warn(name, { code, message: problems.join('\n'), step: 'ssh' });
    }
  }
}

function isPortTaken({ code, message }: BerthError): boolean {
  return code === 'in_use' && /\bport\b|\baddress already in use\b/i.test(message);
}
