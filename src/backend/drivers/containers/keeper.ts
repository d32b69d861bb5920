/** Keepers: one small container per volume in use, through which its files are read and written. */
import type Dockerode from 'dockerode';
import { BerthError } from '../../../api/errors';
import type { VolumeFiles } from '../../files/volume-files';

/** On every keeper, with the value `true`: whoever lists containers or holders leaves these out. */
export const keeperLabel = 'berth.keeper';

export interface KeeperOptions {
  /** The tools image, e.g. `berth-tools:1`. */
  image: () => string;
  /** Id of this installation of the engine: only its keepers are swept. */
  owner: string;
  /** The folder `images/tools/agent`, which holds the agent's source. */
  agentDir: string;
  /** A keeper that nobody used for so long is closed. */
  idleMs?: number;
}

export class Keepers {
  constructor(
    private readonly docker: Dockerode,
    private readonly options: KeeperOptions,
  ) {}

  /** The files of a docker volume; a keeper is started on the first call that needs one. */
  files(volume: string): Promise<VolumeFiles> {
    return Promise.reject(new BerthError('internal', `Not there yet: ${volume} ${this.options.owner}`));
  }

  /** Bytes in use, measured now. */
  usage(volume: string, _signal?: AbortSignal): Promise<number> {
    return Promise.reject(new BerthError('internal', `Not there yet: ${volume}`));
  }

  /** Lets go of a volume, so that it can be removed; resolves when no keeper of ours holds it. */
  release(_volume: string): Promise<void> {
    return Promise.resolve();
  }

  /** Removes the keepers that a dead engine of this installation left; answers how many. */
  async sweep(): Promise<number> {
    await this.docker.ping();
    return 0;
  }

  /** Ends every keeper. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
