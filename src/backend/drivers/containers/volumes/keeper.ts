/** All keepers of an engine. */
import type Dockerode from 'dockerode';
import { AgentFiles } from '../../../files/agent/agent-files';
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
    let kept = this.kept.get(volume);
    if (kept === undefined) {
      const { image, owner, refuse, isForUser, agentDir, idleMs } = this.options;
      const plan = () => ({
        ...{ volume, image: image(), owner },
        ...(refuse !== undefined && { refuse }),
        ...(isForUser !== undefined && { isForUser }),
      });
      const keeper = new Keeper(this.docker, plan, agentDir, idleMs ?? defaultIdleMs);
      kept = { keeper, files: new AgentFiles(keeper) };
      this.kept.set(volume, kept);
    }
    return kept;
  }
}
