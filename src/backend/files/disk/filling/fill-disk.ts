/** Fills a new file system in a worker thread, so that the engine goes on meanwhile. */
import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BerthError, isErrorCode } from '../../../../api/errors';
import { diskWorkerFile } from '../worker-file';
import type { FillData } from './fill-thread';
import type { FolderStep, FromFiller, ToFiller } from './steps';
import type { LeftOut } from '../../../tar/losses';

/** Steps that are on their way: enough that the thread never waits. */
const ahead = 4;
const silentMs = 120_000;
const memoryMiB = 2048;

export interface FillOptions extends FillData {
  signal?: AbortSignal | undefined;
  /** Called when a step is written, with how many bytes of files it had. */
  wrote?: (bytes: number) => void;
}

/**
 * Answers in words what was left out. The image is of no use when it fails or is cancelled. Throws `timeout` when
 * nothing is written any more, `cancelled`, and what the writer could not do.
 */
export async function fillDisk(
  { image, contents, signal, wrote = () => undefined }: FillOptions,
  steps: Iterable<FolderStep>,
): Promise<LeftOut> {
  const worker = new Worker(diskWorkerFile(), {
    workerData: { fill: { image, contents } satisfies FillData },
    resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
  });
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), silentMs);
  const stop = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  try {
    const left = feed(worker, steps, wrote);
    for await (const [message] of on(worker, 'message', { signal: stop, close: ['exit'] }) as AsyncIterable<
      [FromFiller]
    >) {
      timer.refresh();
      const answer = take(message, left);
      if (answer !== undefined) {
        return answer;
      }
    }
    throw new BerthError('internal', 'Could not fill the disk: its writer ended before it was done.');
  } catch (error) {
    throw silence.signal.aborted
      ? new BerthError('timeout', `Could not fill the disk: nothing was written for ${silentMs / 1000} s.`, {
          hint: 'The disk that holds it may be overloaded or broken.',
          cause: error,
        })
      : error;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

/** Answers what is called when a step is done, and sends the next one. */
function feed(worker: Worker, steps: Iterable<FolderStep>, wrote: (bytes: number) => void): () => void {
  const sizes: number[] = [];
  const rest = steps[Symbol.iterator]();
  let isEnded = false;
  const next = (): void => {
    const step: IteratorResult<FolderStep, unknown> = rest.next();
    if (step.done !== true) {
      sizes.push(bytesOf(step.value));
      worker.postMessage({ step: step.value } satisfies ToFiller);
    } else if (!isEnded) {
      isEnded = true;
      worker.postMessage('end' satisfies ToFiller);
    }
  };
  for (let count = 0; count < ahead; count++) {
    next();
  }
  return () => {
    wrote(sizes.shift() ?? 0);
    next();
  };
}

/** Of the files that come with a step, without their holes. */
function bytesOf({ children }: FolderStep): number {
  return children.flatMap(({ made }) => made?.pieces ?? []).reduce((sum, { length }) => sum + length, 0);
}

/** What was left out, at the end. */
function take(message: FromFiller, next: () => void): LeftOut | undefined {
  if (message === 'done') {
    next();
  } else if (message !== 'writing' && 'ended' in message) {
    return message.ended;
  } else if (message !== 'writing') {
    throw explain(message.failed);
  }
  return undefined;
}

function explain({ code, detail }: { code: string; detail?: string | undefined }): BerthError {
  return code === 'no_space'
    ? new BerthError(
        'no_space',
        `The content does not fit into the disk${detail === undefined ? '' : `: ${detail}`}.`,
        {
          hint: 'Give the disk a larger size, or make room on the disk that holds it.',
        },
      )
    : new BerthError(isErrorCode(code) ? code : 'internal', `Could not fill the disk: ${detail ?? code}.`);
}
