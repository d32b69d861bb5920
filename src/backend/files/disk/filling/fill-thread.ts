/** What runs in the thread that fills a new file system. */
import type { MessagePort } from 'node:worker_threads';
import { asDiskError } from '../../../ext4/disk-error';
import { Filler } from './filler';
import type { FromFiller, ToFiller } from './steps';

export interface FillData {
  image: string;
  /** The file that pieces of files are in. */
  contents: string;
}

/** Whether a worker was started to fill a file system. */
export function isFillData(data: unknown): data is { fill: FillData } {
  return typeof data === 'object' && data !== null && 'fill' in data;
}

/** Takes steps from the port until the last one, and answers what was left out, or why it failed. */
export function serveFilling(port: MessagePort, { image, contents }: FillData): void {
  const post = (message: FromFiller): void => port.postMessage(message);
  const guarded = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      const { code, detail } = asDiskError(error);
      post({ failed: { code, detail } });
      port.close();
    }
  };
  guarded(() => {
    const filler = Filler.open(image, contents, () => post('writing'));
    port.on('message', (message: ToFiller) =>
      guarded(() => {
        if (message === 'end') {
          filler.end();
          filler.close();
          post({ ended: filler.leftOut });
          port.close();
        } else {
          filler.take(message.step);
          post('done');
        }
      }),
    );
  });
}
