/** Getting into a workspace: commands, the way to log in, measurements. */
import { mebibyte } from '../../../api/rules/sizes';
import type {
  ExecRequest,
  ExecResult,
  SshTarget,
  WorkspaceState,
  WorkspaceStats,
} from '../../../api/workspaces/schemas';
import type { Readable } from 'node:stream';
import type { ExecPlan, ExecSession, LogOptions } from '../../drivers/driver';
import { aliasOf } from '../../ssh/config';
import type { SshKeys } from '../../ssh/keys';
import type { SecretStore } from '../../store/secrets';
import type { StateDirectory } from '../../store/state-directory';
import { homeFolder } from '../../inside/places';
import { tailWithoutProbes } from '../../inside/probe-lines';
import { checkUser } from '../../../api/rules/names';
import { notWhile, uses } from '../../../api/rules/lifecycle';
import { runCommand } from './start/run-command';
import { haltError, isHalted } from './halted';
import type { WorkspaceRecord } from './record';
import type { RuntimeHandle, Runtimes } from './runtime-handle';
import type { WorkspaceRegistry } from './registry';
import { repositoryDirectory } from './start/first-steps';

export type { ExecSession };

const loginUser = 'workspace';
/** Any other one inside has no business with them. */
const usersOfSecrets: readonly string[] = [loginUser, 'root', '0'];
const defaultExecTimeoutMs = 600_000;
const defaultOutputBytes = mebibyte;

export interface AccessDeps {
  registry: WorkspaceRegistry;
  runtimes: Runtimes;
  keys: SshKeys;
  secrets: SecretStore;
  state: StateDirectory;
}

export class WorkspaceAccess {
  private readonly sessions = new Map<string, number>();

  constructor(private readonly deps: AccessDeps) {}

  async stats(name: string): Promise<WorkspaceStats> {
    this.require(name, uses.stats, 'nothing is to be measured');
    return (await this.runtime(name)).stats();
  }

  async exec(name: string, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
    this.require(name, uses.commands, "commands can't run in it");
    const timeoutMs = request.timeoutMs ?? defaultExecTimeoutMs;
    const user = checkUser(request.user ?? loginUser);
    // From now on: nothing pauses it on the way to the command.
    const release = this.hold(name);
    try {
      const env = await this.environment(name, user, request.env);
      const result = await runCommand(
        // The way to the runtime is part of the time that it has.
        { exec: async (plan) => (await this.runtime(name)).exec(plan) },
        { argv: request.argv, user, ...this.startingIn(name, request.cwd), env },
        {
          timeoutMs,
          maxOutputBytes: request.maxOutputBytes ?? defaultOutputBytes,
          signal,
          ...(request.stdin !== undefined && { stdin: Buffer.from(request.stdin, 'base64') }),
        },
      );
      return {
        ...result,
        stdout: result.stdout.toString('base64'),
        stderr: result.stderr.toString('base64'),
      };
    } finally {
      release();
    }
  }

  /** In the clone, unless the plan names another folder; in the home when the clone is gone. */
  private startingIn(name: string, cwd?: string): Pick<ExecPlan, 'cwd' | 'preferredCwd'> {
    if (cwd !== undefined) {
      return { cwd };
    }
    const { cloned } = this.deps.registry.get(name);
    return { cwd: homeFolder, ...(cloned && { preferredCwd: repositoryDirectory }) };
  }

  /** What a process started by us sees: the spec's variables, the secrets if they are its user's, then those of the call. */
  private async environment(
    name: string,
    user: string,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<Record<string, string>> {
    const { spec } = this.deps.registry.get(name);
    const [userAlone = user] = user.split(':');
    const secrets = usersOfSecrets.includes(userAlone)
      ? await this.deps.secrets.values(name, spec.secretNames ?? [])
      : {};
    return { ...spec.env, ...secrets, ...extra };
  }

  async ssh(name: string): Promise<SshTarget> {
    const { registry, state, keys } = this.deps;
    const record = registry.get(name);
    await keys.clientKey();
    return {
      alias: aliasOf(name),
      host: '127.0.0.1',
      port: record.sshPort,
      user: loginUser,
      identityFile: state.clientKey,
      knownHostsFile: state.knownHosts,
      configFile: state.sshConfig,
      hostKey: record.hostKey,
      command: ['ssh', '-F', state.sshConfig, aliasOf(name)],
      folder: record.cloned ? repositoryDirectory : homeFolder,
    };
  }

  /** Notes that it is in use now. */
  async touch(name: string): Promise<void> {
    await this.deps.registry.update(name, { lastUsedAt: new Date().toISOString() });
  }

  /**
   * The record of a workspace in one of these states. Throws `illegal_state` for another, and for one that stands
   * still; `no_space` where its disk is full.
   */
  require(name: string, states: readonly WorkspaceState[], what: string): WorkspaceRecord {
    const record = this.deps.registry.get(name);
    if (isHalted(record) && !states.includes(record.state)) {
      throw haltError(record);
    }
    if (!states.includes(record.state)) {
      throw notWhile(record.state, name, what);
    }
    return record;
  }

  /** The log of the runtime, whatever its state, as long as there is one, without what our own questions left in it. */
  async logs(name: string, options: LogOptions): Promise<Readable> {
    const runtime = await this.runtime(name);
    const look = (tail: number): Promise<Readable> => runtime.logs({ ...options, tail, follow: false });
    return tailWithoutProbes(options.tail, look, (tail) => runtime.logs({ ...options, tail }));
  }

  /** A process with its streams: the caller ends it. Counted as a client until it has ended. */
  async attach(
    name: string,
    plan: Omit<ExecPlan, 'env' | 'user'> & Partial<Pick<ExecPlan, 'env' | 'user'>>,
  ): Promise<ExecSession> {
    this.require(name, uses.commands, "commands can't run in it");
    const user = checkUser(plan.user ?? loginUser);
    const release = this.hold(name);
    try {
      const runtime = await this.runtime(name);
      const session = await runtime.exec({
        ...plan,
        user,
        ...this.startingIn(name, plan.cwd),
        env: await this.environment(name, user, plan.env),
      });
      void session.exit.catch(() => undefined).finally(release);
      return session;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Counts a file client of whatever workspace a volume is the home of. */
  holdVolume(volume: string): () => void {
    const owner = this.deps.registry.all().find((record) => record.homeVolume === volume);
    return owner === undefined ? () => undefined : this.hold(owner.name);
  }

  /** Counts a client of the workspace until the answer is called; it is in use at both ends. */
  private hold(name: string): () => void {
    const change = (by: number) => {
      const count = this.sessionsOf(name) + by;
      this.sessions.set(name, count);
      if (count === 0) {
        this.sessions.delete(name);
      }
      // It may be deleted by now.
      void this.touch(name).catch(() => undefined);
    };
    change(1);
    return () => change(-1);
  }

  sessionsOf(name: string): number {
    return this.sessions.get(name) ?? 0;
  }

  private runtime(name: string): Promise<RuntimeHandle> {
    return this.deps.runtimes.reach(this.deps.registry.get(name));
  }
}
