/** The contents of a folder, written as JSON by who found them: to be sent on as they are. */
import type { FileEntry, FileList } from './schemas';

export class WrittenList implements FileList {
  readonly path: string;
  readonly total: number;
  readonly next?: string;

  /** `written`: the JSON of the entries. */
  constructor(
    private readonly head: Omit<FileList, 'entries'>,
    private readonly written: Buffer,
  ) {
    this.path = head.path;
    this.total = head.total;
    if (head.next !== undefined) {
      this.next = head.next;
    }
  }

  /** Read each time that it is asked for. */
  get entries(): FileEntry[] {
    return JSON.parse(this.written.toString()) as FileEntry[];
  }

  /** All of it as the API answers it. */
  toJsonBytes(): Buffer {
    const start = JSON.stringify(this.head).slice(0, -1);
    return Buffer.concat([Buffer.from(`${start},"entries":`), this.written, Buffer.from('}')]);
  }
}
