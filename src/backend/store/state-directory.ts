/** Where everything is kept (DESIGN.md, section 5). Directories 0700, files 0600. */
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What an atomic write leaves when it is killed: `<file>.<number>`; and a lock's: `<file>.<uuid>`. */
const draft = /(?:\.json|\.key|\.ext4|^config|^known_hosts)\.\d+$|\.lock\.[0-9a-f-]{36}$/;

export class StateDirectory {
  constructor(readonly home: string) {}

  async ensure(): Promise<void> {
    for (const path of [this.home, this.workspaces, this.keys, this.hostKeys, this.ssh, this.operations]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
    await chmod(this.home, 0o700);
  }

  /** Removes drafts of a killed engine. To be called with the engine's lock held. */
  async sweep(): Promise<void> {
    const names = await readdir(this.workspaces);
    const workspaces = names.map((name) => this.workspace(name));
    const { home, keys, hostKeys, ssh, operations, volumes } = this;
    for (const folder of [home, keys, hostKeys, ssh, operations, volumes, ...workspaces]) {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      // A folder is never one: it may be a volume, whatever its name.
      const drafts = entries.filter((entry) => entry.isFile() && draft.test(entry.name));
      await Promise.all(drafts.map(({ name }) => rm(join(folder, name), { force: true })));
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
  /** Disks of microVMs, and their index. */
  get volumes(): string {
    return join(this.home, 'volumes');
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
