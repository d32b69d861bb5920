/** The engine's own log: JSON lines in `engine.log`, five files of at most 5 MB. */
import { dirname, basename } from 'node:path';
import pino, { type Logger } from 'pino';

export interface EngineLog {
  log: Logger;
  /** Resolves when all is written. */
  close(): Promise<void>;
}

/** Opens it. What can't be written, as on a full disk, ends nothing. */
export async function openLog(path: string, level: string): Promise<EngineLog> {
  const { createStream } = await import('rotating-file-stream');
  const stream = createStream(basename(path), { path: dirname(path), size: '5M', maxFiles: 4, mode: 0o600 });
  // A full disk must not end the engine: what can't be logged is lost.
  stream.on('error', () => undefined);
  const log = pino(
    { level, redact: ['*.privateKey', '*.secrets', '*.authorization'], base: { pid: process.pid } },
    stream,
  );
  return {
    log,
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}
