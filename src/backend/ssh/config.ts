/** The generated ssh config and known_hosts: one `Host` block per workspace, host keys pinned. */
import { replaceFile } from '../store/files';
import type { StateDirectory } from '../store/state-directory';

export interface SshHost {
  workspace: string;
  port: number;
  /** `ssh-ed25519 AAAA…` */
  hostKey: string;
}

/** Lower case always: VS Code lower-cases authorities. */
export function aliasOf(workspace: string): string {
  return `berth-${workspace}`;
}

/** Forward slashes on Windows: read alike by all programs there. */
function portable(path: string, platform: NodeJS.Platform): string {
  return platform === 'win32' ? path.replaceAll('\\', '/') : path;
}

/**
 * As an argument of ssh_config(5): OpenSSH undoes `\"` and `\\` in quotes (`argv_split` in its misc.c). What has no way
 * to be written is refused as a state directory: `api/state-home.ts`.
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

export function renderConfig(hosts: readonly SshHost[], identityFile: string, knownHosts: string): string {
  const blocks = hosts.map((host) =>
    [
      `Host ${aliasOf(host.workspace)}`,
      '  HostName 127.0.0.1',
      `  Port ${host.port}`,
      '  User workspace',
      `  IdentityFile ${quoteExpanded(identityFile)}`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${quoteExpanded(knownHosts)}`,
      `  HostKeyAlias ${aliasOf(host.workspace)}`,
      '  StrictHostKeyChecking yes',
      '  ForwardAgent no',
      '',
    ].join('\n'),
  );
  return ['# Written by Berth: changes are lost.', '', ...blocks].join('\n');
}

export function renderKnownHosts(hosts: readonly SshHost[]): string {
  return hosts.map((host) => `${aliasOf(host.workspace)} ${host.hostKey}\n`).join('');
}

/** Writes both files when they changed; one writer at a time. */
export class SshConfig {
  private last = '';
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly state: StateDirectory) {}

  update(hosts: readonly SshHost[]): Promise<void> {
    const sorted = [...hosts].sort((a, b) => a.workspace.localeCompare(b.workspace));
    const config = renderConfig(sorted, this.state.clientKey, this.state.knownHosts);
    const known = renderKnownHosts(sorted);
    const write = this.writing.then(async () => {
      if (config + known === this.last) {
        return;
      }
      await replaceFile(this.state.knownHosts, known);
      await replaceFile(this.state.sshConfig, config);
      this.last = config + known;
    });
    this.writing = write.catch(() => undefined);
    return write;
  }
}
