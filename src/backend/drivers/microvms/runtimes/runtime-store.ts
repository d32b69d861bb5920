/** The records of all microVMs, read from disk whenever they are asked for: they outlive every engine. */
import { rm } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import type { Log } from '../../../machine/log';
import { makeFolder, namesIn, removeOurs, removeTree } from '../../../machine/files';
import { KeyedLock } from '../../../machine/keyed-lock';
import { readRecord, writeRecord } from '../../../store/records';
import { asideFolders } from './aside';
import { isRuntimeFile, type MicrovmFiles } from './runtime-files';
import { runtimeFormat, type RuntimeRecord } from './runtime-record';

export class RuntimeStore {
  private readonly lock = new KeyedLock();

  constructor(
    readonly files: MicrovmFiles,
    private readonly log: Log,
  ) {}

  async find(name: string): Promise<RuntimeRecord | undefined> {
    const { record } = this.files.of(name);
    const read = await readRecord(record, runtimeFormat);
    if (read.kind === 'set-aside') {
      this.log.warn({ name, reason: read.reason, movedTo: read.movedTo }, 'record of a microVM set aside');
    }
    return read.kind === 'ok' && read.value.plan.name === name ? read.value : undefined;
  }

  /** Throws `not_found`. */
  async get(name: string): Promise<RuntimeRecord> {
    const found = await this.find(name);
    if (found === undefined) {
      throw new BerthError('not_found', `There is no microVM ${name}.`);
    }
    return found;
  }

  /** Of all that have a folder, with a runtime or without. */
  async names(): Promise<string[]> {
    const folders = await namesIn(this.files.workspaces);
    return folders.map((folder) => `workspace-${folder}`);
  }

  async list(): Promise<RuntimeRecord[]> {
    const found = await Promise.all((await this.names()).map((name) => this.find(name)));
    return found.filter((record) => record !== undefined);
  }

  async write(record: RuntimeRecord): Promise<RuntimeRecord> {
    const { folder, record: path } = this.files.of(record.plan.name);
    await makeFolder(folder);
    await writeRecord(path, runtimeFormat, record);
    return record;
  }

  /** Reads, edits and writes with nobody in between; an edit that answers undefined writes nothing. */
  update(
    name: string,
    edit: (record: RuntimeRecord) => RuntimeRecord | undefined,
  ): Promise<RuntimeRecord | undefined> {
    return this.lock.run(name, async () => {
      const record = await this.find(name);
      const edited = record === undefined ? undefined : edit(record);
      return edited === undefined ? undefined : this.write(edited);
    });
  }

  /** Throws `not_found`. */
  async change(name: string, changes: Partial<RuntimeRecord>): Promise<RuntimeRecord> {
    return (await this.update(name, (record) => ({ ...record, ...changes }))) ?? this.get(name);
  }

  /**
   * Everything that a runtime made; the workspace's own record stays, and what the user keeps there. The record goes
   * first: what has none is no runtime.
   */
  async remove(name: string): Promise<void> {
    const { folder, record, sockets } = this.files.of(name);
    await rm(record, { force: true });
    // Long paths have theirs elsewhere.
    await Promise.all(Object.values<string>({ ...sockets }).map((file) => removeTree(file)));
    await removeOurs(folder, (file) => isRuntimeFile(file) || asideFolders.includes(file));
  }
}
