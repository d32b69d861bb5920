/** The output of a command, kept for the answer of `--json`. */
import { Writable } from 'node:stream';
import { mebibyte } from '../api/rules/sizes';

const maxOutputBytes = mebibyte;

/** Of both streams together; what is beyond is dropped and said so, and the command goes on. */
export class CapturedOutput {
  readonly stdout: Writable;
  readonly stderr: Writable;
  truncated = false;
  private readonly kept = { stdout: new Array<Buffer>(), stderr: new Array<Buffer>() };
  private room: number;

  constructor(limit = maxOutputBytes) {
    this.room = limit;
    this.stdout = this.sink('stdout');
    this.stderr = this.sink('stderr');
  }

  /** As the API answers it: base64. */
  of(stream: 'stdout' | 'stderr'): string {
    return Buffer.concat(this.kept[stream]).toString('base64');
  }

  private sink(stream: 'stdout' | 'stderr'): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const taken = chunk.subarray(0, this.room);
        this.truncated ||= taken.length < chunk.length;
        this.room -= taken.length;
        this.kept[stream].push(taken);
        done();
      },
    });
  }
}
