/**
 * JSON records with a schema version, one file each. A record that can't be read is set aside and reported,
 * never fatal; an older one is migrated with a copy kept; a newer one is refused and left untouched.
 */
import { copyFile, rename } from 'node:fs/promises';
import { Value } from '@sinclair/typebox/value';
import type { Static, TObject } from '@sinclair/typebox';
import { isErrno, readIfPresent, replaceFile } from './files';

export interface RecordFormat<S extends TObject> {
  /** The current version: written to `schemaVersion` of each file. */
  version: number;
  schema: S;
  /** From version n to n + 1, at index n. */
  migrations: readonly ((old: Record<string, unknown>) => Record<string, unknown>)[];
}

export type ReadResult<T> =
  | { kind: 'ok'; value: T }
  | { kind: 'missing' }
  /** Moved to `movedTo`, or left where it is when a newer Berth wrote it. */
  | { kind: 'set-aside'; reason: string; movedTo: string | undefined };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export async function readRecord<S extends TObject>(
  path: string,
  format: RecordFormat<S>,
): Promise<ReadResult<Static<S>>> {
  const text = await readText(path);
  if (typeof text !== 'string') {
    return text;
  }
  const parsed = parseJson(text);
  if (!isObject(parsed) || !isVersion(parsed.schemaVersion)) {
    return setAside(path, 'It is not a record of Berth, or it is damaged.');
  }
  const { schemaVersion, ...rest } = parsed;
  const old: Record<string, unknown> = rest;
  if (schemaVersion > format.version) {
    const reason = `A newer Berth wrote it (version ${schemaVersion}, this one knows ${format.version}).`;
    return { kind: 'set-aside', reason, movedTo: undefined };
  }
  const value = migrate(old, schemaVersion, format);
  if (!Value.Check(format.schema, value)) {
    const first = Value.Errors(format.schema, value).First();
    return setAside(path, `Its field ${first?.path ?? '?'} is wrong: ${first?.message ?? 'unknown'}.`);
  }
  if (schemaVersion < format.version) {
    await copyFile(path, `${path}.v${schemaVersion}`);
    await writeRecord(path, format, value);
  }
  return { kind: 'ok', value };
}

export async function writeRecord<S extends TObject>(
  path: string,
  format: RecordFormat<S>,
  value: Static<S>,
): Promise<void> {
  await replaceFile(path, `${JSON.stringify({ schemaVersion: format.version, ...value }, undefined, 1)}\n`);
}

async function readText(path: string): Promise<string | ReadResult<never>> {
  try {
    return (await readIfPresent(path)) ?? { kind: 'missing' };
  } catch (error) {
    // ENOTDIR: a stray file where a folder with a record would be.
    return isErrno(error, 'ENOTDIR')
      ? { kind: 'missing' }
      : { kind: 'set-aside', reason: `It can't be read: ${String(error)}.`, movedTo: undefined };
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

async function setAside(path: string, reason: string): Promise<ReadResult<never>> {
  const movedTo = `${path}.damaged-${Date.now()}`;
  await rename(path, movedTo);
  return { kind: 'set-aside', reason, movedTo };
}
