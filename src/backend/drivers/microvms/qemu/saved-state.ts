/**
 * A machine's state in a file, and back. It leaves QEMU by a socket that we listen on, because its other ways out
 * run a shell or need a descriptor passed to it; it goes in as an inherited descriptor, which copies nothing.
 */
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import { readIfPresent } from '../../../machine/files';
import { replaceFile, writeWhole } from '../../../machine/whole-file';
import { waitFor } from '../../../machine/wait';
import type { QmpClient } from './qmp';

/** What `-incoming` is given for the file that `startDetached` opens. */
export const incomingInput = 'fd:3';
const unlimited = Number.MAX_SAFE_INTEGER;
const restorePollMs = 3;
const readBytes = mebibyte;

export interface SaveOptions {
  /** A free path for the socket. */
  socket: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * Writes the state of a machine that stands still; the file is there when it is whole, else not at all, and so is its
 * checksum beside it. Throws `timeout`, and what QEMU could not write.
 */
export async function saveState(qmp: QmpClient, file: string, options: SaveOptions): Promise<void> {
  const server = createServer({ pauseOnConnect: true });
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  const outcome = new Migration(qmp);
  try {
    await rm(options.socket, { force: true });
    server.listen(options.socket);
    await once(server, 'listening', { signal });
    await writeWhole(file, async (draft) => {
      const received = receive(server, draft, signal);
      received.catch(() => undefined);
      try {
        await sendState(qmp, options.socket);
        const [checksum] = await Promise.all([received, outcome.completed(signal)]);
        await replaceFile(checksumOf(file), checksum);
      } catch (error) {
        await cancelSave(qmp);
        throw error;
      }
    });
  } catch (error) {
    await rm(checksumOf(file), { force: true });
    throw explain(error, timeout.aborted, options.timeoutMs);
  } finally {
    outcome.forget();
    server.close();
    await rm(options.socket, { force: true });
  }
}

/** Begins to send a machine's state to a socket. */
async function sendState(qmp: QmpClient, socket: string): Promise<void> {
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': unlimited });
  await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] });
  await qmp.execute('migrate', { uri: `unix:${socket}` });
}

/** Ends a migration under way; fine when there is none. */
async function cancelSave(qmp: QmpClient): Promise<void> {
  await qmp.execute('migrate_cancel').catch(() => undefined);
}

/** Waits until a machine started with `-incoming` has read all of it; it stands still then. */
export async function waitUntilRestored(qmp: QmpClient, timeoutMs: number): Promise<void> {
  const isRestored = async (): Promise<true | undefined> =>
    statusOf(await qmp.execute('query-status')) === 'inmigrate' ? undefined : true;
  await waitFor(isRestored, { what: "a machine's state to be read", timeoutMs, intervalMs: restorePollMs });
}

/** E.g. `running`, `paused`, `postmigrate`, `inmigrate` (RunState of qapi/run-state.json). */
export function statusOf(answer: unknown): string {
  return typeof answer === 'object' && answer !== null && 'status' in answer ? String(answer.status) : '';
}

/** Follows one migration by its events. */
class Migration {
  private settle: (status: string) => void = () => undefined;
  private readonly status = new Promise<string>((resolve) => (this.settle = resolve));
  readonly forget: () => void;

  constructor(qmp: QmpClient) {
    this.forget = qmp.onEvent(({ event, data }) => {
      const status = String(data.status);
      if (event === 'MIGRATION' && ['completed', 'failed', 'cancelled'].includes(status)) {
        this.settle(status);
      }
    });
    void qmp.closed.then(() => this.settle('cut off'));
  }

  async completed(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<string>((resolve) => {
      signal.addEventListener('abort', () => resolve('given up'), { once: true });
    });
    const status = await Promise.race([this.status, aborted]);
    if (status !== 'completed') {
      throw new BerthError('internal', `QEMU did not save the machine: ${status}.`);
    }
  }
}

/** The first connection, until its end, in a file; answers its checksum. */
async function receive(server: Server, file: string, signal: AbortSignal): Promise<string> {
  const [socket] = (await once(server, 'connection', { signal })) as [Socket];
  const hash = createHash('sha256');
  async function* hashed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  }
  await pipeline(socket, hashed, createWriteStream(file, { mode: 0o600 }), { signal });
  return hash.digest('hex');
}

/** Where the checksum of a saved state lies. */
export function checksumOf(state: string): string {
  return `${state}.sum`;
}

/** False for one whose content is not what was saved. What an earlier version saved has no checksum, and is taken. */
export async function isIntact(state: string): Promise<boolean> {
  const expected = await readIfPresent(checksumOf(state));
  if (expected === undefined) {
    return true;
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(state, { highWaterMark: readBytes }), hash);
  return hash.digest('hex') === expected.trim();
}

function explain(error: unknown, isLate: boolean, timeoutMs: number): unknown {
  return isLate
    ? new BerthError('timeout', `Timed out after ${timeoutMs / 1000} s waiting for QEMU to save a machine.`)
    : error;
}
