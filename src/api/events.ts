/**
 * Server-sent events of `GET /v1/events`. Each carries an increasing id; a client that reconnects with
 * `Last-Event-ID` gets what it missed, or one `reset` when that is no longer known: then it reloads all.
 */
import type { FileChange } from './files/schemas';
import type { Operation } from './operations/schemas';
import type { DriverStatus } from './engine/schemas';
import type { Volume } from './volumes/schemas';
import type { Workspace } from './workspaces/schemas';

export interface EventPayloads {
  'workspace.changed': Workspace;
  'workspace.deleted': { name: string };
  'volume.changed': Volume;
  'volume.deleted': { name: string };
  'operation.changed': Operation;
  /** Sent for volumes that somebody watches, and always after changes made through the API. */
  'files.changed': { volume: string; changes: FileChange[] };
  'driver.changed': DriverStatus;
  reset: { reason: string };
}

export type EventType = keyof EventPayloads;

export type EngineEvent = {
  [T in EventType]: { id: number; type: T; payload: EventPayloads[T] };
}[EventType];
