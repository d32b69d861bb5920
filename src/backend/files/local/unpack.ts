/**
 * Unpacks a tar from a volume into a new folder of this machine. Nothing in a tar is trusted: no name leads out of
 * the folder, links are made last so that nothing is written through one, and rights to become somebody else are dropped.
 */
import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, lutimes, mkdir, symlink, utimes } from 'node:fs/promises';
import { BerthError } from '../../../api/errors';
import { applyLocal } from './facts';
import { LargeFile } from './file';
import { SmallWriter } from './small/writer';
import { below, safeParts, staysInside, unusableName } from '../../tar/entry-names';
import { keptBits, reasonOf } from './tree';
import { hasSetId, isHarmless, notCopied, setIdReason } from '../../tar/losses';
import { fileTime } from '../../machine/files';
import { localPath, whatIsTooLong } from '../../machine/file-names';
import type { TakeChunk } from '../../tar/flow';
import type { TarEntry } from '../../tar/header';
import { TarReader } from '../../tar/read';
import type { ContentSink, TarVisitor } from '../../tar/visitor';

/** As Linux has it: no path of a volume is longer, and each level of a name is work. */
const maxName = 4096;
/** Of all files: they are in memory until the end. */
const maxAttributeBytes = 64 * 1024 * 1024;

export interface UnpackReport {
  received(bytes: number, name: string): void;
  /** Not made: it can't be, or must not be. */
  failed(name: string, reason: string): void;
  /** It is there, but without some of its attributes. */
  lost(name: string, attributes: readonly string[]): void;
}

/** `lost`: what a file is not given. */
interface Facts {
  parts: string[];
  xattrs: Map<string, Buffer>;
  mtimeNs: bigint | undefined;
  lost: string[];
}

interface Later {
  parts: string[];
  entry: Pick<TarEntry, 'linkName' | 'mode' | 'mtimeMs'>;
}

/** Without what of an entry may be large: it is kept until the end. */
function later(parts: string[], { linkName, mode, mtimeMs }: TarEntry): Later {
  return { parts, entry: { linkName, mode, mtimeMs } };
}

class Unpack implements TarVisitor {
  files = 0;
  private readonly folders = new Set<string>(['']);
  /** Links that were made, with what they say. */
  private readonly madeLinks = new Map<string, string>();
  /** What this unpack made, by path: nothing else is given modes, times or attributes. */
  private readonly made = new Set<string>();
  private readonly links: Later[] = [];
  private readonly hardLinks: Later[] = [];
  private readonly finished: Later[] = [];
  private readonly facts: Facts[] = [];
  private attributeBytes = 0;
  private readonly running = new Set<Promise<unknown>>();
  private readonly small = new SmallWriter();
  private largeFile: LargeFile | undefined;
  /** What makes going on useless, e.g. a full disk. */
  private fatal: BerthError | undefined;

  constructor(
    private readonly folder: string,
    private readonly rename: (parts: string[]) => string[],
    private readonly report: UnpackReport,
    private readonly signal: AbortSignal,
  ) {}

  entry(entry: TarEntry, content: Buffer): Promise<void> | undefined {
    const parts = this.accept(entry);
    if (parts === undefined) {
      return undefined;
    }
    if (entry.type === 'symlink' || entry.type === 'link') {
      (entry.type === 'link' ? this.hardLinks : this.links).push(later(parts, entry));
      return undefined;
    }
    if (entry.type === 'directory') {
      this.finished.push(later(parts, entry));
      return this.makeFolder(parts);
    }
    const folder = parts.slice(0, -1);
    const start = (): Promise<void> | undefined => this.start(parts, entry, content);
    return this.folders.has(folder.join('/')) ? start() : this.makeFolder(folder).then(start);
  }

  large(entry: TarEntry): ContentSink | undefined {
    const parts = this.accept(entry);
    if (parts === undefined) {
      return undefined;
    }
    const name = parts.join('/');
    const ready = this.makeFolder(parts.slice(0, -1)).then(() => this.requireParent(parts));
    // Also handed on to the file, which may look at it later.
    ready.catch(() => undefined);
    this.largeFile = new LargeFile(below(this.folder, parts), entry, ready, {
      received: (bytes) => {
        this.check();
        this.report.received(bytes, name);
      },
      done: (error) => {
        this.files += error === undefined ? 1 : 0;
        if (error === undefined) this.made.add(name);
        this.note(parts, error);
      },
    });
    return this.largeFile;
  }

  /** Waits for what is under way, then makes links, then gives folders their modes and times. */
  async finish(): Promise<void> {
    await Promise.all(this.running);
    this.small.close();
    this.check();
    const linkNames = new Set(this.links.map(({ parts }) => parts.join('/')));
    const isOfLink = ({ entry }: Later): boolean => linkNames.has(this.linkedTo(entry)?.join('/') ?? '');
    for (const later of this.hardLinks.filter((each) => !isOfLink(each))) {
      await this.attempt(later.parts, () => this.makeHardLink(later));
    }
    for (const later of this.links) {
      await this.attempt(later.parts, () => this.makeLink(later));
    }
    for (const later of this.hardLinks.filter(isOfLink)) {
      await this.attempt(later.parts, () => this.makeSecondLink(later));
    }
    const folders = this.finished.filter(({ parts }) => this.folders.has(parts.join('/')));
    const seal = async (
      change: (path: string | Buffer, entry: Later['entry']) => Promise<void>,
    ): Promise<void> => {
      for (const { parts, entry } of folders) {
        await this.attempt(parts, () => change(localPath(below(this.folder, parts)), entry));
      }
    };
    await seal((path, { mtimeMs }) => utimes(path, fileTime(mtimeMs), fileTime(mtimeMs)));
    this.check();
    await this.finishFacts();
    // Deepest first, as a folder may let nobody in afterwards.
    folders.sort((one, other) => other.parts.length - one.parts.length);
    await seal((path, { mode }) => chmod(path, mode & keptBits));
    this.check();
  }

  /** Attributes and the last digits of times. */
  private async finishFacts(): Promise<void> {
    const items = this.facts
      .filter(({ parts }) => this.isMade(parts))
      .map((facts) => ({ ...facts, path: below(this.folder, facts.parts) }));
    for (const { item, name } of await applyLocal(items, this.signal)) {
      item.lost.push(name);
    }
    for (const { parts, lost } of items.filter((item) => item.lost.length > 0)) {
      this.report.lost(parts.join('/'), lost);
    }
  }

  /** What is done to a file later, and what is never: rights of its own, and more attributes than fit. */
  private noteFacts(parts: string[], entry: TarEntry): void {
    const xattrs = new Map([...(entry.xattrs ?? [])].filter(([name]) => isHarmless(name)));
    const lost = [...(entry.xattrs?.keys() ?? [])].filter((name) => !isHarmless(name));
    lost.push(...(entry.refused ?? []), ...(hasSetId(entry) ? [setIdReason] : []));
    for (const [name, { length }] of xattrs) {
      this.attributeBytes += name.length + length;
    }
    if (this.attributeBytes > maxAttributeBytes) {
      lost.push(...xattrs.keys());
      xattrs.clear();
    }
    // Seconds with a fraction, which is all that Node takes, are a microsecond off at times.
    const isWhole = entry.mtimeNs === undefined || entry.mtimeNs % 1_000_000_000n === 0n;
    if (!isWhole || xattrs.size > 0 || lost.length > 0) {
      this.facts.push({ parts, mtimeNs: entry.mtimeNs, xattrs, lost });
    }
  }

  /** Closes what is open, after a tar that broke off. */
  async abandon(): Promise<void> {
    await Promise.all(this.running);
    await this.largeFile?.close();
    this.small.close();
  }

  private check(): void {
    this.signal.throwIfAborted();
    if (this.fatal !== undefined) {
      throw this.fatal;
    }
  }

  private accept(entry: TarEntry): string[] | undefined {
    this.check();
    if (entry.name.length > maxName || entry.linkName.length > maxName) {
      const reason =
        entry.name.length > maxName ? whatIsTooLong(entry.name) : 'what it links to has too long a name';
      this.report.failed(`${entry.name.slice(0, 200)}…`, reason);
      return undefined;
    }
    const safe = safeParts(entry.name);
    const parts = safe && this.rename(safe);
    if (parts === undefined || (parts.length === 0 && entry.type !== 'directory')) {
      this.report.failed(entry.name, 'its name leads out of the folder');
      return undefined;
    }
    if (entry.type !== 'link') {
      this.noteFacts(parts, entry);
    }
    const unusable = entry.type === 'other' ? notCopied : unusableName(parts);
    if (unusable !== undefined) {
      this.report.failed(parts.join('/'), unusable);
      return undefined;
    }
    return parts;
  }

  /** From the last one that is there: a folder that can't be made has none below it, or that would be made elsewhere. */
  private async makeFolder(parts: readonly string[]): Promise<void> {
    let depth = parts.length;
    while (!this.folders.has(parts.slice(0, depth).join('/'))) {
      depth--;
    }
    for (let isThere = true; isThere && depth < parts.length;) {
      const folder = parts.slice(0, ++depth);
      isThere = await this.attempt(folder, async () => {
        await mkdir(localPath(below(this.folder, folder)), { mode: 0o700 });
        this.folders.add(folder.join('/'));
      });
    }
  }

  /** A guest may have a link where a folder should be: what is below one is not ours, and may be anywhere. */
  private requireParent(parts: readonly string[]): void {
    if (!this.folders.has(parts.slice(0, -1).join('/'))) {
      throw new Error('it lies below something that is no folder of this transfer');
    }
  }

  private isMade(parts: readonly string[]): boolean {
    const key = parts.join('/');
    return this.folders.has(key) || (this.made.has(key) && this.folders.has(parts.slice(0, -1).join('/')));
  }

  /** Several small files at once; answers a promise when there are enough. */
  private start(parts: string[], entry: TarEntry, content: Buffer): Promise<void> | undefined {
    const job: Promise<unknown> = this.attempt(parts, async () => {
      this.requireParent(parts);
      await this.small.write(below(this.folder, parts), entry, content);
      this.made.add(parts.join('/'));
      this.files++;
      this.report.received(content.length, parts.join('/'));
    }).finally(() => this.running.delete(job));
    this.running.add(job);
    return this.small.isFull ? Promise.race(this.running).then(() => undefined) : undefined;
  }

  /** Where the file is that another name is of; undefined for one that would be elsewhere. */
  private linkedTo({ linkName }: Later['entry']): string[] | undefined {
    const safe = safeParts(linkName);
    return safe && this.rename(safe);
  }

  /** Another name of a link: where it is, the same words may lead elsewhere, so it is a link of its own. */
  private async makeSecondLink({ parts, entry }: Later): Promise<void> {
    const linkName = this.madeLinks.get(this.linkedTo(entry)?.join('/') ?? '');
    if (linkName === undefined) {
      this.report.failed(parts.join('/'), 'what it is the same link as is not there');
      return;
    }
    await this.makeLink({ parts, entry: { ...entry, linkName } });
  }

  private async makeHardLink({ parts, entry }: Later): Promise<void> {
    const target = this.linkedTo(entry);
    const source = localPath(below(this.folder, target ?? []));
    if (target === undefined || !this.isMade(target) || !(await lstat(source)).isFile()) {
      this.report.failed(parts.join('/'), 'what it is the same file as is not there');
      return;
    }
    const path = localPath(below(this.folder, parts));
    await this.makeFolder(parts.slice(0, -1));
    this.requireParent(parts);
    await link(source, path).catch(() => copyFile(source, path, constants.COPYFILE_EXCL));
    this.made.add(parts.join('/'));
    this.files++;
  }

  private async makeLink({ parts, entry }: Later): Promise<void> {
    if (!staysInside(parts, entry.linkName)) {
      const reason = `the link leads out of the folder, to ${JSON.stringify(entry.linkName)}: copy that itself`;
      this.report.failed(parts.join('/'), reason);
      return;
    }
    await this.makeFolder(parts.slice(0, -1));
    // Only so is its name also its place, which the rule above counts from.
    this.requireParent(parts);
    const path = localPath(below(this.folder, parts));
    await symlink(localPath(entry.linkName), path);
    this.madeLinks.set(parts.join('/'), entry.linkName);
    this.made.add(parts.join('/'));
    this.files++;
    await lutimes(path, fileTime(entry.mtimeMs), fileTime(entry.mtimeMs));
  }

  /** False when it failed, which is reported. */
  private async attempt(parts: readonly string[], run: () => Promise<void>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      this.note(parts, error);
      return false;
    }
  }

  /** What can't be done for one file is reported and passed over; a full disk ends it all. */
  private note(parts: readonly string[], error: unknown): void {
    if (error === undefined) {
      return;
    }
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS') {
      this.fatal = diskError(code, error);
    } else {
      this.report.failed(parts.join('/'), reasonOf(error));
    }
  }
}

/** The error for a disk that takes no more: `read_only`, else `no_space`. */
export function diskError(code: string, cause: unknown): BerthError {
  return code === 'EROFS'
    ? new BerthError('read_only', 'The folder on this machine is on a read-only disk.', { cause })
    : new BerthError('no_space', 'The disk of this machine is full.', {
        hint: 'Free some space, or choose a folder on another disk. What was copied so far was removed.',
        cause,
      });
}

/**
 * Unpacks into an empty folder what `receive` hands over; `rename` says where an entry goes. Answers how many files and
 * links there are. Throws `runtime_unavailable` for a tar that breaks off.
 */
export async function unpackTar(
  receive: (take: TakeChunk) => Promise<void>,
  folder: string,
  rename: (parts: string[]) => string[],
  report: UnpackReport,
  signal: AbortSignal,
): Promise<number> {
  const unpack = new Unpack(folder, rename, report, signal);
  const reader = new TarReader(unpack);
  try {
    await receive((chunk) => reader.push(chunk));
    if (!reader.ended) {
      throw new BerthError('runtime_unavailable', 'The transfer broke off before its end.', {
        hint: 'Try again.',
      });
    }
  } catch (error) {
    await unpack.abandon();
    throw error;
  }
  await unpack.finish();
  return unpack.files;
}
