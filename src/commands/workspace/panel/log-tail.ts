/** The last lines of a log, as text: a terminal's colours and movements mean nothing on a page. */
import { stripVTControlCharacters } from 'node:util';

const shownLines = 12;
const maxLine = 500;
export class LogTail {
  private rest = '';
  private readonly done: string[] = [];

  /** A piece of the log, which may end within a line. */
  push(piece: string): void {
    const lines = (this.rest + piece).split('\n');
    this.rest = (lines.pop() ?? '').slice(-maxLine * 4);
    this.done.push(...lines.slice(-shownLines));
    this.done.splice(0, Math.max(0, this.done.length - shownLines));
  }

  clear(): void {
    this.rest = '';
    this.done.length = 0;
  }

  /** What is shown, the oldest first; a line that is written over by `\r` is what it says at last. */
  get lines(): string[] {
    const all = this.rest === '' ? this.done : [...this.done, this.rest];
    return all.slice(-shownLines).map((line) => plain(line).slice(0, maxLine));
  }
}

function plain(line: string): string {
  const written = stripVTControlCharacters(line).replace(/\r+$/, '').split('\r').at(-1) ?? '';
  return written.replace(/\p{Cc}/gu, (char) => (char === '\t' ? char : ''));
}
