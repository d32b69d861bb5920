/** The thread's side of unpacking: does a step, and says what came of it. */
import type { Renaming, UnpackAnswer, UnpackStep } from './messages';
import { DiskFull, Unpacking } from './unpacking';

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
      const { message } = error instanceof Error ? error : new Error(String(error));
      const code = error instanceof DiskFull ? error.code : undefined;
      this.said.failure = { message, code, isFatal: error instanceof DiskFull };
    }
    const facts = this.unpacking?.facts.line('finish' in step);
    return {
      ...this.said,
      files: this.unpacking?.files ?? 0,
      ended: this.unpacking?.ended ?? false,
      ...(facts !== undefined && { facts }),
      ...('chunk' in step && { chunk: step.chunk }),
    };
  }

  private attempt(step: UnpackStep): void {
    if ('begin' in step) {
      this.buffers = step.buffers.map((buffer) => Buffer.from(buffer));
      this.begin(step.begin, step.renaming);
    } else if ('chunk' in step) {
      const buffer = this.buffers[step.chunk];
      if (buffer !== undefined) this.unpacking?.push(buffer.subarray(0, step.length));
    } else if ('finish' in step) {
      this.unpacking?.finish();
    } else if ('seal' in step) {
      this.unpacking?.seal(step.seal);
    } else {
      this.unpacking?.close();
      this.unpacking = undefined;
      this.buffers = [];
    }
  }

  private begin(folder: string, renaming: Renaming): void {
    this.unpacking = new Unpacking(folder, renaming, {
      received: (bytes, name) => {
        this.said.received += bytes;
        this.said.current = name;
      },
      failed: (name, reason) => void this.said.failed.push([name, reason]),
      lost: (name, attributes) => void this.said.lost.push([name, attributes]),
    });
  }
}

function emptyAnswer(): UnpackAnswer {
  return { received: 0, current: '', failed: [], lost: [], ended: false, files: 0 };
}
