/** From a record to a workspace that answers SSH: every step of create and start, each with its own time. */
import { BerthError } from '../../api/errors';
import { ownerWords } from '../../api/owner';
import type { Driver, RuntimeInfo, RuntimePlan } from '../drivers/driver';
import type { PortLedger } from '../ssh/ports';
import { isFree } from '../ssh/ports';
import type { SshKeys } from '../ssh/keys';
import type { SecretStore } from '../store/secrets';
import type { Drivers } from './drivers';
import { FirstSteps } from './first-steps';
import { readCredentials, readScripts, type Script } from './injected-files';
import { resolveMounts } from './mount-resolution';
import type { OperationContext } from './operation-context';
import { portsOf, refuseTakenPorts } from './published-ports';
import { runtimeNameOf, type WorkspaceRecord } from './workspace-record';
import type { WorkspaceRegistry } from './workspace-registry';

const warningsOfAStart: readonly string[] = ['credentials', 'secrets', 'post-start', 'port-moved'];

export function planOf(record: WorkspaceRecord): RuntimePlan {
  const { spec } = record;
  return {
    name: runtimeNameOf(record.name),
    workspace: record.name,
    image: spec.image,
    env: spec.env ?? {},
    limits: spec.limits ?? {},
    docker: spec.docker ?? false,
    network: spec.network ?? 'on',
    homeVolume: record.homeVolume,
    dockerVolume: record.dockerVolume,
    mounts: spec.mounts ?? [],
    ports: portsOf(spec.ports),
    sshPort: record.sshPort,
  };
}

export interface StarterParts {
  registry: WorkspaceRegistry;
  drivers: Drivers;
  ports: PortLedger;
  keys: SshKeys;
  secrets: SecretStore;
}

export class WorkspaceStarter {
  private readonly firstSteps: FirstSteps;

  constructor(private readonly parts: StarterParts) {
    this.firstSteps = new FirstSteps(parts);
  }

  driverOf(record: WorkspaceRecord): Driver {
    return this.parts.drivers.of(record.spec.runtime);
  }

  /** Makes the runtime when there is none; notes the volumes that came into being with it. */
  async build(name: string, signal: AbortSignal): Promise<RuntimeInfo> {
    const record = this.parts.registry.get(name);
    const driver = this.driverOf(record);
    const imageId = await driver.images.resolve(record.spec.image);
    if (imageId === undefined) {
      throw imageMissing(record.spec.image);
    }
    const missing = await this.missingVolumes(record, driver);
    const created = [...new Set([...record.createdVolumes, ...missing])];
    await this.parts.registry.update(name, { createdVolumes: created });
    // It was built before: what is missing now held data once.
    if (record.imageId !== undefined && missing.length > 0) {
      await this.parts.registry.warn(name, {
        code: 'volume-gone',
        message: `The volume ${missing.join(' and ')} was gone: a new, empty one was made.`,
      });
    }
    const plan = planOf(this.parts.registry.get(name));
    const mounts = await resolveMounts(plan.mounts, driver, this.parts.drivers);
    const info = await driver.create({ ...plan, mounts }, signal);
    await this.parts.registry.update(name, { runtimeId: info.id, imageId });
    return info;
  }

  /** Starts and configures, rebuilding a runtime that vanished or whose port was taken. */
  async start(name: string, context: OperationContext): Promise<void> {
    const { registry } = this.parts;
    await this.forgetWarnings(name);
    await context.step('runtime', 'Prepare the runtime', () => this.ensureRuntime(name, context.signal));
    const driver = this.driverOf(registry.get(name));
    const runtime = runtimeNameOf(name);
    if ((registry.get(name).spec.mounts ?? []).some((mount) => mount.kind === 'archive')) {
      await context.step('bundles', 'Unpack the bundles', () =>
        driver.refreshBundles(planOf(registry.get(name)), context.signal),
      );
    }
    const info = await context.step('start', 'Start', () => driver.start(runtime));
    const noteStart = () =>
      registry.update(name, { runtimeId: info.id, startedAt: info.startedAt ?? new Date().toISOString() });
    await this.finish(name, context, noteStart);
  }

  /** What a runtime that runs already still needs on every start, whoever started it. */
  async finish(
    name: string,
    context: OperationContext,
    isSetUp: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<void> {
    const { spec } = this.parts.registry.get(name);
    const driver = this.parts.drivers.of(spec.runtime);
    const scripts = await readScripts(spec.postStart?.scripts ?? []);
    await this.setUp(name, scripts.found, context);
    await isSetUp();
    await this.firstSteps.clone(name, driver, context);
    await this.firstSteps.postStart(name, driver, scripts, context);
  }

  private async setUp(name: string, scripts: readonly Script[], context: OperationContext): Promise<void> {
    const record = this.parts.registry.get(name);
    const driver = this.driverOf(record);
    await context.step('ssh', 'Put in keys and start SSH', () =>
      this.configure(name, driver, scripts, context),
    );
    if (record.spec.docker === true) {
      await context.step('docker', 'Start Docker inside', () =>
        driver.startDocker(runtimeNameOf(name), context.signal),
      );
    }
  }

  /** What an earlier start had to say is told again by this one if it still holds. */
  private async forgetWarnings(name: string): Promise<void> {
    const { registry } = this.parts;
    const { warnings } = registry.get(name);
    const kept = warnings.filter((warning) => !warningsOfAStart.includes(warning.code));
    if (kept.length < warnings.length) {
      await registry.update(name, { warnings: kept });
    }
  }

  /** Keys, environment and files. */
  private async configure(
    name: string,
    driver: Driver,
    scripts: readonly Script[],
    context: OperationContext,
  ): Promise<void> {
    const { registry, keys, secrets } = this.parts;
    const { spec } = registry.get(name);
    const [hostKey, clientKey, secretValues] = await Promise.all([
      keys.hostKey(name),
      keys.clientKey(),
      secrets.values(name),
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
    const notWritten = await driver.configure(
      runtimeNameOf(name),
      { hostKey: hostKey.privateKey, authorizedKeys: [clientKey.publicKey], env, files },
      context.signal,
    );
    await this.warn(name, 'credentials', [...credentials.problems, ...notWritten], context);
  }

  private async warn(
    name: string,
    code: string,
    problems: readonly string[],
    context: OperationContext,
  ): Promise<void> {
    problems.forEach((problem) => context.warn(problem));
    if (problems.length > 0) {
      await this.parts.registry.warn(name, { code, message: problems.join('\n'), step: 'ssh' });
    }
  }

  private async missingVolumes(record: WorkspaceRecord, driver: Driver): Promise<string[]> {
    const names = [record.homeVolume, ...(record.dockerVolume === undefined ? [] : [record.dockerVolume])];
    const there = await Promise.all(names.map((name) => driver.volumes.inspect(name)));
    return names.filter((_, index) => there[index] === undefined);
  }

  private async ensureRuntime(name: string, signal: AbortSignal): Promise<void> {
    const record = this.parts.registry.get(name);
    const driver = this.driverOf(record);
    const info = await driver.inspect(runtimeNameOf(name));
    if (info?.owner !== undefined) {
      throw new BerthError(
        'exists',
        `The ${driver.kind} ${info.name} belongs to ${ownerWords(info.owner)}.`,
        {
          hint: 'Delete it from there, or this workspace here with its volumes kept, and adopt them by another name.',
        },
      );
    }
    if (info !== undefined && info.state !== 'stopped') {
      return;
    }
    await refuseTakenPorts(portsOf(record.spec.ports));
    const hasPort = await isFree(record.sshPort);
    if (info !== undefined && hasPort && info.sshPort === record.sshPort) {
      return;
    }
    if (info !== undefined) {
      await driver.remove(runtimeNameOf(name));
    }
    if (!hasPort) {
      await this.moveToFreePort(name);
    }
    await this.build(name, signal);
  }

  /** Somebody else listens on our port: take another one, and say so. */
  private async moveToFreePort(name: string): Promise<void> {
    const { registry, ports } = this.parts;
    const taken = registry.get(name).sshPort;
    const sshPort = await ports.assign(name);
    await registry.update(name, { sshPort });
    ports.releasePort(taken, name);
    await registry.warn(name, {
      code: 'port-moved',
      message: `Port ${taken} was taken by another program: SSH is on ${sshPort} now.`,
    });
  }
}

export function imageMissing(image: string): BerthError {
  return image === 'workspace:latest'
    ? new BerthError(
        'image_missing',
        "Workspace image 'workspace:latest' not found. Run 'berth image build' first.",
        {
          hint: 'Build it: `berth image build`, or "Berth: Build Workspace Image" in VS Code.',
          field: 'image',
        },
      )
    : new BerthError('image_missing', `Image '${image}' is not on this machine.`, {
        hint: `Pull it: \`berth image pull ${image}\`.`,
        field: 'image',
      });
}
