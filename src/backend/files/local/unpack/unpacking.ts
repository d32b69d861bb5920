/**
 * Unpacks a tar from a volume into a new folder of this machine, in a thread that may wait for the system at each call.
 * Nothing in a tar is trusted: no name leads out of the folder, links are made last so that nothing is written through
 * one, and rights to become somebody else are dropped.
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { FactsToApply, type Facts } from './facts-to-apply';
import { NewFile, writeWhole } from './new-file';
import type { Renaming } from './messages';
import { safeParts, staysInside, unusableName } from '../../../tar/entry-names';
import { keptBits, reasonOf } from '../tree';
import { notCopied } from '../../../tar/losses';
import { fileTime } from '../../../machine/files';
import { localPath, whatIsTooLong } from '../../../machine/file-names';
import type { TarEntry } from '../../../tar/header';
import { TarReader } from '../../../tar/read';
import type { ContentSink, TarVisitor } from '../../../tar/visitor';

/** As Linux has it: no path of a volume is longer, and each level of a name is work. */
const maxName = 4096;
/** What a disk says that takes nothing more: for no other file either. */
const fullDisk = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/** The disk takes nothing more. */
export class DiskFull extends Error {
  constructor(
    readonly code: string,
    cause: unknown,
  ) {
    super(code, { cause });
  }
}

export interface Report {
  received(bytes: number, name: string): void;
  /** Not made: it can't be, or must not be. */
  failed(name: string, reason: string): void;
  /** It is there, but without some of its attributes. */
  lost(name: string, attributes: readonly string[]): void;
}

interface Later {
  name: string;
  entry: Pick<TarEntry, 'linkName' | 'mode' | 'mtimeMs'>;
  facts: Facts | undefined;
}

/** Of an entry that was accepted. */
interface Accepted {
  /** From the folder, with `/` between its parts. */
  name: string;
  facts: Facts | undefined;
}

/** Without what of an entry may be large: it is kept until the end. */
function later({ name, facts }: Accepted, { linkName, mode, mtimeMs }: TarEntry): Later {
  return { name, facts, entry: { linkName, mode, mtimeMs } };
}

function folderOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

/** Each throws for a damaged tar, and `DiskFull` once the disk is. */
export class Unpacking implements TarVisitor {
  /** Files and links that were made. */
  files = 0;
  readonly facts = new FactsToApply();
  private readonly reader = new TarReader(this, { lendsContent: true });
  private readonly folders = new Set<string>(['']);
  /** Links that were made, with what they say. */
  private readonly madeLinks = new Map<string, string>();
  /** What this unpacking made, by path: nothing else is given modes, times or attributes. */
  private readonly made = new Set<string>();
  private readonly links: Later[] = [];
  private readonly hardLinks: Later[] = [];
  private readonly finished: Later[] = [];
  private open: NewFile | undefined;

  constructor(
    private readonly folder: string,
    private readonly renaming: Renaming,
    private readonly report: Report,
    private readonly mayGoOn: () => boolean = () => true,
  ) {}

  /** Whether the tar had an end. */
  get ended(): boolean {
    return this.reader.ended;
  }

  push(chunk: Buffer): void {
    void this.reader.push(chunk);
  }

  entry(entry: TarEntry, content: Buffer): undefined {
    const accepted = this.accept(entry);
    if (accepted === undefined) {
      return;
    }
    if (entry.type === 'symlink' || entry.type === 'link') {
      (entry.type === 'link' ? this.hardLinks : this.links).push(later(accepted, entry));
    } else if (entry.type === 'directory') {
      this.finished.push(later(accepted, entry));
      this.makeFolder(accepted.name);
    } else {
      this.file(accepted, entry, content);
    }
  }

  /** A content in pieces. The first error stops the writing, not the reading: the rest of the tar is still wanted. */
  large(entry: TarEntry): ContentSink | undefined {
    const accepted = this.accept(entry);
    if (accepted === undefined) {
      return undefined;
    }
    const { name } = accepted;
    const create = (): void => {
      this.makeFolder(folderOf(name));
      this.requireParent(name);
      this.open = new NewFile(this.pathOf(name));
    };
    let isWhole = this.attempt(name, create);
    const step = (bytes: number, run: () => void): undefined => {
      isWhole &&= this.attempt(name, run);
      this.report.received(bytes, name);
    };
    return {
      piece: (bytes) => step(bytes.length, () => this.open?.write(bytes)),
      hole: (length) => step(length, () => this.open?.skip(length)),
      end: () => {
        step(0, () => this.open?.seal(entry));
        // Some disks say only now that they are full.
        const isClosed = this.attempt(name, () => this.close());
        if (isWhole && isClosed) this.noteMade(accepted);
      },
    };
  }

  /** Makes links, and gives folders their times, after the tar. */
  finish(): void {
    const linkNames = new Set(this.links.map(({ name }) => name));
    const isOfLink = ({ entry }: Later): boolean => linkNames.has(this.linkedTo(entry) ?? '');
    for (const each of this.hardLinks.filter((hardLink) => !isOfLink(hardLink))) {
      this.attempt(each.name, () => this.makeHardLink(each));
    }
    for (const each of this.links) {
      this.attempt(each.name, () => this.makeLink(each));
    }
    for (const each of this.hardLinks.filter(isOfLink)) {
      this.attempt(each.name, () => this.makeSecondLink(each));
    }
    for (const { name, entry, facts } of this.madeFolders()) {
      const time = fileTime(entry.mtimeMs);
      this.attempt(name, () => utimesSync(localPath(this.pathOf(name)), time, time));
      if (facts !== undefined) this.facts.add(facts);
    }
  }

  /** The end: what Python could not set, and the modes of folders. */
  seal(refused: readonly [index: number, name: string][] | 'all'): void {
    for (const { name, lost } of this.facts.settle(refused)) {
      this.report.lost(name, lost);
    }
    const depth = ({ name }: Later): number => name.split('/').length;
    // Deepest first, as a folder may let nobody in afterwards.
    for (const { name, entry } of this.madeFolders().sort((one, other) => depth(other) - depth(one))) {
      this.attempt(name, () => chmodSync(localPath(this.pathOf(name)), entry.mode & keptBits));
    }
  }

  /** Closes what is open, also after a tar that broke off. */
  close(): void {
    const { open } = this;
    this.open = undefined;
    open?.close();
  }

  private madeFolders(): Later[] {
    return this.finished.filter(({ name }) => this.folders.has(name));
  }

  private accept(entry: TarEntry): Accepted | undefined {
    if (entry.name.length > maxName || entry.linkName.length > maxName) {
      const reason =
        entry.name.length > maxName ? whatIsTooLong(entry.name) : 'what it links to has too long a name';
      this.report.failed(`${entry.name.slice(0, 200)}…`, reason);
      return undefined;
    }
    const parts = this.renamed(entry.name);
    if (parts === undefined || (parts.length === 0 && entry.type !== 'directory')) {
      this.report.failed(entry.name, 'its name leads out of the folder');
      return undefined;
    }
    const name = parts.join('/');
    const facts = entry.type === 'link' ? undefined : this.facts.of(name, entry);
    const unusable = entry.type === 'other' ? notCopied : unusableName(parts);
    if (unusable !== undefined) {
      this.report.failed(name, unusable);
      return undefined;
    }
    return { name, facts };
  }

  private renamed(name: string): string[] | undefined {
    const { drop, prefix } = this.renaming;
    const parts = safeParts(name);
    return parts === undefined || (drop === 0 && prefix.length === 0)
      ? parts
      : [...prefix, ...parts.slice(drop)];
  }

  /** The parts are safe. */
  private pathOf(name: string): string {
    return name === '' ? this.folder : `${this.folder}/${name}`;
  }

  /** From the last one that is there: a folder that can't be made has none below it, or that would be made elsewhere. */
  private makeFolder(name: string): void {
    if (this.folders.has(name)) {
      return;
    }
    const parts = name.split('/');
    let depth = parts.length;
    while (!this.folders.has(parts.slice(0, depth).join('/'))) {
      depth--;
    }
    for (let isThere = true; isThere && depth < parts.length;) {
      const folder = parts.slice(0, ++depth).join('/');
      isThere = this.attempt(folder, () => {
        mkdirSync(localPath(this.pathOf(folder)), { mode: 0o700 });
        this.folders.add(folder);
      });
    }
  }

  /** A guest may have a link where a folder should be: what is below one is not ours, and may be anywhere. */
  private requireParent(name: string): void {
    if (!this.folders.has(folderOf(name))) {
      throw new Error('it lies below something that is no folder of this transfer');
    }
  }

  private isMade(name: string): boolean {
    return this.folders.has(name) || (this.made.has(name) && this.folders.has(folderOf(name)));
  }

  private noteMade({ name, facts }: Pick<Later, 'name' | 'facts'>): void {
    this.files++;
    this.made.add(name);
    if (facts !== undefined) this.facts.add(facts);
  }

  private file(accepted: Accepted, entry: TarEntry, content: Buffer): void {
    const { name } = accepted;
    this.makeFolder(folderOf(name));
    this.attempt(name, () => {
      this.requireParent(name);
      writeWhole(this.pathOf(name), entry, content);
      this.noteMade(accepted);
      this.report.received(content.length, name);
    });
  }

  /** Where the file is that another name is of; undefined for one that would be elsewhere. */
  private linkedTo({ linkName }: Later['entry']): string | undefined {
    return this.renamed(linkName)?.join('/');
  }

  /** Another name of a link: where it is, the same words may lead elsewhere, so it is a link of its own. */
  private makeSecondLink(hardLink: Later): void {
    const linkName = this.madeLinks.get(this.linkedTo(hardLink.entry) ?? '');
    if (linkName === undefined) {
      this.report.failed(hardLink.name, 'what it is the same link as is not there');
      return;
    }
    this.makeLink({ ...hardLink, entry: { ...hardLink.entry, linkName } });
  }

  private makeHardLink({ name, entry }: Later): void {
    const target = this.linkedTo(entry);
    const source = localPath(this.pathOf(target ?? ''));
    if (target === undefined || !this.isMade(target) || !lstatSync(source).isFile()) {
      this.report.failed(name, 'what it is the same file as is not there');
      return;
    }
    const path = localPath(this.pathOf(name));
    this.makeFolder(folderOf(name));
    this.requireParent(name);
    try {
      linkSync(source, path);
    } catch {
      copyFileSync(source, path, constants.COPYFILE_EXCL);
    }
    this.noteMade({ name, facts: undefined });
  }

  private makeLink({ name, entry, facts }: Later): void {
    if (!staysInside(name.split('/'), entry.linkName)) {
      const reason = `the link leads out of the folder, to ${JSON.stringify(entry.linkName)}: copy that itself`;
      this.report.failed(name, reason);
      return;
    }
    this.makeFolder(folderOf(name));
    // Only so is its name also its place, which the rule above counts from.
    this.requireParent(name);
    const path = localPath(this.pathOf(name));
    symlinkSync(localPath(entry.linkName), path);
    this.madeLinks.set(name, entry.linkName);
    this.noteMade({ name, facts });
    lutimesSync(path, fileTime(entry.mtimeMs), fileTime(entry.mtimeMs));
  }

  /** False when it failed. That is reported and passed over for one file; a full disk ends it all. */
  private attempt(name: string, run: () => void): boolean {
    if (!this.mayGoOn()) {
      throw new Error('it was stopped');
    }
    try {
      run();
      return true;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (fullDisk.has(code)) {
        throw new DiskFull(code, error);
      }
      this.report.failed(name, reasonOf(error));
      return false;
    }
  }
}
