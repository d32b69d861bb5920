/** The generated ssh config and known_hosts: one `Host` block per workspace, host keys pinned. */
import { createHash } from 'node:crypto';
import { replaceChanged } from '../machine/whole-file';
import type { StateDirectory } from '../store/state-directory';
import { firstWithInclude, oldestClient, type SshVersion } from './client-version';
import { optionsFor } from './options';
import { ownProxyProgram, proxyCommand, writeWrapper, type ProxyProgram } from './proxy-program';

export interface SshHost {
  workspace: string;
  port: number;
  /** `ssh-ed25519 AAAA…` */
  hostKey: string;
  /** The state of one that does not run: ssh gets there by `ProxyCommand` then, not by itself. */
  waiting?: string;
}

/** Lower case always: VS Code lower-cases authorities. */
export function aliasOf(workspace: string): string {
  return `berth-${workspace}`;
}

const probePort = 9;

/**
 * A host that nobody has, for asking ssh what it reads: no workspace has a dot in its name, and no other state directory
 * the same one.
 */
export function probeOf(identityFile: string): string {
  return `berth.${createHash('sha256').update(identityFile).digest('hex').slice(0, 12)}`;
}

/** Forward slashes on Windows: read alike by all programs there. */
function portable(path: string, platform: NodeJS.Platform): string {
  return platform === 'win32' ? path.replaceAll('\\', '/') : path;
}

/**
 * As an argument of ssh_config(5): OpenSSH undoes `\"` and `\\` in quotes (`argv_split` in its misc.c). What has no way
 * to be written is refused as a state directory: `api/rules/state-home.ts`.
 */
export function quotePath(path: string, platform: NodeJS.Platform = process.platform): string {
  return `"${portable(path, platform).replace(/["\\]/g, '\\$&')}"`;
}

/** For options in which every OpenSSH expands `%` (TOKENS in ssh_config(5)). */
function quoteExpanded(path: string): string {
  return quotePath(path.replaceAll('%', '%%'));
}

/**
 * For `Include`, which is a pattern of glob(7), and in which OpenSSH expands `%` from 9.9 on but not before: a range
 * that holds `%` without naming it means the same to all.
 */
export function globPattern(path: string, platform: NodeJS.Platform = process.platform): string {
  return portable(path, platform).replaceAll('\\', '\\\\').replace(/[*?[]/g, '[$&]').replaceAll('%', '[$-&]');
}

export interface ConfigPaths {
  identityFile: string;
  knownHosts: string;
  proxy: string;
}

/** The whole configuration, with no keyword that the oldest client found does not know. */
export function renderConfig(hosts: readonly SshHost[], paths: ConfigPaths, oldest: SshVersion): string {
  const fixed = optionsFor(oldest).map(({ keyword, value }) => `  ${keyword} ${value}`);
  const block = (pattern: string, alias: string, port: number, proxy = 'none'): string =>
    [
      `Host ${pattern}`,
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      '  User workspace',
      `  IdentityFile ${quoteExpanded(paths.identityFile)}`,
      `  UserKnownHostsFile ${quoteExpanded(paths.knownHosts)}`,
      `  HostKeyAlias ${alias}`,
      `  ProxyCommand ${proxy}`,
      // The first value counts: what is to be resumed first may take a while, and says itself when it takes too long.
      ...(proxy === 'none' ? [] : ['  ConnectTimeout 150']),
      ...fixed,
      '',
    ].join('\n');
  const probe = probeOf(paths.identityFile);
  const blocks = [
    ...hosts.map(({ workspace, port, waiting }) => {
      const words = [workspace, String(port), waiting ?? ''];
      const proxy = waiting === undefined ? 'none' : proxyCommand(paths.proxy, words);
      return block(aliasOf(workspace), aliasOf(workspace), port, proxy);
    }),
    // Programs that list the hosts of a configuration leave out patterns.
    block(`${probe.slice(0, -1)}?`, probe, probePort),
  ];
  return ['# Written by Berth: changes are lost.', '', ...blocks].join('\n');
}

/** A line for the host key of each workspace. */
export function renderKnownHosts(hosts: readonly SshHost[]): string {
  return hosts.map((host) => `${aliasOf(host.workspace)} ${host.hostKey}\n`).join('');
}

/** Writes the files that changed; one writer at a time. */
export class SshConfig {
  private config: string | undefined;
  private known: string | undefined;
  private hasProxy = false;
  private writing: Promise<void> = Promise.resolve();

  private oldest: Promise<SshVersion> | undefined;

  constructor(
    private readonly state: StateDirectory,
    private readonly findOldest: () => Promise<SshVersion> = () =>
      oldestClient(process.env, state.sshClients),
    private readonly program: ProxyProgram = ownProxyProgram(state.home),
  ) {}

  update(hosts: readonly SshHost[]): Promise<void> {
    const sorted = [...hosts].sort((a, b) => a.workspace.localeCompare(b.workspace));
    const known = renderKnownHosts(sorted);
    const { clientKey: identityFile, knownHosts, sshProxy: proxy } = this.state;
    this.oldest ??= this.findOldest();
    const write = this.writing.then(async () => {
      const oldest = (await this.oldest) ?? firstWithInclude;
      const config = renderConfig(sorted, { identityFile, knownHosts, proxy }, oldest);
      if (!this.hasProxy) {
        await writeWrapper(proxy, this.program);
        this.hasProxy = true;
      }
      if (known !== this.known) {
        await replaceChanged(knownHosts, known);
        this.known = known;
      }
      if (config !== this.config) {
        await replaceChanged(this.state.sshConfig, config);
        this.config = config;
      }
    });
    this.writing = write.catch(() => undefined);
    return write;
  }
}
