/** Where everything is kept (DESIGN.md, section 5). Directories 0700, files 0600. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

export class StateDirectory {
  constructor(readonly home: string) {}

  async ensure(): Promise<void> {
    for (const path of [this.home, this.workspaces, this.keys, this.hostKeys, this.ssh, this.operations]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
  }

  get workspaces(): string {
    return join(this.home, 'workspaces');
  }
  workspace(name: string): string {
    return join(this.workspaces, name);
  }
  workspaceRecord(name: string): string {
    return join(this.workspace(name), 'workspace.json');
  }
  get operations(): string {
    return join(this.home, 'operations');
  }
  get keys(): string {
    return join(this.home, 'keys');
  }
  get hostKeys(): string {
    return join(this.keys, 'hosts');
  }
  get clientKey(): string {
    return join(this.keys, 'id_ed25519');
  }
  get masterKey(): string {
    return join(this.keys, 'master.key');
  }
  get secrets(): string {
    return join(this.keys, 'secrets.json');
  }
  get ssh(): string {
    return join(this.home, 'ssh');
  }
  get sshConfig(): string {
    return join(this.ssh, 'config');
  }
  get knownHosts(): string {
    return join(this.ssh, 'known_hosts');
  }
  get settings(): string {
    return join(this.home, 'settings.json');
  }
  get installation(): string {
    return join(this.home, 'installation.json');
  }
  get lock(): string {
    return join(this.home, 'engine.lock');
  }
  get log(): string {
    return join(this.home, 'engine.log');
  }
}
