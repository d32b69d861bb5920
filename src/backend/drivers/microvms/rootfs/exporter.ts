/** What the engine that has the images does for us. */
import { Transform, type Readable } from 'node:stream';
import type { ImageConfig } from '../../../images/image-config';

/** An image that the engine has, which need not be for this machine. */
export interface FoundImage {
  id: string;
  os: string;
  architecture: string;
}

export interface ImageExporter {
  /** Undefined when there is none of that name. */
  find(image: string): Promise<FoundImage | undefined>;
  /** The whole file system of an image, layers merged, as one tar. */
  exportFiles(image: string, signal: AbortSignal): Promise<Readable>;
  config(image: string): Promise<{ config: ImageConfig; sizeBytes: number }>;
}

/** Tells of bytes as they pass. */
export function counted(source: Readable, count: (bytes: number) => void): Readable {
  const counter = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      count(chunk.length);
      done(null, chunk);
    },
  });
  source.on('error', (error) => counter.destroy(error));
  counter.on('close', () => source.destroy());
  return source.pipe(counter);
}
