/**
 * Unpacks a tar into a folder of the volume, as it comes. Owners, modes and times are those of the tar; no name leads
 * out of the folder, and nothing is written through a link.
 */
import { maxPathBytes } from '../../../../api/rules/names';
import { safeParts } from '../../../tar/entry-names';
import { hasSetId, isHarmless, Losses, notCopied, setIdReason } from '../../../tar/losses';
import { changeTimeOf, type TarEntry } from '../../../tar/header';
import { TarReader } from '../../../tar/read';
import type { ContentSink, TarVisitor } from '../../../tar/visitor';
import { encodeName, isTooLongName, whatIsTooLong } from '../../../machine/file-names';
import { asDiskError, DiskError, errorReply } from '../../../ext4/disk-error';
import { maxTargetBytes } from '../../../ext4/link-target';
import type { Attributes, Ext4 } from '../../../ext4/file-system';
import type { NewContent } from '../../../ext4/file-content';
import { setId } from './content';
import type { Fields } from './entries';
import { tryTo } from './copying';
import { HoledContent } from './holed-content';
import { split, type Volume } from './places';
import { Batch } from './work';

const folderMode = 0o755;
const maxChanges = 4096;
/** Of contents, which have to be on the disk before they are committed: that takes its time. */
const maxBytes = 64 * 1024 * 1024;
const setUserId = 0o4000;
/** Characters of a name that is too long, in a report. */
const shownName = 200;

function attributesOf(entry: TarEntry): Attributes {
  const { mode, uid, gid } = entry;
  const [mtime, mtimeRest] = changeTimeOf(entry);
  return { mode, uid, gid, mtime, mtimeRest };
}

/** Why no file of a disk can have that name, or be a link to that; undefined when it can. */
function whyTooLong({ name, type, linkName }: TarEntry): string | undefined {
  const isTooLongPath = (path: string): boolean =>
    path.length * 3 >= maxPathBytes && encodeName(path).length >= maxPathBytes;
  if (isTooLongPath(name) || name.split('/').some(isTooLongName)) {
    return whatIsTooLong(name);
  }
  const isLink = type === 'symlink' || type === 'link';
  const isTooLongLink =
    isTooLongPath(linkName) || (type === 'link' && linkName.split('/').some(isTooLongName));
  return isLink && isTooLongLink ? 'what it links to has too long a name' : undefined;
}

/** Neither a file, a folder, a link nor a pipe. */
function isOfNoUse({ type, special }: TarEntry): boolean {
  return type === 'other' && special?.kind !== 'fifo';
}

export class TarIn implements TarVisitor {
  private readonly root: number;
  /** Rights of their own are for files that stay where they are trusted, not for what comes from elsewhere. */
  private readonly keepsRights: boolean;
  private readonly reader = new TarReader(this, { lendsContent: true });
  private readonly batch: Batch;
  /** Times of folders are set last: what is put into them changes them. */
  private readonly folderTimes = new Map<number, TarEntry>();
  private open: NewContent | undefined;
  /** Since the last commit. */
  private bytes = 0;
  /** Why nothing more is taken. */
  private failure: Error | undefined;
  /** The folder of the last entry, as long as nothing else can have been put there. */
  private lastFolder: { path: string; number: number } | undefined;
  /** What was left out; the rest is there. */
  readonly failed: Fields[] = [];
  /** What of files could not be kept although they are there. */
  readonly losses = new Losses();

  /** Throws `not_a_directory` for a target that is none. */
  constructor(
    private readonly fs: Ext4,
    volume: Volume,
    { folder, rights }: Fields,
  ) {
    const place = volume.existing(split(folder), false);
    if (!place.isDirectory) {
      throw new DiskError('not_a_directory');
    }
    this.root = place.inode.number;
    this.keepsRights = rights === true;
    this.batch = new Batch(fs);
  }

  /**
   * `isAlone`: what was made so far need not be committed yet, as `settle` is called before anybody else changes
   * something.
   */
  push(chunk: Buffer, isAlone: boolean): void {
    this.guarded(() => {
      this.lastFolder = undefined;
      void this.reader.push(chunk);
      this.bytes += chunk.length;
      if (!isAlone || this.bytes >= maxBytes) {
        this.commit();
      }
    });
  }

  /** Commits what was made so far. When that fails, the next piece does. */
  settle(): void {
    try {
      this.guarded(() => this.commit());
    } catch {
      // Said to whoever sends the archive.
    }
  }

  private commit(): void {
    this.bytes = 0;
    this.batch.commit();
  }

  end(): void {
    this.guarded(() => {
      if (!this.reader.ended) {
        throw new DiskError('bad_request', 'the archive broke off before its end');
      }
      for (const [folder, entry] of this.folderTimes) {
        this.fs.change(folder, (inode) => inode.setTime('mtime', ...changeTimeOf(entry)));
      }
      this.commit();
    });
  }

  close(): void {
    this.open?.giveUp();
    this.open = undefined;
  }

  entry(entry: TarEntry, content: Buffer): undefined {
    if (this.isLeftOut(entry)) {
      return undefined;
    }
    const parts = this.partsOf(entry);
    const name = parts.at(-1);
    if (name === undefined) {
      this.seal(this.root, entry);
      return undefined;
    }
    const folder = this.folderOf(parts.slice(0, -1), entry);
    if (entry.type === 'directory') {
      this.makeFolder(folder, name, entry);
    } else {
      this.makeWay(folder, name);
      this.make(folder, name, entry, content);
    }
    if (this.fs.changes >= maxChanges) {
      this.commit();
    }
    return undefined;
  }

  large(entry: TarEntry): ContentSink | undefined {
    if (this.isLeftOut(entry)) {
      return undefined;
    }
    const parts = this.partsOf(entry);
    const name = parts.at(-1) ?? '';
    const folder = this.folderOf(parts.slice(0, -1), entry);
    this.makeWay(folder, name);
    const content = this.begin();
    return {
      piece: (bytes) => {
        content.append(bytes);
        return undefined;
      },
      hole: (length) => {
        content.skip(length);
        return undefined;
      },
      end: () => {
        this.finish(folder, name, entry, content);
        this.open = undefined;
        return undefined;
      },
    };
  }

  private make(folder: number, name: string, entry: TarEntry, bytes: Buffer): void {
    if (entry.type === 'symlink') {
      this.fs.makeLink(folder, name, entry.linkName, this.attributesOf(entry));
    } else if (entry.type === 'link') {
      this.fs.addName(folder, name, this.linked(entry));
    } else if (entry.type === 'file') {
      const content = this.begin();
      content.append(bytes);
      this.finish(folder, name, entry, content);
      this.open = undefined;
    } else if (entry.special?.kind === 'fifo') {
      this.fs.makePipe(folder, name, this.attributesOf(entry));
    }
  }

  /** Notes what a disk can't be given. A name that leads out ends the archive all the same. */
  private isLeftOut(entry: TarEntry): boolean {
    const tooLong = whyTooLong(entry);
    if (tooLong === undefined) {
      this.partsOf(entry);
    }
    const why = tooLong ?? (isOfNoUse(entry) ? notCopied : this.whyNoLink(entry));
    if (why === undefined) {
      return false;
    }
    const { name } = entry;
    const shown = name.length > shownName ? `${name.slice(0, shownName)}…` : name;
    this.failed.push(errorReply(new DiskError('not_supported', why), `/${shown}`));
    return true;
  }

  /** File systems of small blocks have shorter links than Linux allows. */
  private whyNoLink({ type, linkName }: TarEntry): string | undefined {
    return type === 'symlink' && encodeName(linkName).length > maxTargetBytes(this.fs.device)
      ? 'what it links to has too long a name'
      : undefined;
  }

  private begin(): HoledContent {
    const content = this.fs.newContent();
    this.open = content;
    return new HoledContent(content, this.fs.blockSize);
  }

  private finish(folder: number, name: string, entry: TarEntry, content: HoledContent): void {
    content.finish();
    const made = this.fs.makeFile(folder, name, content.content, this.attributesOf(entry));
    this.giveAttributes(made, entry);
  }

  private giveAttributes(inode: number, { name, xattrs, refused = [] }: TarEntry): void {
    const lost = [...(xattrs ?? [])].filter(
      ([attribute, value]) =>
        !(this.keepsRights || isHarmless(attribute)) ||
        !tryTo(() => this.fs.attributes.set(inode, attribute, value)),
    );
    this.losses.attributes([...refused, ...lost.map(([attribute]) => attribute)], name);
  }

  /** Of a folder, the group's bit says what is made in it belongs to: that gives nobody a right. */
  private attributesOf(entry: TarEntry): Attributes {
    const attributes = attributesOf(entry);
    if (this.keepsRights) {
      return attributes;
    }
    if (hasSetId(entry)) {
      this.losses.add(setIdReason, entry.name);
    }
    const rights = entry.type === 'directory' ? setUserId : setId;
    return { ...attributes, mode: attributes.mode & ~rights };
  }

  private guarded(run: () => void): void {
    if (this.failure !== undefined) {
      throw this.failure;
    }
    try {
      run();
    } catch (error) {
      this.fs.rollback();
      this.close();
      const known = asDiskError(error);
      // What is wrong with an archive is said by plain errors.
      this.failure =
        known.code === 'internal' && known !== error ? new DiskError('bad_request', known.detail) : known;
      throw this.failure;
    }
  }

  private partsOf(entry: TarEntry): string[] {
    const parts = safeParts(entry.name);
    if (parts === undefined || (parts.length === 0 && entry.type !== 'directory')) {
      throw new DiskError(
        'bad_request',
        `the archive names ${JSON.stringify(entry.name)}, which is outside of it`,
      );
    }
    return parts;
  }

  /** The folder that an entry belongs into, made when the tar did not name it. No link is followed. */
  private folderOf(parts: readonly string[], entry: TarEntry): number {
    const path = parts.join('/');
    if (this.lastFolder?.path === path) {
      return this.lastFolder.number;
    }
    let folder = this.root;
    for (const name of parts) {
      const number = this.fs.lookup(folder, name);
      if (number !== undefined && !this.fs.inode(number).isDirectory) {
        throw new DiskError(
          'bad_request',
          `the archive puts ${JSON.stringify(entry.name)} into what is no folder`,
        );
      }
      folder =
        number ?? this.fs.makeDirectory(folder, name, { mode: folderMode, uid: entry.uid, gid: entry.gid });
    }
    this.lastFolder = { path, number: folder };
    return folder;
  }

  private makeFolder(folder: number, name: string, entry: TarEntry): void {
    const old = this.fs.lookup(folder, name);
    if (old !== undefined && this.fs.inode(old).isDirectory) {
      this.seal(old, entry);
      return;
    }
    this.makeWay(folder, name);
    const made = this.fs.makeDirectory(folder, name, this.attributesOf(entry));
    this.giveAttributes(made, entry);
    this.folderTimes.set(made, entry);
  }

  /** The last one of a name counts, as with every tar. */
  private makeWay(folder: number, name: string): void {
    if (this.fs.lookup(folder, name) !== undefined) {
      this.lastFolder = undefined;
      this.fs.remove(folder, name);
    }
  }

  private seal(folder: number, entry: TarEntry): void {
    const { mode } = this.attributesOf(entry);
    this.fs.change(folder, (inode) => {
      inode.mode = inode.type | (mode & 0o7777);
      inode.setOwner(entry.uid, entry.gid);
    });
    this.giveAttributes(folder, entry);
    this.folderTimes.set(folder, entry);
  }

  private linked(entry: TarEntry): number {
    const parts = safeParts(entry.linkName);
    let node: number | undefined = this.root;
    for (const name of parts ?? []) {
      node = node === undefined ? undefined : this.fs.lookup(node, name);
    }
    if (parts === undefined || node === undefined || node === this.root) {
      throw new DiskError(
        'bad_request',
        `the archive links to ${JSON.stringify(entry.linkName)}, which is not in it`,
      );
    }
    return node;
  }
}
