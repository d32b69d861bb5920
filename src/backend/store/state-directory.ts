/** Where all state is kept; ARCHITECTURE.md, "State directory", lists the files. Directories are 0700, files 0600. */
import { chmod, readdir, realpath, rename, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { abandonedAfterMs, sweepDrafts } from '../machine/draft-sweep';
import { draftOf } from '../machine/drafts';
import { makeFolder, removeTree } from '../machine/files';

/** As `client/engine-copy.ts` makes them. */
const engineName = /^[0-9a-f]{16}$/;

export class StateDirectory {
  constructor(readonly home: string) {}

  async ensure(): Promise<void> {
    for (const path of [this.home, this.workspaces, this.keys, this.hostKeys, this.ssh, this.operations]) {
      await makeFolder(path);
    }
    await chmod(this.home, 0o700);
  }

  /**
   * Removes drafts of images that a killed engine was making. Where several engines share a cache, one that is being
   * made by another is younger than an hour.
   */
  async sweepImages(cache: string): Promise<void> {
    for (const root of new Set([this.home, cache])) {
      const age = root === this.home ? 0 : abandonedAfterMs;
      for (const folder of ['images/rootfs', 'images/oci', 'images/oci/blobs/sha256']) {
        await sweepDrafts(join(root, folder), age);
      }
    }
  }

  /** Removes copies of engines of other versions; those of the last hour may be about to be started. */
  async sweepEngines(running: string): Promise<void> {
    await sweepDrafts(this.engines, abandonedAfterMs);
    for (const name of await readdir(this.engines).catch(() => [])) {
      const path = join(this.engines, name);
      const found = await stat(path).catch(() => undefined);
      const isOld = found !== undefined && Date.now() - found.mtimeMs > abandonedAfterMs;
      if (isOld && engineName.test(name) && !running.startsWith((await realpath(path)) + sep)) {
        // Renamed first: no client finds a copy of which a part is gone.
        const aside = draftOf(path);
        await rename(path, aside);
        await removeTree(aside);
      }
    }
  }

  /** Removes drafts of a killed engine. To be called with the engine's lock held. */
  async sweep(): Promise<void> {
    const names = await readdir(this.workspaces);
    const workspaces = names.map((name) => this.workspace(name));
    const { home, keys, hostKeys, ssh, operations, downloads, volumes, snapshots, frozen, restoring, trash } =
      this;
    const folders = [
      home,
      keys,
      hostKeys,
      ssh,
      operations,
      downloads,
      volumes,
      snapshots,
      frozen,
      restoring,
      trash,
      ...workspaces,
    ];
    await Promise.all(folders.map((folder) => sweepDrafts(folder)));
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
  /** Records of downloads that are under way. */
  get downloads(): string {
    return join(this.home, 'downloads');
  }
  get operations(): string {
    return join(this.home, 'operations');
  }
  /** Disks of microVMs, and their index. */
  get volumes(): string {
    return join(this.home, 'volumes');
  }
  /** Snapshots of volumes: their records, and the data of those of disks. */
  /** Notes of containers that are held still for a moment. */
  get frozen(): string {
    return join(this.home, 'frozen');
  }

  /** Notes of Docker volumes that are being put back. */
  get restoring(): string {
    return join(this.home, 'restoring');
  }

  /** Records of what was deleted and can be had back. */
  get trash(): string {
    return join(this.home, 'trash');
  }

  get trashTime(): string {
    return join(this.trash, 'looked');
  }
  /** Lines on what was removed for good. */
  get removals(): string {
    return join(this.home, 'removals.log');
  }
  get snapshots(): string {
    return join(this.home, 'snapshots');
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
  /** What ssh runs while a workspace does not run. */
  get sshProxy(): string {
    return join(this.ssh, process.platform === 'win32' ? 'proxy.cmd' : 'proxy');
  }
  /** The versions of OpenSSH's clients on this machine. */
  get sshClients(): string {
    return join(this.ssh, 'clients.json');
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
  get installationCopy(): string {
    return join(this.keys, 'installation.json');
  }
  /** Volumes of others that the user had this installation take over. */
  get adopted(): string {
    return join(this.home, 'adopted.json');
  }
  /** Volumes that are not to be deleted. */
  get protectedVolumes(): string {
    return join(this.home, 'protected-volumes.json');
  }
  /** Copies of the engine's program, one for each version. */
  get engines(): string {
    return join(this.home, 'engine');
  }
  get lock(): string {
    return join(this.home, 'engine.lock');
  }
  /** Given up when the disk is full: see `reserve.ts`. */
  get reserve(): string {
    return join(this.home, 'engine.reserve');
  }
  get log(): string {
    return join(this.home, 'engine.log');
  }
}
