/** All keepers of an engine. */
import type Dockerode from 'dockerode';
import { BerthError } from '../../../../api/errors';
import { AgentFiles } from '../../../files/agent/agent-files';
import { ReadOnlyFiles } from '../../../files/unchangeable-files';
import { volumeUsage, type VolumeFiles, type VolumeUsage } from '../../../files/volume-files';
import { toBerthError } from '../engine/docker-errors';
import { Keeper } from './keeper-volume';
import { keeperEngineLabel, keeperLabel, type KeeperPlan } from './keeper-container';
import { removeContainer } from '../engine/remove-container';

export { keeperLabel };

const defaultIdleMs = 60_000;

export interface KeeperOptions {
  /** The tools image, e.g. `berth-tools:1`. */
  image: () => string;
  /** Id of this installation of the engine: only its keepers are swept. */
  owner: string;
  refuse?: KeeperPlan['refuse'];
  isForUser?: KeeperPlan['isForUser'];
  /** The folder `images/tools/agent`, which holds the agent's source. */
  agentDir: string;
  ready?: KeeperPlan['ready'];
  /** A keeper that nobody used for so long is closed. */
  idleMs?: number;
}

interface Kept {
  keeper: Keeper;
  files: AgentFiles;
}

export class Keepers {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly docker: Dockerode,
    private readonly options: KeeperOptions,
  ) {}

  /** The files of a docker volume; a keeper is started on the first call that needs one. */
  files(volume: string): Promise<VolumeFiles> {
    return Promise.resolve(this.of(volume).files);
  }

  /** The files of a snapshot in the volume of all of them, which nobody can change. */
  snapshotFiles(store: string, id: string): VolumeFiles {
    const key = snapshotKey(id);
    const kept = this.kept.get(key) ?? this.open({ volume: store, below: `/${id}/tree` });
    this.kept.set(key, kept);
    return new ReadOnlyFiles(kept.files, neverChanges);
  }

  /** Lets go of it, so that it can be removed. */
  closeSnapshot(id: string): Promise<void> {
    return this.release(snapshotKey(id));
  }

  /** Bytes in use, measured now. */
  async usage(volume: string, signal?: AbortSignal): Promise<VolumeUsage> {
    return volumeUsage(await this.of(volume).files.usage('/', signal));
  }

  /** Lets go of a volume, so that it can be removed; resolves when no keeper of ours holds it. */
  async release(volume: string): Promise<void> {
    const kept = this.kept.get(volume);
    this.kept.delete(volume);
    await kept?.files.close();
    await kept?.keeper.retire();
  }

  /** Removes the keepers that a dead engine of this installation left; answers how many. */
  async sweep(): Promise<number> {
    const label = [`${keeperLabel}=true`, `${keeperEngineLabel}=${this.options.owner}`];
    const found = await this.docker
      .listContainers({ all: true, filters: { label } })
      .catch((error: unknown) => {
        throw toBerthError(error, 'look for abandoned keepers');
      });
    const ours = new Set(
      await Promise.all([...this.kept.values()].map(({ keeper }) => keeper.containerId())),
    );
    const dead = found.filter(({ Id }) => !ours.has(Id));
    await Promise.all(dead.map(({ Id }) => removeContainer(this.docker.getContainer(Id))));
    return dead.length;
  }

  /** Ends every keeper. */
  async close(): Promise<void> {
    await Promise.all([...this.kept.keys()].map((volume) => this.release(volume)));
  }

  private of(volume: string): Kept {
    const { refuse, isForUser, ready } = this.options;
    const kept =
      this.kept.get(volume) ??
      this.open({
        volume,
        ...(refuse !== undefined && { refuse }),
        ...(isForUser !== undefined && { isForUser }),
        ...(ready !== undefined && { ready }),
      });
    this.kept.set(volume, kept);
    return kept;
  }

  private open(wanted: Omit<KeeperPlan, 'image' | 'owner'>): Kept {
    const { image, owner, agentDir, idleMs } = this.options;
    const plan = (): KeeperPlan => ({ ...wanted, image: image(), owner });
    const keeper = new Keeper(this.docker, plan, agentDir, idleMs ?? defaultIdleMs);
    return { keeper, files: new AgentFiles(keeper) };
  }
}

/** No volume has such a name. */
function snapshotKey(id: string): string {
  return `snapshot/${id}`;
}

function neverChanges(): BerthError {
  return new BerthError('read_only', 'A snapshot never changes.', {
    hint: 'Copy files out of it, or restore it.',
  });
}
