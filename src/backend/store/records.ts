/**
 * JSON records with a schema version, one file each. A record that is damaged is set aside and reported, never fatal;
 * an older one is migrated with a copy kept; one that is newer or can't be read is refused, and never written over.
 */
import { rename } from 'node:fs/promises';
import { Value } from '@sinclair/typebox/value';
import type { Static, TObject } from '@sinclair/typebox';
import { BerthError, asBerthError } from '../../api/errors';
import { isDraft } from '../machine/drafts';
import { isErrno, readIfPresent } from '../machine/files';
import { copyWhole, replaceFile } from '../machine/whole-file';

export interface RecordFormat<S extends TObject> {
  /** The current version: written to `schemaVersion` of each file. */
  version: number;
  schema: S;
  /** From version n to n + 1, at index n. */
  migrations: readonly ((old: Record<string, unknown>) => Record<string, unknown>)[];
  /** Files without a version are of version 0: they were written before this record had one. */
  beganUnversioned?: boolean;
  /** No copy of an older one is kept, as it holds what may be asked to be removed. */
  keepsNoCopy?: boolean;
}

export type ReadResult<T> =
  | { kind: 'ok'; value: T }
  | { kind: 'missing' }
  /** Moved to `movedTo`, or left where it is when a newer Berth wrote it. */
  | ({ kind: 'set-aside'; movedTo: string | undefined } & Refusal);

export interface Refusal {
  reason: string;
  /** What to do, where the record is still there. */
  hint?: string;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads a record, migrated where it is older: then a copy is kept. A damaged one is set aside; both are
 * said in the answer.
 */
export async function readRecord<S extends TObject>(
  path: string,
  format: RecordFormat<S>,
): Promise<ReadResult<Static<S>>> {
  const text = await readText(path);
  if (typeof text !== 'string') {
    return text;
  }
  const parsed = parseJson(text);
  const found = versionOf(parsed, format);
  if (!isObject(parsed) || found === undefined) {
    return setAside(path, 'It is not a record of Berth, or it is damaged.');
  }
  const { schemaVersion: _version, ...old } = parsed;
  if (found > format.version) {
    return { kind: 'set-aside', ...newer(found, format), movedTo: undefined };
  }
  const value = migrate(old, found, format);
  if (!Value.Check(format.schema, value)) {
    const first = Value.Errors(format.schema, value).First();
    return setAside(path, `Its field ${first?.path ?? '?'} is wrong: ${first?.message ?? 'unknown'}.`);
  }
  if (found < format.version) {
    await writeMigrated(path, format, found, value);
  }
  return { kind: 'ok', value };
}

/**
 * The value of a record; undefined for one that is missing, or damaged and set aside. Throws `forbidden` for one that is
 * not to be written over.
 */
export async function readValue<S extends TObject>(
  path: string,
  format: RecordFormat<S>,
): Promise<Static<S> | undefined> {
  const read = await readRecord(path, format);
  if (read.kind === 'set-aside' && read.movedTo === undefined) {
    throw untouched(path, read);
  }
  return read.kind === 'ok' ? read.value : undefined;
}

/** Replaces a record. Throws for one that a newer version has written, and `no_space`. */
export async function writeRecord<S extends TObject>(
  path: string,
  format: RecordFormat<S>,
  value: Static<S>,
): Promise<void> {
  await refuseNewer(path, format);
  await replaceFile(path, `${JSON.stringify({ schemaVersion: format.version, ...value }, undefined, 1)}\n`);
}

/** A record that is there and is not to be written over. */
export function untouched(path: string, { reason, hint }: Refusal, cause?: unknown): BerthError {
  return new BerthError('forbidden', `${path} is left untouched: ${reason}`, {
    ...(hint !== undefined && { hint }),
    cause,
  });
}

/** Whoever wrote there meanwhile, and whatever this engine could read of it when it started. */
async function refuseNewer<S extends TObject>(path: string, format: RecordFormat<S>): Promise<void> {
  const text = await readIfPresent(path).catch((error: unknown) => {
    throw untouched(path, unreadable(error), error);
  });
  const found = text === undefined ? undefined : versionOf(parseJson(text), format);
  if (found !== undefined && found > format.version) {
    throw untouched(path, newer(found, format));
  }
}

function newer<S extends TObject>(found: number, format: RecordFormat<S>): Refusal {
  return {
    reason: `A newer Berth wrote it (version ${found}, this one knows ${format.version}).`,
    hint: 'Update Berth, or move the file away.',
  };
}

function unreadable(error: unknown): Refusal {
  if (isErrno(error, 'EISDIR')) {
    return { reason: "It can't be read: it is a folder, not a file.", hint: 'Move the folder away.' };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { reason: `It can't be read: ${reason}.`, hint: 'Make it readable, or move it away.' };
}

function versionOf<S extends TObject>(parsed: unknown, format: RecordFormat<S>): number | undefined {
  if (!isObject(parsed)) {
    return undefined;
  }
  const { schemaVersion } = parsed;
  if (schemaVersion === undefined) {
    return format.beganUnversioned === true ? 0 : undefined;
  }
  return isVersion(schemaVersion) ? schemaVersion : undefined;
}

/** On a full disk the old one stays, and is migrated each time that it is read. */
async function writeMigrated<S extends TObject>(
  path: string,
  format: RecordFormat<S>,
  from: number,
  value: Static<S>,
): Promise<void> {
  try {
    if (format.keepsNoCopy !== true) {
      await copyWhole(path, `${path}.v${from}`);
    }
    await writeRecord(path, format, value);
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT') && asBerthError(error).code !== 'no_space') {
      throw error;
    }
  }
}

async function readText(path: string): Promise<string | ReadResult<never>> {
  try {
    return (await readIfPresent(path)) ?? { kind: 'missing' };
  } catch (error) {
    // ENOTDIR: a stray file where a folder with a record would be.
    return isErrno(error, 'ENOTDIR')
      ? { kind: 'missing' }
      : { kind: 'set-aside', ...unreadable(error), movedTo: undefined };
  }
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function migrate<S extends TObject>(
  old: Record<string, unknown>,
  from: number,
  format: RecordFormat<S>,
): unknown {
  let value = old;
  try {
    for (let version = from; version < format.version; version += 1) {
      value = format.migrations[version]?.(value) ?? value;
    }
  } catch {
    return undefined;
  }
  return value;
}

/** A record, what was set aside of it, copies of older versions, and drafts of it. */
export function isRecordFile(record: string, name: string): boolean {
  const rest = name.startsWith(record) ? name.slice(record.length) : undefined;
  return isDraft(name) || rest === '' || (rest !== undefined && /^\.(?:damaged-|v)\d+$/.test(rest));
}

/** When a record was set aside as `name`, in ms since the epoch; undefined for another file. */
export function damagedAt(record: string, name: string): number | undefined {
  const at = name.startsWith(`${record}.damaged-`) ? name.slice(`${record}.damaged-`.length) : '';
  return /^\d+$/.test(at) ? Number(at) : undefined;
}

async function setAside(path: string, reason: string): Promise<ReadResult<never>> {
  const movedTo = `${path}.damaged-${Date.now()}`;
  await rename(path, movedTo);
  return { kind: 'set-aside', reason, movedTo };
}
