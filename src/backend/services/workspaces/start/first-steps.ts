/** What runs inside a workspace that has just started: the clone of its repository, once, and the post-start scripts. */
import { BerthError } from '../../../../api/errors';
import { redactAddresses } from '../../../../api/rules/redact-addresses';
import type { WorkspaceSpec } from '../../../../api/workspaces/schemas';
import { lendAgent } from '../../../ssh/agent-forwarding';
import type { SshKeys } from '../../../ssh/keys';
import type { SecretStore } from '../../../store/secrets';
import { homeFolder } from '../../../inside/places';
import { findGit, gitStep, installGit } from './git-program';
import type { Script } from './injected-files';
import type { OperationContext } from '../../operations/operation-context';
import { runCommand } from './run-command';
import { cloneStep } from './start-steps';
import type { RuntimeHandle } from '../runtime-handle';
import { tryEach } from './submodules';
import type { WorkspaceRegistry } from '../registry';

const cloneTimeoutMs = 30 * 60_000;
const scriptTimeoutMs = 30 * 60_000;
const outputKept = 64 * 1024;
const maxSubmodules = 200;
const draftRepository = `${homeFolder}/.berth-clone`;
export const repositoryDirectory = `${homeFolder}/repo`;

interface RunOptions {
  timeoutMs?: number;
  env?: Record<string, string>;
}

export class FirstSteps {
  constructor(private readonly deps: { registry: WorkspaceRegistry; secrets: SecretStore; keys: SshKeys }) {}

  /**
   * Into a draft first: a clone that was cut off never looks like a whole one. `agentSocket`: an SSH agent of this machine,
   * which the workspace has for as long.
   */
  async clone(
    name: string,
    runtime: RuntimeHandle,
    context: OperationContext,
    agentSocket?: string,
  ): Promise<void> {
    const { registry } = this.deps;
    const { spec, cloned } = registry.get(name);
    if (spec.cloneUrl === undefined || cloned) {
      return;
    }
    const url = spec.cloneUrl;
    const missing: string[] = [];
    try {
      const { name: step, title } = cloneStep(url);
      await context.step(step, title, async () => {
        if ((await this.tryRun(name, runtime, ['test', '-e', repositoryDirectory], context)).exitCode !== 0) {
          await this.run(name, runtime, ['rm', '-rf', '--', draftRepository], context);
          await this.withAgent(name, agentSocket, context, async (agent) => {
            const env = { ...(await this.sshOf(name, runtime, context)), ...agent };
            await this.fetch(name, runtime, cloneCommand(spec, url), context, env);
            missing.push(...(await this.complete(name, runtime, context, env)));
          });
          await this.run(name, runtime, ['mv', '--', draftRepository, repositoryDirectory], context);
        }
      });
      await registry.update(name, {
        cloned: true,
        warnings: registry.get(name).warnings.filter((warning) => warning.code !== 'clone'),
      });
      missing.forEach((message) => context.warn(message));
      if (missing.length > 0) {
        await registry.warn(name, { code: 'clone', message: missing.join('\n'), step: 'clone' });
      }
    } catch (error) {
      context.signal.throwIfAborted();
      const message = `The repository was not cloned: ${error instanceof Error ? error.message : String(error)}`;
      context.warn(message);
      await registry.warn(name, {
        code: 'clone',
        message,
        step: 'clone',
        hint:
          agentSocket === undefined && /Permission denied \(.*publickey/.test(message)
            ? `The workspace is usable. It has no key: log in with your SSH agent (\`ssh -A berth-${name}\`) and clone by hand, or create it with \`--forward-agent\`.`
            : 'The workspace is usable. Clone by hand in its terminal, or restart it to try again.',
      });
    }
  }

  /** Installs git and tries again where the image has none: what lies outside of volumes goes with a rebuild, the clone stays. */
  private async fetch(
    name: string,
    runtime: RuntimeHandle,
    clone: readonly string[],
    context: OperationContext,
    env: Record<string, string>,
  ): Promise<void> {
    try {
      await this.run(name, runtime, clone, context, { env });
    } catch (error) {
      context.signal.throwIfAborted();
      if ((await this.tryRun(name, runtime, findGit, context)).exitCode === 0) {
        throw error;
      }
      await this.installGit(name, runtime, context);
      await this.run(name, runtime, clone, context, { env });
    }
  }

  /** As root, who gets no secrets. Throws `not_supported`, with what the package manager said. */
  private async installGit(name: string, runtime: RuntimeHandle, context: OperationContext): Promise<void> {
    const { spec } = this.deps.registry.get(name);
    const plan = { argv: installGit, user: 'root', cwd: '/', env: { ...spec.env } };
    await context.step(gitStep.name, gitStep.title, async () => {
      const { exitCode, stdout, stderr } = await runCommand(runtime, plan, {
        ...{ timeoutMs: cloneTimeoutMs, maxOutputBytes: outputKept, signal: context.signal },
      });
      if (exitCode !== 0) {
        const said = redactAddresses(Buffer.concat([stdout, stderr]).toString('utf8').trim()).slice(-2000);
        throw new BerthError(
          'not_supported',
          `The image ${spec.image} has no git, and it could not be installed: ${said}`,
        );
      }
    });
  }

  /** With the agent of this machine, if one is to be lent; what `run` gets is for the environment. */
  private async withAgent(
    name: string,
    agentSocket: string | undefined,
    { signal }: OperationContext,
    run: (env: Record<string, string>) => Promise<void>,
  ): Promise<void> {
    if (agentSocket === undefined) {
      await run({});
      return;
    }
    const { sshPort: port, hostKey } = this.deps.registry.get(name);
    const { privateKey } = await this.deps.keys.clientKey();
    const agent = await lendAgent({ port, hostKey, privateKey, agentSocket, signal });
    try {
      await run({ SSH_AUTH_SOCK: agent.socket });
    } finally {
      await agent.release();
    }
  }

  /** Submodules, and a look for files of Git LFS. What does not come is reported: the repository is there without it. */
  private async complete(
    name: string,
    runtime: RuntimeHandle,
    context: OperationContext,
    env: Record<string, string>,
  ): Promise<string[]> {
    const git = ['git', '-C', draftRepository];
    const missing: string[] = [];
    const update = [...git, 'submodule', '--quiet', 'update', '--init', '--recursive'];
    const failed = await this.failureOf(name, runtime, update, context, { env });
    if (failed !== undefined) {
      // One that can't be had keeps all others away: one by one then.
      const list = [...git, 'config', '-z', '-f', '.gitmodules', '--get-regexp', '^submodule\\..*\\.path$'];
      const { stdout } = await this.tryRun(name, runtime, list, context);
      const failures = await tryEach(submodulePaths(stdout.toString('utf8')), (path, timeoutMs) => {
        // By force, as git takes one that was fetched and not checked out for up to date.
        const one = [...update, '--force', '--', path];
        return this.failureOf(name, runtime, one, context, { env, timeoutMs });
      });
      missing.push(`Not all submodules were cloned: ${failures ?? failed}`);
    }
    const files = await this.tryRun(
      name,
      runtime,
      [...git, 'ls-files', '-z', '--', ':(attr:filter=lfs)'],
      context,
    );
    if (files.exitCode === 0 && files.stdout.length > 0) {
      const lfs = await this.tryRun(name, runtime, ['git', 'lfs', 'version'], context);
      if (lfs.exitCode !== 0) {
        const count = `${files.truncated ? 'more than ' : ''}${files.stdout.filter((byte) => byte === 0).length}`;
        missing.push(
          `Pointers of Git LFS are there instead of ${count} files, as the image has no git-lfs: install it, then \`git lfs pull\`.`,
        );
      }
    }
    return missing;
  }

  /** In their order; what fails is reported, and fails the start only if that was asked for. Throws `internal` then. */
  async postStart(
    name: string,
    runtime: RuntimeHandle,
    scripts: { found: readonly Script[]; problems: readonly string[] },
    context: OperationContext,
  ): Promise<void> {
    const failures = [...scripts.problems];
    const env = scripts.found.length === 0 ? {} : await this.sshOf(name, runtime, context);
    for (const script of scripts.found) {
      try {
        await context.step('post-start', `Run ${script.source}`, () =>
          this.run(name, runtime, script.argv, context, { timeoutMs: scriptTimeoutMs, env }),
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
    await this.deps.registry.warn(name, { code: 'post-start', message, step: 'post-start' });
    if (this.deps.registry.get(name).spec.postStart?.failOnError === true) {
      throw new BerthError('internal', message, {
        hint: 'Fix the script, or turn off "fail on error".',
      });
    }
  }

  /** Why it failed, if it did. */
  private async failureOf(...command: Parameters<FirstSteps['run']>): Promise<string | undefined> {
    try {
      await this.run(...command);
      return undefined;
    } catch (error) {
      command[3].signal.throwIfAborted();
      return error instanceof Error ? error.message : String(error);
    }
  }

  private async run(
    name: string,
    runtime: RuntimeHandle,
    argv: readonly string[],
    context: OperationContext,
    options: RunOptions = {},
  ): Promise<void> {
    const result = await this.tryRun(name, runtime, argv, context, options);
    if (result.exitCode !== 0 || result.timedOut) {
      const said = Buffer.concat([result.stdout, result.stderr]).toString('utf8').trim();
      const ending = result.timedOut
        ? `timed out after ${(options.timeoutMs ?? cloneTimeoutMs) / 1000} s`
        : `ended with exit code ${result.exitCode}`;
      const shown = redactAddresses(said).slice(-2000);
      throw new BerthError('internal', `${argv[0] ?? ''} ${ending}${shown === '' ? '.' : `: ${shown}`}`);
    }
  }

  private async tryRun(
    name: string,
    runtime: RuntimeHandle,
    argv: readonly string[],
    context: OperationContext,
    { timeoutMs = cloneTimeoutMs, env: more }: RunOptions = {},
  ) {
    const { spec } = this.deps.registry.get(name);
    const env = {
      ...spec.env,
      ...(await this.deps.secrets.values(name, spec.secretNames ?? [])),
      ...more,
      HOME: homeFolder,
      USER: 'workspace',
      GIT_TERMINAL_PROMPT: '0',
    };
    const plan = { argv, user: 'workspace', cwd: homeFolder, env };
    return runCommand(runtime, plan, {
      timeoutMs,
      maxOutputBytes: outputKept,
      signal: context.signal,
    });
  }

  /** What git is to use for SSH, unless a variable, a secret or the user's own configuration says it. */
  private async sshOf(
    name: string,
    runtime: RuntimeHandle,
    context: OperationContext,
  ): Promise<Record<string, string>> {
    const { spec } = this.deps.registry.get(name);
    const given = { ...spec.env, ...(await this.deps.secrets.values(name, spec.secretNames ?? [])) };
    if (given.GIT_SSH_COMMAND !== undefined || given.GIT_SSH !== undefined) {
      return {};
    }
    const own = await this.tryRun(name, runtime, ['git', 'config', '--get', 'core.sshCommand'], context);
    return own.exitCode === 0 ? {} : sshOfGit;
  }
}

/** Of `git config -z --get-regexp`: key, line break, value, zero byte. */
function submodulePaths(answer: string): string[] {
  const entries = answer.split('\0').slice(0, maxSubmodules);
  return entries.map((entry) => entry.slice(entry.indexOf('\n') + 1)).filter((path) => path !== '');
}

/** Nobody is there to be asked. */
const sshOfGit = { GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new' };

function cloneCommand({ cloneBranch, cloneDepth }: WorkspaceSpec, url: string): string[] {
  return [
    ...['git', 'clone'],
    ...(cloneBranch === undefined ? [] : [`--branch=${cloneBranch}`]),
    ...(cloneDepth === undefined ? [] : [`--depth=${cloneDepth}`]),
    ...['--', url, draftRepository],
  ];
}
