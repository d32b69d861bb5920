/** The thread's side of unpacking: does a step, and says what came of it. */
import type { UnpackAnswer, UnpackStep } from './messages';
import { DiskFull, Unpacking, type Report } from './unpacking';
import { asError } from '../../../machine/as-error';

export class UnpackServer {
  private unpacking: Unpacking | undefined;
  private buffers: readonly Buffer[] = [];
  private said = emptyAnswer();

  /** Does the next step of the tar that was begun last. */
  do(step: UnpackStep): UnpackAnswer {
    this.said = emptyAnswer();
    try {
      this.attempt(step);
    } catch (error) {
      const { message } = asError(error);
      const code = error instanceof DiskFull ? error.code : undefined;
      this.said.failure = { message, code, isFatal: error instanceof DiskFull };
      // What comes after a part that was not read is not what it seems.
      this.letGo();
    }
    const facts = this.unpacking?.facts.line('finish' in step);
    const { files = 0, ended = false } = this.unpacking ?? {};
    if ('seal' in step) {
      this.letGo();
    }
    return {
      ...this.said,
      files,
      ended,
      ...(facts !== undefined && { facts }),
      ...('chunk' in step && { chunk: step.chunk }),
    };
  }

  private attempt(step: UnpackStep): void {
    if ('begin' in step) {
      this.buffers = step.buffers.map((buffer) => Buffer.from(buffer));
      this.unpacking = this.begin(step);
    } else if ('abandon' in step) {
      this.letGo();
    } else if (this.unpacking === undefined) {
      throw new Error('nothing is being unpacked');
    } else if ('chunk' in step) {
      const buffer = this.buffers[step.chunk] ?? Buffer.alloc(0);
      this.unpacking.push(buffer.subarray(0, step.length));
    } else if ('finish' in step) {
      this.unpacking.finish();
    } else {
      this.unpacking.seal(step.seal);
    }
  }

  private begin({ begin: folder, renaming, stop }: Extract<UnpackStep, { begin: string }>): Unpacking {
    const report: Report = {
      received: (bytes, name) => {
        this.said.received += bytes;
        this.said.current = name;
      },
      failed: (name, reason) => void this.said.failed.push([name, reason]),
      lost: (name, attributes) => void this.said.lost.push([name, attributes]),
    };
    const stopped = new Int32Array(stop);
    return new Unpacking(folder, renaming, report, () => Atomics.load(stopped, 0) === 0);
  }

  /** Keeps neither files nor memory for longer. */
  private letGo(): void {
    const { unpacking } = this;
    this.unpacking = undefined;
    this.buffers = [];
    try {
      unpacking?.close();
    } catch {
      // It is told already that the files are not whole.
    }
  }
}

function emptyAnswer(): UnpackAnswer {
  return { received: 0, current: '', failed: [], lost: [], ended: false, files: 0 };
}
