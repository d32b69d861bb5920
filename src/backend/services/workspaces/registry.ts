/** All workspace records in memory and on disk; every change is published. The only writer of both. */
import { readdir } from 'node:fs/promises';
import { BerthError } from '../../../api/errors';
import type { Problem, Workspace, WorkspaceState } from '../../../api/workspaces/schemas';
import { makeFolder, removeOurs } from '../../machine/files';
import { KeyedLock } from '../../machine/keyed-lock';
import { isRecordFile, readRecord, writeRecord, type ReadResult } from '../../store/records';
import type { StateDirectory } from '../../store/state-directory';
import type { PortLedger } from '../../ssh/ports';
import type { SshConfig } from '../../ssh/config';
import type { EventHub } from '../operations/event-hub';
import { isHalted, refuseWhileHalted } from './halted';
import { mayBegin, refuseProtected, transitions, type Verb } from '../../../api/rules/lifecycle';
import type { Log } from '../../machine/log';
import { portsOf } from './start/published-ports';
import {
  isElsewhere,
  toWorkspace,
  workspaceFormat,
  type WorkspaceActivity,
  type WorkspaceRecord,
} from './record';

export interface RegistryDeps {
  state: StateDirectory;
  ports: PortLedger;
  sshConfig: SshConfig;
  events: EventHub;
  log: Log;
  activityOf: (workspace: string) => WorkspaceActivity;
}

export class WorkspaceRegistry {
  private readonly records = new Map<string, WorkspaceRecord>();
  /** Names whose record is there but can't be used: not given to others. */
  private readonly unusable = new Map<string, { reason: string; isThere: boolean }>();
  /** Names that are removed just now: theirs until all of it is gone and reported. */
  private readonly leaving = new Set<string>();
  private readonly writes = new KeyedLock();
  /** Those that an operation of several steps has to itself, and what it does. */
  private readonly held = new Map<string, string>();
  private readonly attachedNow = new Map<string, number>();
  readonly setAside: string[] = [];

  constructor(private readonly deps: RegistryDeps) {}

  async load(): Promise<void> {
    const { state, ports } = this.deps;
    for (const name of await readdir(state.workspaces)) {
      const path = state.workspaceRecord(name);
      const read = checkName(name, await readRecord(path, workspaceFormat));
      if (read.kind === 'ok') {
        this.records.set(name, read.value);
        const { sshPort, spec } = read.value;
        [sshPort, ...portsOf(spec.ports).map(({ host }) => host)].forEach((port) =>
          ports.reserve(port, name),
        );
      } else if (read.kind === 'set-aside') {
        this.unusable.set(name, { reason: read.reason, isThere: read.movedTo === undefined });
        this.setAside.push(
          `${path}: ${read.reason}${read.movedTo === undefined ? '' : ` Kept as ${read.movedTo}.`}`,
        );
        this.deps.log.error({ path, reason: read.reason }, 'record set aside');
      }
    }
    await this.followSsh();
  }

  all(): WorkspaceRecord[] {
    return [...this.records.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  find(name: string): WorkspaceRecord | undefined {
    return this.records.get(name);
  }

  /** The record. Throws `not_found`. */
  get(name: string): WorkspaceRecord {
    const record = this.records.get(name);
    if (record === undefined) {
      const reason = this.unusable.get(name)?.reason;
      throw new BerthError(
        'not_found',
        `There is no workspace ${name}.${reason === undefined ? '' : ` ${reason}`}`,
        {
          hint:
            reason === undefined
              ? '`berth list` shows the ones there are.'
              : 'Its volumes are untouched: adopt them.',
        },
      );
    }
    return record;
  }

  show(record: WorkspaceRecord): Workspace {
    return toWorkspace(record, this.deps.activityOf(record.name), this.attachedNow.get(record.name));
  }

  /** Takes a new name; throws `exists`. Nothing is awaited before it is taken. */
  async add(record: WorkspaceRecord): Promise<void> {
    this.refuseTaken(record.name);
    this.records.set(record.name, record);
    try {
      await makeFolder(this.deps.state.workspace(record.name));
      await this.store(record);
    } catch (error) {
      await this.remove(record.name).catch(() => this.records.delete(record.name));
      throw error;
    }
  }

  /** Throws `exists` for the name of a workspace, also one that is just going, or of a record that must not be overwritten. */
  refuseTaken(name: string): void {
    if (this.leaving.has(name)) {
      throw new BerthError('exists', `Workspace '${name}' is being deleted.`, {
        field: 'name',
        hint: 'Try again in a moment, or choose another name.',
      });
    }
    const unusable = this.unusable.get(name);
    if (this.records.has(name) || unusable?.isThere === true) {
      const reason = unusable === undefined ? '' : `: ${unusable.reason}`;
      throw new BerthError('exists', `Workspace '${name}' already exists${reason}`, {
        field: 'name',
        hint: 'Choose another name.',
      });
    }
  }

  /** Changes fields; a field given as undefined goes. Published at once, resolved when it is on disk. */
  async update(name: string, patch: Partial<WorkspaceRecord>): Promise<WorkspaceRecord> {
    const next = { ...this.get(name), ...patch };
    this.records.set(name, next);
    await this.store(next);
    return next;
  }

  /** The same for what a user asks for: what can't be kept on disk doesn't count in memory either. */
  async change(name: string, patch: Partial<WorkspaceRecord>): Promise<WorkspaceRecord> {
    const before = this.get(name);
    try {
      return await this.update(name, patch);
    } catch (error) {
      const now = this.records.get(name);
      if (now !== undefined) {
        const old = Object.keys(patch).map((key) => [key, before[key as keyof WorkspaceRecord]]);
        this.records.set(name, withoutUndefined({ ...now, ...(Object.fromEntries(old) as typeof patch) }));
        this.publish(name);
      }
      throw error;
    }
  }

  /** Compare-and-swap into the verb's in-between state. false: it is there already, nothing to do. */
  begin(verb: Verb, name: string): boolean {
    const record = this.get(name);
    this.refuseHeld(name);
    refuseProtected(verb, record);
    if (isHalted(record)) {
      refuseWhileHalted(verb, record);
    } else if (!mayBegin(verb, record.state, name)) {
      return false;
    }
    // What a delete that failed has put into the trash is no longer all there is of it.
    const toTrash = verb === 'delete' ? record.toTrash : undefined;
    const next = { ...record, state: transitions[verb].via, stateDetail: undefined, toTrash };
    this.records.set(name, withoutUndefined(next));
    this.publish(name);
    return true;
  }

  /** No verb begins on it, but those that its holder lets `pass`, until the answer is called. Throws `illegal_state`. */
  hold(name: string, what: string): () => void {
    this.refuseHeld(name);
    this.held.set(name, what);
    return () => this.held.delete(name);
  }

  /** For the verbs of who holds it: begins one. */
  async pass<T>(name: string, begin: () => T | Promise<T>): Promise<T> {
    const what = this.held.get(name);
    this.held.delete(name);
    try {
      return await begin();
    } finally {
      if (what !== undefined) {
        this.held.set(name, what);
      }
    }
  }

  private refuseHeld(name: string): void {
    const what = this.held.get(name);
    if (what !== undefined) {
      throw new BerthError('illegal_state', `${what} now: nothing else can be done with ${name}.`, {
        hint: 'Wait until that is done.',
      });
    }
  }

  /** Ends a transition. Problems and details of before go, unless given anew. */
  settle(
    name: string,
    state: WorkspaceState,
    patch: Partial<WorkspaceRecord> = {},
  ): Promise<WorkspaceRecord> {
    return this.update(name, { stateDetail: undefined, problem: undefined, ...patch, state });
  }

  async warn(name: string, problem: Problem): Promise<void> {
    const record = this.get(name);
    const others = record.warnings.filter((warning) => warning.code !== problem.code);
    await this.update(name, { warnings: [...others, problem] });
  }

  /** The name is free when its record is gone and clients know: what comes after it is not taken for it. */
  async remove(name: string): Promise<void> {
    const record = this.records.get(name);
    this.records.delete(name);
    this.leaving.add(name);
    try {
      await this.writes.run(name, () =>
        removeOurs(this.deps.state.workspace(name), (file) => isRecordFile('workspace.json', file)),
      );
    } catch (error) {
      this.leaving.delete(name);
      // It is still on disk: shown, so that it can be deleted once more.
      if (record !== undefined) {
        this.records.set(name, record);
      }
      throw error;
    }
    try {
      await this.followSsh();
    } finally {
      this.attachedNow.delete(name);
      this.deps.ports.release(name);
      this.leaving.delete(name);
      this.deps.events.publish('workspace.deleted', { name });
    }
  }

  setAttached(name: string, count: number): void {
    if (this.attachedNow.get(name) !== count) {
      this.attachedNow.set(name, count);
      this.publish(name);
    }
  }

  publish(name: string): void {
    const record = this.records.get(name);
    if (record !== undefined) {
      this.deps.events.publish('workspace.changed', this.show(record));
    }
  }

  /** Before a workspace is made to stand still: from then on nobody may wait for what does not answer. */
  async followSsh(): Promise<void> {
    await this.writeSshConfig().catch((error: unknown) => this.reportStale(error));
  }

  private async store(record: WorkspaceRecord): Promise<void> {
    const clean = withoutUndefined(record);
    this.records.set(record.name, clean);
    this.publish(record.name);
    await this.writes.run(record.name, async () => {
      const latest = this.records.get(record.name);
      if (latest !== undefined) {
        await writeRecord(this.deps.state.workspaceRecord(record.name), workspaceFormat, latest);
      }
    });
    await this.writeSshConfig();
  }

  /** Of a full disk: what ssh reads is as it was, and written anew with the next change that finds room. */
  private reportStale(error: unknown): void {
    if (!(error instanceof BerthError && error.code === 'no_space')) {
      throw error;
    }
    this.deps.log.warn({ err: error }, 'ssh configuration not written');
  }

  private async writeSshConfig(): Promise<void> {
    const hosts = this.all()
      .filter((record) => record.state !== 'deleting')
      .map((record) => ({
        ...{ workspace: record.name, port: record.sshPort, hostKey: record.hostKey },
        // What the engine carries is not there without one, which the proxy starts.
        ...((record.state !== 'running' || isElsewhere(record)) && { waiting: record.state }),
      }));
    await this.deps.sshConfig.update(hosts);
  }
}

/** A folder that was copied by hand holds the record of another workspace. */
function checkName(name: string, read: ReadResult<WorkspaceRecord>): ReadResult<WorkspaceRecord> {
  return read.kind !== 'ok' || read.value.name === name
    ? read
    : { kind: 'set-aside', reason: `It is that of workspace ${read.value.name}.`, movedTo: undefined };
}

function withoutUndefined(
  record: WorkspaceRecord | { [K in keyof WorkspaceRecord]: WorkspaceRecord[K] | undefined },
): WorkspaceRecord {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== undefined),
  ) as WorkspaceRecord;
}
