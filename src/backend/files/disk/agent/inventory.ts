/** What is in a tree of a disk, folder by folder: as images/tools/agent/inventory.py has it, which says what the rows are. */
import { createHash } from 'node:crypto';
import { isOwnName } from '../../../../api/rules/volume-path';
import { errorReply } from '../../../ext4/disk-error';
import type { Ext4 } from '../../../ext4/file-system';
import { fileType, type Inode } from '../../../ext4/structures/inode';
import { compareNames } from '../../name-order';
import type { Answer } from './content';
import type { Fields } from './entries';
import { isUnusedLostAndFound } from './lost-found';
import { isDevice, split, type Volume } from './places';
import { Trail } from './trees';
import type { Work } from './work';

/** Rows of one answer, and characters of their names. */
const pageRows = 4000;
const pageText = 1024 * 1024;
/** So long, in ms, files are looked at for one answer. */
const enoughMs = 5000;
const blockBytes = 128 * 1024;
const zeros = Buffer.alloc(blockBytes);
/** Labels of security modules, and what not everybody sees. */
const hidden = /^(?:security\.(?:selinux|ima|evm|apparmor|SMACK64)|trusted\.)/;

type Row = readonly unknown[];
type Line = readonly [parts: readonly string[], own: Row | null, rows: readonly Row[]];

interface Folder {
  parts: readonly string[];
  number: number;
}

/** Of one path. It holds nothing open. */
export class DiskInventory {
  readonly root: Row;
  /** The path without links. */
  readonly real: string;
  private readonly fs: Ext4;
  private readonly todo: (Folder | 'leave')[] = [];
  private readonly entered: number[] = [];
  private readonly trail = new Trail();
  private readonly failed: unknown[] = [];
  /** Characters of the answer that is made. */
  private text = 0;
  /** The rest of a folder that has more rows than one answer. */
  private readonly rest: Line[] = [];
  private readonly without: readonly string[];

  constructor(volume: Volume, { path, without }: Fields) {
    this.fs = volume.fs;
    const place = volume.existing(split(path));
    this.root = rowOf('', place.inode);
    this.real = place.path;
    if (place.isDirectory) {
      this.todo.push({ parts: [], number: place.inode.number });
    }
    this.without = Array.isArray(without) ? without.map(String) : [];
  }

  *next(): Work<Fields> {
    const lines: Line[] = [];
    let count = 0;
    this.text = 0;
    const isFull = (): boolean => count >= pageRows || this.text >= pageText;
    while (!isFull()) {
      yield;
      const line = this.rest.shift() ?? this.step();
      if (line === undefined) {
        break;
      }
      if (line !== 'nothing') {
        lines.push(line);
        count += line[2].length + 1;
        this.text += textIn(line);
      }
    }
    const isEnd = !isFull();
    return { lines, failed: this.failed.splice(0), ...(isEnd && { end: true }) };
  }

  private step(): Line | 'nothing' | undefined {
    const next = this.todo.pop();
    if (next === undefined) {
      return undefined;
    }
    if (next === 'leave') {
      this.trail.leave(this.entered.pop() ?? 0);
      return 'nothing';
    }
    try {
      return this.folder(next);
    } catch (error) {
      const path = `/${next.parts.join('/')}`;
      this.failed.push(errorReply(error, path));
      this.text += 200 + path.length;
      return 'nothing';
    }
  }

  private folder({ parts, number }: Folder): Line {
    const own = rowOf('', this.fs.view(number));
    this.trail.enter(number);
    this.entered.push(number);
    this.todo.push('leave');
    const rows: Row[] = [];
    const below: Folder[] = [];
    const found = this.fs.names(number);
    const names = [...found.keys()].filter((name) => !this.isLeftOut(number, parts, name)).sort(compareNames);
    for (const name of names) {
      const inode = this.fs.view(found.get(name)?.inode ?? 0);
      if (inode.isDirectory) {
        below.push({ parts: [...parts, name], number: inode.number });
      } else {
        rows.push(rowOf(name, inode));
      }
    }
    this.todo.push(...below.reverse());
    for (let at = pageRows; at < rows.length; at += pageRows) {
      this.rest.push([parts, null, rows.slice(at, at + pageRows)]);
    }
    return [parts, own, rows.slice(0, pageRows)];
  }

  private isLeftOut(folder: number, parts: readonly string[], name: string): boolean {
    const isTop = parts.length === 0 && this.without.includes(name);
    return isTop || isOwnName(name) || isUnusedLostAndFound(this.fs, folder, name);
  }
}

function textIn([parts, , rows]: Line): number {
  return [...parts, ...rows.map(([name]) => String(name))].reduce((sum, { length }) => sum + length, 0);
}

function rowOf(name: string, inode: Inode): Row {
  const { mode, uid, gid, number } = inode;
  const changed = BigInt(inode.time('ctime')) * 1000n + BigInt(inode.timeRest('ctime'));
  return [
    ...[name, mode, uid, gid],
    inode.isDirectory ? 0 : inode.size,
    isDevice(inode) ? numberOf(inode.device) : 0,
    inode.time('mtime'),
    inode.hasFineTimes ? `${number.toString(16)}.${changed.toString(16)}` : null,
    null,
  ];
}

/** As stat(2) answers it. */
function numberOf({ major, minor }: { major: number; minor: number }): number {
  return major * 256 + (minor & 0xff) + (minor >>> 8) * 2 ** 20;
}

/** What was asked for of each file, in order; as many as are done in time. */
export function* details(volume: Volume, { files }: Fields): Work<Answer> {
  const end = performance.now() + enoughMs;
  const rows: unknown[] = [];
  for (const wanted of Array.isArray(files) ? files : []) {
    yield;
    if (rows.length > 0 && performance.now() > end) {
      break;
    }
    const [path, isWanted] = rowIn(wanted);
    rows.push(yield* detailsOf(volume, path, isWanted === true));
  }
  return { rows };
}

function rowIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function* detailsOf(volume: Volume, path: unknown, isWanted: boolean): Work<unknown> {
  try {
    const { inode } = volume.existing(split(path), false);
    if (inode.type === fileType.symlink) {
      return [volume.fs.readLink(inode), '', null];
    }
    const isFile = inode.type === fileType.regular;
    if (!isFile && !inode.isDirectory) {
      return [null, '', null];
    }
    const attributes = digestOfAttributes(volume.fs.attributes.list(inode.number));
    return [null, attributes, isFile && isWanted ? yield* contentDigest(volume.fs, inode) : null];
  } catch (error) {
    const reply = errorReply(error, path);
    if (reply.code === 'cancelled') {
      throw error;
    }
    return ['path_not_found', 'not_a_directory'].includes(String(reply.code)) ? null : reply;
  }
}

/** As `ContentDigest` of images/tools/agent/manifest.py has it. */
function* contentDigest(fs: Ext4, inode: Inode): Work<string> {
  const hash = createHash('sha256');
  const { content, close } = fs.reader(inode);
  try {
    const number = Buffer.alloc(8);
    let last = -1;
    for (const [from, to] of content.parts()) {
      for (let block = Math.max(last + 1, Math.floor(from / blockBytes)); block * blockBytes < to; block++) {
        const bytes = content.read(block * blockBytes, blockBytes);
        last = block;
        if (!bytes.equals(zeros.subarray(0, bytes.length))) {
          number.writeBigUInt64BE(BigInt(block));
          hash.update(number).update(bytes);
        }
        yield;
      }
    }
    number.writeBigUInt64BE(BigInt(inode.size));
    return hash.update(number).digest('hex');
  } finally {
    close();
  }
}

/** Empty where there are none. */
function digestOfAttributes(all: ReadonlyMap<string, Buffer>): string {
  const found = [...all]
    .filter(([name]) => !hidden.test(name))
    .map(([name, value]) => ({ name: Buffer.from(name), value }))
    .sort((a, b) => Buffer.compare(a.name, b.name));
  if (found.length === 0) {
    return '';
  }
  const hash = createHash('sha256');
  for (const { name, value } of found) {
    hash.update(`${name.length} ${value.length} `).update(name).update(value);
  }
  return hash.digest('hex');
}
