import type { Writable } from 'node:stream';

export const showCursor = '\u001b[?25h';

/** Where the command reads and writes; the process's own streams outside of tests. */
export interface Streams {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** The streams of Node say `undefined` where there is none. */
export function isTerminal(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true;
}

/** A reader that went away (`berth list | head -1`) ends the program quietly, like any Unix tool. */
export function onBrokenPipe(streams: Streams, end: (code: number) => void): void {
  for (const stream of [streams.stdout, streams.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      end(error.code === 'EPIPE' || error.code === 'EIO' ? 0 : 1);
    });
  }
}

/** Whatever was cut off: the cursor is seen, and what is typed is taken as before. */
export function restoreTerminal({ stdin, stderr }: Streams): void {
  if (isTerminal(stdin) && stdin.isRaw) {
    stdin.setRawMode(false);
  }
  if (isTerminal(stderr)) {
    stderr.write(showCursor);
  }
}

/** Resolves when everything written so far is out of this process. */
export function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) {
      resolve();
      return;
    }
    stream.write('', () => resolve());
  });
}
