/** The input of a process that is reached by a stream of both directions. */
import { Writable, type Duplex } from 'node:stream';

/** Writes go to the process; the end is end of input, and leaves its output alone. */
export function stdinOf(stream: Duplex): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (stream.destroyed || stream.writableEnded) {
        done(new Error('The process has ended.'));
      } else if (stream.write(chunk)) {
        done();
      } else {
        const proceed = (): void => {
          stream.off('drain', proceed);
          stream.off('close', proceed);
          done();
        };
        stream.on('drain', proceed);
        stream.on('close', proceed);
      }
    },
    final(done) {
      stream.end();
      done();
    },
  });
}
