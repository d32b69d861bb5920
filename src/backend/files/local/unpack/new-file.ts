/** Writes files of a tar by calls that wait for the system: for the thread that copies files of this machine. */
import { closeSync, constants, fchmodSync, ftruncateSync, futimesSync, openSync, writeSync } from 'node:fs';
import { keptBits } from '../tree';
import { fileTime } from '../../../machine/files';
import { localPath } from '../../../machine/file-names';
import type { TarEntry } from '../../../tar/header';

/** Never a file that is there already: two entries of one name are a mistake or worse. */
const newFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
const bits = process.platform === 'linux' ? keptBits : 0o777;

type Facts = Pick<TarEntry, 'mode' | 'mtimeMs'>;

/** A file that is being written. Each call throws the errors of the system. */
export class NewFile {
  private readonly file: number;
  /** Where in the file the next piece belongs. */
  private position = 0;
  private endsWithHole = false;

  /** Throws `EEXIST` for a second file of the name. */
  constructor(path: string) {
    this.file = openSync(localPath(path), newFlags, 0o600);
  }

  write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(this.file, bytes, done, bytes.length - done, this.position + done);
    }
    this.position += bytes.length;
    this.endsWithHole &&= bytes.length === 0;
  }

  /** Room is taken by what is written only. */
  skip(length: number): void {
    this.position += length;
    this.endsWithHole = true;
  }

  /** Without the rights to become somebody else. The umask has no say: a copy is like its original. */
  seal({ mode, mtimeMs }: Facts): void {
    if (this.endsWithHole) {
      ftruncateSync(this.file, this.position);
    }
    fchmodSync(this.file, mode & bits);
    const time = fileTime(mtimeMs);
    futimesSync(this.file, time, time);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Writes a file that is there as a whole. Throws the errors of the system. */
export function writeWhole(path: string, facts: Facts, content: Buffer): void {
  const file = new NewFile(path);
  try {
    file.write(content);
    file.seal(facts);
  } finally {
    file.close();
  }
}
