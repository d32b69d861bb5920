/** The keepers on the engine that answers. They belong to one engine: another one that answers now gets its own. */
import type { Log } from '../../../machine/log';
import type { Connection, Endpoint } from '../engine/endpoint';
import { volumeRole } from '../engine/labels';
import type { Ownership } from '../engine/ownership';
import { Keepers } from './keeper';

export interface EngineKeepersDeps {
  endpoint: Endpoint;
  ownership: Ownership;
  installation: string;
  toolsImage: string;
  /** The folder `images/tools/agent`. */
  agentDirectory: string;
  log: Log;
  /** Resolves when a volume may be opened. */
  ready: (volume: string) => Promise<void>;
}

export class EngineKeepers {
  private kept: { connection: Connection; keepers: Keepers } | undefined;

  constructor(private readonly deps: EngineKeepersDeps) {}

  /** Throws `runtime_unavailable` where no engine answers. */
  async get(): Promise<Keepers> {
    const { endpoint, ownership, installation, toolsImage, agentDirectory, log, ready } = this.deps;
    const connection = await endpoint.connect();
    if (this.kept?.connection.host !== connection.host) {
      const old = this.kept;
      const keepers = new Keepers(connection.docker, {
        image: () => toolsImage,
        owner: installation,
        refuse: (volume, labels) => ownership.refuseVolume(volume, labels),
        isForUser: (volume, labels) =>
          ownership.isOurs(volume, labels) && volumeRole(volume, labels).role === 'named',
        agentDir: agentDirectory,
        ready,
      });
      this.kept = { connection, keepers };
      await old?.keepers.close().catch(() => undefined);
      await keepers.sweep().catch((error: unknown) => {
        log.warn({ error: String(error) }, 'keepers of a dead engine may be left');
      });
    }
    return this.kept.keepers;
  }

  async close(): Promise<void> {
    const { kept } = this;
    this.kept = undefined;
    await kept?.keepers.close();
  }
}
