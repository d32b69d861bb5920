import { workerFile } from '../../machine/worker-file';

/** The code of the thread that an image is opened in. */
export const diskWorkerFile = (): string => workerFile(__dirname, 'disk-worker');
