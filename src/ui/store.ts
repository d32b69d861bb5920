/**
 * What the extension knows of the engine's world: fed by snapshots and events, read by the trees. Changes are
 * gathered for a moment and reported once, by key, so that a view refreshes single rows. Asks nothing by itself.
 */
import type {
  DriverStatus,
  EngineEvent,
  FileChange,
  Operation,
  Volume,
  Workspace,
  WorkspaceState,
} from '../api';
import { ownVolumesOf } from '../api/workspaces/own-volumes';
import { Signal, type Disposable } from './signal';

export interface Snapshot {
  workspaces: Workspace[];
  volumes: Volume[];
  operations: Operation[];
  drivers: DriverStatus[];
}

/** The names of what changed since the last telling. */
export interface StoreChange {
  /** Everything may be different: after a snapshot. */
  all: boolean;
  workspaces: ReadonlySet<string>;
  volumes: ReadonlySet<string>;
  operations: ReadonlySet<string>;
}

export interface FilesChange {
  volume: string;
  changes: FileChange[];
}

const gatherMs = 40;
/** Ended operations are forgotten when nobody can be waiting for them any more. */
const keepEnded = 50;

export class Store implements Disposable {
  private readonly workspacesByName = new Map<string, Workspace>();
  private readonly volumesByName = new Map<string, Volume>();
  private readonly operationsById = new Map<string, Operation>();
  private readonly driversByKind = new Map<string, DriverStatus>();
  /** States we asked for and the engine has not reported yet. */
  private readonly expected = new Map<string, WorkspaceState>();
  /** Workspaces whose files outside of volumes this window may change. */
  private readonly changeable = new Set<string>();
  /** Keys that events touched while a snapshot was on its way: the event is newer. */
  private touched: Set<string> | undefined;
  /** Counts events and snapshots: what came last about one thing, and about all. */
  private sequence = 0;
  private readonly reported = new Map<string, number>();
  private allReportedAt = 0;
  private pending = emptyChange();
  private timer: ReturnType<typeof setTimeout> | undefined;

  private readonly changed = new Signal<StoreChange>();
  private readonly filesChanged = new Signal<FilesChange>();
  private readonly operationChanged = new Signal<Operation>();
  private readonly resetAsked = new Signal<string>();
  readonly onDidChange = this.changed.on;
  readonly onDidChangeFiles = this.filesChanged.on;
  /** Every single change of an operation, not gathered: progress reports use it. */
  readonly onOperation = this.operationChanged.on;
  /** Events were missed: whoever owns the connection loads a snapshot. */
  readonly onReset = this.resetAsked.on;

  get workspaces(): Workspace[] {
    return [...this.workspacesByName.values()].map((workspace) => this.withExpected(workspace));
  }

  get volumes(): Volume[] {
    return [...this.volumesByName.values()];
  }

  get drivers(): DriverStatus[] {
    return [...this.driversByKind.values()];
  }

  get runningOperations(): Operation[] {
    return [...this.operationsById.values()].filter(({ status }) => status === 'running');
  }

  workspace(name: string): Workspace | undefined {
    const found = this.workspacesByName.get(name);
    return found && this.withExpected(found);
  }

  volume(name: string): Volume | undefined {
    return this.volumesByName.get(name);
  }

  /** Whether a workspace of this installation has that volume for its own. */
  owns(volume: string): boolean {
    return this.workspaces.some((workspace) => ownVolumesOf(workspace).includes(volume));
  }

  operation(id: string): Operation | undefined {
    return this.operationsById.get(id);
  }

  /** Shows a state before the engine says so, at once; `settle` takes it back if no event did. */
  expect(name: string, state: WorkspaceState): void {
    this.expected.set(name, state);
    this.pending.workspaces.add(name);
    this.flush();
  }

  settle(name: string): void {
    if (this.expected.delete(name)) {
      this.mark('workspaces', name);
    }
  }

  /** From now on this window may change files of a workspace that are in no volume, until it is reloaded. */
  allowRootChanges(name: string): void {
    this.changeable.add(name);
    this.pending.workspaces.add(name);
    this.flush();
  }

  allowsRootChanges(name: string): boolean {
    return this.changeable.has(name);
  }

  /** To be called before the lists of a snapshot are asked for. */
  beginSnapshot(): void {
    this.touched = new Set();
  }

  loadSnapshot(snapshot: Snapshot): void {
    this.allReportedAt = ++this.sequence;
    const touched = this.touched ?? new Set<string>();
    this.touched = undefined;
    replace(this.workspacesByName, snapshot.workspaces, nameOf, touched, 'workspaces');
    const volumes = snapshot.volumes.map((now) => {
      const before = this.volume(now.name);
      return isSame(before, now) ? keepUsage(before, now) : now;
    });
    replace(this.volumesByName, volumes, nameOf, touched, 'volumes');
    replace(this.operationsById, snapshot.operations, idOf, touched, 'operations');
    replace(this.driversByKind, snapshot.drivers, runtimeOf, touched, 'drivers');
    this.expected.clear();
    this.pending.all = true;
    this.flush();
  }

  /** Takes one thing that an answer brought, as if an event had brought it. */
  take(event: Omit<EngineEvent, 'id'>): void {
    this.apply({ ...event, id: 0 } as EngineEvent);
  }

  /**
   * To be called before a workspace is asked for, or changed: takes the answer, unless an event about it came meanwhile,
   * which is newer.
   */
  awaitWorkspace(name: string): (answer: Workspace) => void {
    const isOld = this.sinceNow(`workspaces/${name}`);
    return (payload) => {
      if (!isOld()) {
        this.take({ type: 'workspace.changed', payload });
      }
    };
  }

  /** The same for a volume. Its size, which events need not carry, is taken in any case while the volume is there. */
  awaitVolume(name: string): (answer: Volume) => void {
    const isOld = this.sinceNow(`volumes/${name}`);
    return (answer) => {
      const now = this.volume(name);
      if (!isOld()) {
        this.take({ type: 'volume.changed', payload: answer });
      } else if (now !== undefined && answer.usedBytes !== undefined) {
        this.take({ type: 'volume.changed', payload: withUsage(now, answer) });
      }
    };
  }

  /** Whether something was reported of it after this call. */
  private sinceNow(key: string): () => boolean {
    const at = this.sequence;
    return () => Math.max(this.allReportedAt, this.reported.get(key) ?? 0) > at;
  }

  apply(event: EngineEvent): void {
    switch (event.type) {
      case 'workspace.changed':
        this.expected.delete(event.payload.name);
        this.workspacesByName.set(event.payload.name, event.payload);
        this.mark('workspaces', event.payload.name);
        return;
      case 'workspace.deleted':
        this.expected.delete(event.payload.name);
        this.changeable.delete(event.payload.name);
        this.workspacesByName.delete(event.payload.name);
        this.mark('workspaces', event.payload.name);
        return;
      case 'volume.changed':
        this.volumesByName.set(event.payload.name, keepUsage(this.volume(event.payload.name), event.payload));
        this.mark('volumes', event.payload.name);
        return;
      case 'volume.deleted':
        this.volumesByName.delete(event.payload.name);
        this.mark('volumes', event.payload.name);
        return;
      case 'operation.changed':
        this.applyOperation(event.payload);
        return;
      case 'files.changed':
        this.filesChanged.fire(event.payload);
        return;
      case 'driver.changed':
        this.driversByKind.set(event.payload.runtime, event.payload);
        this.touched?.add(`drivers/${event.payload.runtime}`);
        this.pending.all = true;
        this.schedule();
        return;
      case 'reset':
        this.resetAsked.fire(event.payload.reason);
        return;
    }
  }

  /** Forgets everything: the engine has gone. */
  clear(): void {
    this.loadSnapshot({ workspaces: [], volumes: [], operations: [], drivers: [] });
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  /** An answer may be older than an event that came before it: what has ended never runs again. */
  private applyOperation(operation: Operation): void {
    const known = this.operationsById.get(operation.id);
    if (operation.status === 'running' && known !== undefined && known.status !== 'running') {
      return;
    }
    this.operationsById.set(operation.id, operation);
    if (operation.status !== 'running') {
      this.forgetEnded();
    }
    if (operation.workspace !== undefined) {
      this.pending.workspaces.add(operation.workspace);
    }
    this.mark('operations', operation.id);
    this.operationChanged.fire(operation);
  }

  private forgetEnded(): void {
    const ended = [...this.operationsById.values()].filter(({ status }) => status !== 'running');
    for (const operation of ended.slice(0, Math.max(0, ended.length - keepEnded))) {
      this.operationsById.delete(operation.id);
    }
  }

  private withExpected(workspace: Workspace): Workspace {
    const state = this.expected.get(workspace.name);
    return state === undefined ? workspace : { ...workspace, state };
  }

  private mark(kind: 'workspaces' | 'volumes' | 'operations', key: string): void {
    this.touched?.add(`${kind}/${key}`);
    this.reported.set(`${kind}/${key}`, ++this.sequence);
    this.pending[kind].add(key);
    this.schedule();
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const change = this.pending;
    this.pending = emptyChange();
    this.changed.fire(change);
  }
}

function emptyChange() {
  return {
    all: false,
    workspaces: new Set<string>(),
    volumes: new Set<string>(),
    operations: new Set<string>(),
  };
}

/** An event need not carry the measured size: the last known one stays. */
function keepUsage(before: Volume | undefined, now: Volume): Volume {
  if (now.usedBytes !== undefined || before?.usedBytes === undefined) {
    return now;
  }
  return withUsage(now, before);
}

/** Not another one of its name, that was made later. */
function isSame(before: Volume | undefined, now: Volume): boolean {
  return before?.kind === now.kind && before.id === now.id && before.createdAt === now.createdAt;
}

function withUsage({ usedIsAtLeast, usedAt, ...volume }: Volume, from: Volume): Volume {
  return {
    ...volume,
    ...(from.usedBytes !== undefined && { usedBytes: from.usedBytes }),
    ...(from.usedIsAtLeast === true && { usedIsAtLeast: true }),
    ...(from.usedAt !== undefined && { usedAt: from.usedAt }),
  };
}

const nameOf = (thing: { name: string }): string => thing.name;
const idOf = (thing: { id: string }): string => thing.id;
const runtimeOf = (thing: { runtime: string }): string => thing.runtime;

function replace<T>(
  into: Map<string, T>,
  things: readonly T[],
  keyOf: (thing: T) => string,
  touched: ReadonlySet<string>,
  kind: string,
): void {
  const isTouched = (key: string): boolean => touched.has(`${kind}/${key}`);
  for (const key of [...into.keys()].filter((each) => !isTouched(each))) {
    into.delete(key);
  }
  for (const thing of things.filter((each) => !isTouched(keyOf(each)))) {
    into.set(keyOf(thing), thing);
  }
}
