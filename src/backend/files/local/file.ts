/** Writing the files of a tar to this machine. */
import { close, fchmod, ftruncate, futimes, open, writev } from 'node:fs';
import { promisify } from 'node:util';
import { keptBits } from './tree';
import { fileTime } from '../../machine/files';
import { localPath } from '../../machine/file-names';
import type { TarEntry } from '../../tar/header';
import type { ContentSink } from '../../tar/visitor';

/** Not the promise API: it costs twice as much per file. */
const openFile = promisify(open);
const closeFile = promisify(close);
const changeMode = promisify(fchmod);
const setTimes = promisify(futimes);
const setLength = promisify(ftruncate);
const writePieces = promisify(writev);

const pieceSize = 1024 * 1024;
/** Never one that is there already: two entries of one name are a mistake or worse. */
function create(path: string): Promise<number> {
  return openFile(localPath(path), 'wx', 0o600);
}

/** Without the rights to become somebody else. The umask has no say: a copy is like its original. */
export function modeOf(entry: TarEntry): number {
  return entry.mode & (process.platform === 'linux' ? keptBits : 0o777);
}

async function seal(file: number, entry: TarEntry): Promise<void> {
  await changeMode(file, modeOf(entry));
  const time = fileTime(entry.mtimeMs);
  await setTimes(file, time, time);
}

async function writeAll(file: number, pieces: Buffer[], position: number): Promise<void> {
  let at = position;
  let left = pieces.filter((piece) => piece.length > 0);
  while (left.length > 0) {
    let { bytesWritten } = await writePieces(file, left, at);
    at += bytesWritten;
    while (left[0] !== undefined && bytesWritten >= left[0].length) {
      bytesWritten -= left[0].length;
      left = left.slice(1);
    }
    if (left[0] !== undefined) {
      left = [left[0].subarray(bytesWritten), ...left.slice(1)];
    }
  }
}

/**
 * Writes a file that is there as a whole. Throws the errors of the system, `EEXIST` for a second one of
 * the name.
 */
export async function writeWhole(path: string, entry: TarEntry, content: Buffer): Promise<void> {
  const file = await create(path);
  try {
    await writeAll(file, [content], 0);
    await seal(file, entry);
  } finally {
    await closeFile(file);
  }
}

export interface LargeReport {
  received(bytes: number): void;
  /** The file is complete, or why it is not. */
  done(error: unknown): void;
}

/**
 * A file that comes in pieces. They are copied into one of two buffers, of which one is filled while the other is
 * written: pieces that were kept would make the garbage collector the slowest part of a large file. The first error
 * stops the writing, not the reading: the rest of the tar is still wanted.
 */
export class LargeFile implements ContentSink {
  private filling = Buffer.allocUnsafeSlow(pieceSize);
  private written = Buffer.allocUnsafeSlow(pieceSize);
  private used = 0;
  /** Where in the file the filling buffer belongs. */
  private position = 0;
  private endsWithHole = false;
  private error: unknown;
  private file: number | undefined;
  private writing: Promise<void>;

  constructor(
    path: string,
    private readonly entry: TarEntry,
    ready: Promise<void>,
    private readonly report: LargeReport,
  ) {
    this.writing = this.attempt(async () => {
      await ready;
      this.file = await create(path);
    });
  }

  piece(bytes: Buffer): Promise<void> | undefined {
    const taken = bytes.copy(this.filling, this.used);
    this.used += taken;
    if (this.used < pieceSize) {
      return undefined;
    }
    const rest = bytes.subarray(taken);
    return this.flush().then(() => this.piece(rest));
  }

  /** Room is taken by what is written only. */
  async hole(length: number): Promise<void> {
    await this.flush();
    this.position += length;
    this.endsWithHole = true;
    this.report.received(length);
  }

  async end(): Promise<void> {
    await this.flush();
    await this.writing;
    if (this.endsWithHole) {
      await this.attempt(() =>
        this.file === undefined ? Promise.resolve() : setLength(this.file, this.position),
      );
    }
    await this.attempt(() => (this.file === undefined ? Promise.resolve() : seal(this.file, this.entry)));
    await this.close();
    this.report.done(this.error);
  }

  async close(): Promise<void> {
    await this.writing;
    const { file } = this;
    this.file = undefined;
    if (file !== undefined) {
      await closeFile(file);
    }
  }

  private async flush(): Promise<void> {
    const full = this.filling.subarray(0, this.used);
    const at = this.position;
    await this.writing;
    this.endsWithHole &&= full.length === 0;
    this.position += full.length;
    [this.filling, this.written] = [this.written, this.filling];
    this.used = 0;
    this.writing = this.attempt(() =>
      this.file === undefined ? Promise.resolve() : writeAll(this.file, [full], at),
    );
    this.report.received(full.length);
  }

  private async attempt(run: () => Promise<void>): Promise<void> {
    if (this.error === undefined) {
      try {
        await run();
      } catch (error) {
        this.error = error;
      }
    }
  }
}
