/**
 * A runtime's root disk: a qcow2 overlay over its base. Its header is read by ourselves: what it lies over must be known
 * before any program opens both (docs/interop/qcow2.txt of QEMU).
 */
import { open, rm, type FileHandle } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { runWell } from '../../../machine/run';

const toolTimeoutMs = 30_000;
const magic = 0x514649fb;
const headerBytes = 72;
const maxNameBytes = 1023;
/** Bits 9 to 55 of an entry are an offset in the file. */
const offsetMask = 0x00fffffffffffe00n;
const compressed = 1n << 62n;

export interface OverlayHeader {
  /** Absolute; undefined: it lies over nothing. */
  backing: string | undefined;
  clusterBytes: number;
  tableOffset: number;
}

/** Throws `illegal_state` for a file that is no qcow2. */
export async function readOverlay(path: string): Promise<OverlayHeader> {
  return withFile(path, (file) => readHeader(file, path));
}

/**
 * What the overlay itself holds of the first cluster of the disk, from `offset`; undefined when that is the base's.
 * `offset + length` lies within a cluster.
 */
export async function readOwnStart(
  path: string,
  offset: number,
  length: number,
): Promise<Buffer | undefined> {
  return withFile(path, async (file) => {
    const { tableOffset } = await readHeader(file, path);
    const table = await entryAt(file, tableOffset);
    const cluster = table === undefined ? undefined : await entryAt(file, table);
    return cluster === undefined ? undefined : readAt(file, cluster + offset, length);
  });
}

/** Lays a new, empty overlay over a base. The base is named relative to it, so that a state directory can be moved. */
export async function makeOverlay(qemuImg: string, base: string, overlay: string): Promise<void> {
  await rm(overlay, { force: true });
  const backing = relative(dirname(overlay), base);
  const argv = ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', backing, overlay];
  await runWell(qemuImg, argv, { what: 'make the root file system', timeoutMs: toolTimeoutMs });
}

/** Names another file with the same content as the base. */
export async function nameBase(qemuImg: string, base: string, overlay: string): Promise<void> {
  const backing = relative(dirname(overlay), base);
  const argv = ['rebase', '-q', '-u', '-f', 'qcow2', '-F', 'raw', '-b', backing, overlay];
  await runWell(qemuImg, argv, { what: `note the base of ${overlay}`, timeoutMs: toolTimeoutMs });
}

async function readHeader(file: FileHandle, path: string): Promise<OverlayHeader> {
  const header = await readAt(file, 0, headerBytes);
  const clusterBits = header.length < headerBytes ? 0 : header.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21 || header.readUInt32BE(0) !== magic) {
    throw new BerthError('illegal_state', `${path} is damaged: it is no disk of the format qcow2.`);
  }
  const nameOffset = Number(header.readBigUInt64BE(8));
  const name = await readAt(file, nameOffset, Math.min(header.readUInt32BE(16), maxNameBytes));
  return {
    backing: nameOffset === 0 ? undefined : resolve(dirname(path), name.toString('utf8')),
    clusterBytes: 2 ** clusterBits,
    tableOffset: Number(header.readBigUInt64BE(40)),
  };
}

/** The first entry of a table; undefined where nothing is allocated that can be read as it is. */
async function entryAt(file: FileHandle, offset: number): Promise<number | undefined> {
  const raw = await readAt(file, offset, 8);
  const entry = raw.length < 8 ? 0n : raw.readBigUInt64BE(0);
  const target = entry & offsetMask;
  return target === 0n || (entry & compressed) !== 0n ? undefined : Number(target);
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
