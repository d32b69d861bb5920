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

/** Forward slashes and quotes: read alike by OpenSSH on every system. */
export function quotePath(path: string): string {
  return `"${path.replaceAll('\\', '/')}"`;
}

/** For options in which OpenSSH expands `%` (TOKENS in ssh_config(5)); `Include` does not. */
function quoteExpanded(path: string): string {
  return quotePath(path.replaceAll('%', '%%'));
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
