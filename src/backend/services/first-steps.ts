/** What runs inside a workspace that has just started: the clone of its repository, once, and the post-start scripts. */
import { BerthError } from '../../api/errors';
import { redactAddresses } from '../../api/rules/redact-addresses';
import type { Driver } from '../drivers/driver';
import type { SecretStore } from '../store/secrets';
import { homeDirectory, type Script } from './injected-files';
import type { OperationContext } from './operation-context';
import { runCommand } from './run-command';
import { runtimeNameOf } from './workspace-record';
import type { WorkspaceRegistry } from './workspace-registry';

const cloneTimeoutMs = 30 * 60_000;
const scriptTimeoutMs = 30 * 60_000;
const outputKept = 64 * 1024;
const draftRepository = `${homeDirectory}/.berth-clone`;
export const repositoryDirectory = `${homeDirectory}/repo`;

export class FirstSteps {
  constructor(private readonly parts: { registry: WorkspaceRegistry; secrets: SecretStore }) {}

  /** Into a draft first: a clone that was cut off never looks like a whole one. */
  async clone(name: string, driver: Driver, context: OperationContext): Promise<void> {
    const { registry } = this.parts;
    const { spec, cloned } = registry.get(name);
    if (spec.cloneUrl === undefined || cloned) {
      return;
    }
    const url = spec.cloneUrl;
    try {
      await context.step('clone', `Clone ${redactAddresses(url)}`, async () => {
        if ((await this.tryRun(name, driver, ['test', '-e', repositoryDirectory], context)).exitCode !== 0) {
          await this.run(name, driver, ['rm', '-rf', '--', draftRepository], context);
          await this.run(name, driver, ['git', 'clone', '--', url, draftRepository], context);
          await this.run(name, driver, ['mv', '--', draftRepository, repositoryDirectory], context);
        }
      });
      await registry.update(name, {
        cloned: true,
        warnings: registry.get(name).warnings.filter((warning) => warning.code !== 'clone'),
      });
    } catch (error) {
      context.signal.throwIfAborted();
      const message = `The repository was not cloned: ${error instanceof Error ? error.message : String(error)}`;
      context.warn(message);
      await registry.warn(name, {
        code: 'clone',
        message,
        step: 'clone',
        hint: 'The workspace is usable. Clone by hand in its terminal, or restart it to try again.',
      });
    }
  }

  /** In their order; what fails is told, and fails the start only if that was asked for. */
  async postStart(
    name: string,
    driver: Driver,
    scripts: { found: readonly Script[]; problems: readonly string[] },
    context: OperationContext,
  ): Promise<void> {
    const failures = [...scripts.problems];
    for (const script of scripts.found) {
      try {
        await context.step('post-start', `Run ${script.source}`, () =>
          this.run(name, driver, script.argv, context, scriptTimeoutMs),
        );
      } catch (error) {
        context.signal.throwIfAborted();
        failures.push(
          `Post-start script ${script.source}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
    if (failures.length === 0) {
      return;
    }
    failures.forEach((failure) => context.warn(failure));
    const message = failures.join('\n');
    await this.parts.registry.warn(name, { code: 'post-start', message, step: 'post-start' });
    if (this.parts.registry.get(name).spec.postStart?.failOnError === true) {
      throw new BerthError('internal', message, {
        hint: 'Mend the script, or allow the start to go on without it.',
      });
    }
  }

  private async run(
    name: string,
    driver: Driver,
    argv: readonly string[],
    context: OperationContext,
    timeoutMs = cloneTimeoutMs,
  ): Promise<void> {
    const result = await this.tryRun(name, driver, argv, context, timeoutMs);
    if (result.exitCode !== 0 || result.timedOut) {
      const said = Buffer.concat([result.stdout, result.stderr]).toString('utf8').trim();
      const ending = result.timedOut
        ? `timed out after ${timeoutMs / 1000} s`
        : `ended with exit code ${result.exitCode}`;
      const shown = redactAddresses(said).slice(-2000);
      throw new BerthError('internal', `${argv[0] ?? ''} ${ending}${shown === '' ? '.' : `: ${shown}`}`);
    }
  }

  private async tryRun(
    name: string,
    driver: Driver,
    argv: readonly string[],
    context: OperationContext,
    timeoutMs = cloneTimeoutMs,
  ) {
    const { spec } = this.parts.registry.get(name);
    const env = {
      ...spec.env,
      ...(await this.parts.secrets.values(name)),
      HOME: homeDirectory,
      USER: 'workspace',
      GIT_TERMINAL_PROMPT: '0',
      GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new',
    };
    const plan = { argv, user: 'workspace', cwd: homeDirectory, env };
    return runCommand(driver, runtimeNameOf(name), plan, {
      timeoutMs,
      maxOutputBytes: outputKept,
      signal: context.signal,
    });
  }
}
