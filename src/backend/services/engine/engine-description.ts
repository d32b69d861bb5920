/** What `GET /v1/engine` answers. */
import type { EngineInfo } from '../../../api/engine/schemas';
import { protocolVersion } from '../../../api/version';
import { statusOf, type Drivers } from './drivers';
import type { EventHub } from '../operations/event-hub';
import type { Operations } from '../operations/operations';
import type { Settings } from './settings';
import type { TrashBin } from '../trash/trash-bin';
import type { WorkspaceRegistry } from '../workspaces/registry';

export interface DescriptionDeps {
  version: string;
  home: string;
  drivers: Drivers;
  events: EventHub;
  operations: Operations;
  settings: Settings;
  registry: WorkspaceRegistry;
  bin: Pick<TrashBin, 'days'>;
}

export class EngineDescription {
  private readonly startedAt = new Date().toISOString();

  constructor(private readonly deps: DescriptionDeps) {}

  /** Drivers ask programs and daemons: who wants to know no more than that an engine is there does without them. */
  async info(withDrivers = true): Promise<EngineInfo> {
    const { version, home, drivers, events, operations, settings, registry } = this.deps;
    return {
      version,
      protocol: protocolVersion,
      pid: process.pid,
      nodeVersion: process.version,
      home,
      startedAt: this.startedAt,
      rssBytes: process.memoryUsage.rss(),
      clients: events.subscriberCount,
      operations: operations.runningCount,
      drivers: withDrivers ? await Promise.all(drivers.all().map((driver) => statusOf(driver))) : [],
      defaultImage: settings.defaults.image,
      portRange: settings.portRange,
      trashDays: this.deps.bin.days,
      setAside: [...registry.setAside, ...settings.setAside],
    };
  }
}
