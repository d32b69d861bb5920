/**
 * Records against what the drivers report: at start, when a daemon comes back, and when something happened
 * to a runtime that was not our doing. Nothing is deleted here but what a confirmed delete left half done.
 */
import type { WorkspaceState } from '../../api/schemas/workspace';
import type { Driver, DriverEvent, RuntimeInfo } from '../drivers/driver';
import type { Drivers } from './drivers';
import type { Log } from './log';
import type { Operations } from './operations';
import type { WorkspaceRecord } from './workspace-record';
import { runtimeNameOf } from './workspace-record';
import type { WorkspaceRegistry } from './workspace-registry';
import type { WorkspaceStarter } from './workspace-starter';
import type { Workspaces } from './workspaces';

export interface ReconcilerParts {
  registry: WorkspaceRegistry;
  workspaces: Workspaces;
  starter: WorkspaceStarter;
  operations: Operations;
  drivers: Drivers;
  log: Log;
}

const unreachable = 'The runtime does not answer: this is the state as last seen.';

export class Reconciler {
  private readonly stops: (() => void)[] = [];

  constructor(private readonly parts: ReconcilerParts) {}

  /** All records of all drivers, then whatever the drivers tell. */
  async start(): Promise<void> {
    for (const driver of this.parts.drivers.all()) {
      await this.all(driver, true);
      this.stops.push(driver.watch((event) => void this.seen(driver, event)));
    }
  }

  close(): void {
    this.stops.splice(0).forEach((stop) => stop());
  }

  private async all(driver: Driver, atStart: boolean): Promise<void> {
    const { registry, log } = this.parts;
    const mine = registry.all().filter((record) => record.spec.runtime === driver.kind);
    if (mine.length === 0) {
      return;
    }
    let runtimes: RuntimeInfo[];
    try {
      runtimes = await driver.list();
    } catch (error) {
      log.warn({ err: error, driver: driver.kind }, 'driver does not answer');
      for (const record of mine) {
        await registry.update(record.name, { stateDetail: unreachable });
      }
      return;
    }
    const byName = new Map(runtimes.map((info) => [info.name, info]));
    for (const record of mine) {
      await this.one(record, byName.get(runtimeNameOf(record.name)), atStart);
    }
  }

  private async one(record: WorkspaceRecord, info: RuntimeInfo | undefined, atStart: boolean): Promise<void> {
    const { registry, operations } = this.parts;
    const { name } = record;
    if (operations.idsOf(name).length > 0) {
      return;
    }
    if (record.state === 'deleting') {
      this.finishDelete(name);
      return;
    }
    const state = settledState(record, info);
    if (record.state === 'creating') {
      await registry.settle(name, 'error', {
        problem: {
          code: 'interrupted',
          step: 'create',
          message: 'The engine ended in the middle of creating it.',
          hint: 'Recover it to go on from there, or delete it.',
        },
      });
      return;
    }
    const isChanged =
      state !== record.state || record.stateDetail !== undefined || info?.id !== record.runtimeId;
    if (isChanged) {
      const problem = state === 'error' ? record.problem : undefined;
      await registry.settle(name, state, { runtimeId: info?.id, problem });
    }
    if (!atStart && state === 'running' && record.state === 'stopped') {
      this.adoptStarted(name);
    }
  }

  private async seen(driver: Driver, event: DriverEvent): Promise<void> {
    const { registry, log } = this.parts;
    try {
      if (event.type === 'connection') {
        await this.all(driver, false);
        return;
      }
      if (event.type !== 'runtime' || event.workspace === undefined) {
        return;
      }
      const record = registry.find(event.workspace);
      if (record === undefined || runtimeNameOf(record.name) !== event.name) {
        return;
      }
      // While an operation of ours works on it, that one settles the state.
      if (this.parts.operations.idsOf(record.name).length === 0) {
        await this.one(record, await driver.inspect(event.name), false);
      }
    } catch (error) {
      log.warn({ err: error, event }, 'event not taken in');
    }
  }

  /** Started by another tool: it runs, but has no keys yet. */
  private adoptStarted(name: string): void {
    const { operations, starter, registry } = this.parts;
    operations.start(
      {
        kind: 'workspace.configure',
        title: `Set up workspace ${name}, which was started elsewhere`,
        workspace: name,
      },
      async (context) => {
        await starter.configure(name, starter.driverOf(registry.get(name)), [], context);
        await registry.settle(name, 'running');
        return undefined;
      },
    );
  }

  private finishDelete(name: string): void {
    const { operations, workspaces } = this.parts;
    operations.start(
      {
        kind: 'workspace.delete',
        title: `Finish deleting workspace ${name}`,
        workspace: name,
        cancellable: false,
      },
      (context) => workspaces.erase(name, false, context),
    );
  }
}

function settledState(record: WorkspaceRecord, info: RuntimeInfo | undefined): WorkspaceState {
  if (info !== undefined) {
    return record.state === 'error' && info.state === 'stopped' ? 'error' : info.state;
  }
  const stays: WorkspaceState[] = ['archived', 'archiving', 'restoring', 'error', 'recovering'];
  if (!stays.includes(record.state)) {
    return 'stopped';
  }
  return record.state === 'error' || record.state === 'recovering' ? 'error' : 'archived';
}
