/** Tars through an agent's channel, a piece at a time; contents of large files may take a shorter way. */
import type { Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import type { BulkAccess } from './access';
import type { AgentChannel } from './channel';
import { failedOf, lostOf, numberOf, stringsOf, textOf } from './replies';
import { quote } from '../../../api/rules/volume-path';
import { notCopied } from '../../tar/losses';
import { pieceZeros } from '../../tar/sparse-sink';
import { TarReader } from '../../tar/read';
import type { TakeChunk, TarSource } from '../../tar/flow';
import type { Loss, PutTarOptions, Unread } from '../volume-files';

/** Writing to a slow disk takes its time. */
const pieceTimeoutMs = 600_000;
const pieceSize = 1024 * 1024;
const inFlight = 2;

export interface TarRequest {
  /** In the volume, without links. */
  path: string;
  /** Absent: everything comes through the channel. */
  bulk?: BulkAccess | undefined;
  signal?: AbortSignal | undefined;
  unread: Unread;
  /** Where the agent notes what it reads. */
  note?: string | undefined;
  /** Told of sockets, which no tar can carry. */
  leftOut?: Unread | undefined;
}

interface Bulk {
  path: string;
  size: number;
}

/** Hands over the tar of a path in chunks. */
export async function receiveTar(channel: AgentChannel, request: TarRequest, take: TakeChunk): Promise<void> {
  const { path, bulk, signal, unread, leftOut, note } = request;
  const open = { path, note, ...(bulk !== undefined && { bulk: bulk.minBytes }) };
  const { ok } = await channel.request('tar_open', open, { signal });
  const handle = numberOf(ok.handle, 'a handle');
  const ask = () => {
    const answer = channel.request('tar_next', { handle }, { signal, timeoutMs: pieceTimeoutMs });
    answer.catch(() => undefined);
    return answer;
  };
  try {
    for (let next = ask(); ;) {
      const { ok: reply, payload } = await next;
      const isLast = reply.end === true;
      next = isLast ? next : ask();
      if (payload.length > 0) {
        await take(payload);
        channel.release(payload);
      }
      const wanted = bulkOf(reply);
      if (wanted !== undefined && bulk !== undefined) {
        await insert(bulk, wanted, take, request);
      }
      if (isLast) {
        failedOf(reply.failed).forEach((each) => unread(each.path, each.reason));
        stringsOf(reply.left_out).forEach((path) => leftOut?.(path, notCopied));
        return;
      }
    }
  } finally {
    await channel.request('tar_close', { handle }).catch(() => undefined);
  }
}

function bulkOf({ bulk }: Readonly<Record<string, unknown>>): Bulk | undefined {
  if (typeof bulk !== 'object' || bulk === null) {
    return undefined;
  }
  const { path, size }: { path?: unknown; size?: unknown } = bulk;
  return { path: textOf(path, 'a path'), size: numberOf(size, 'a size') };
}

/** As many bytes as the tar's header says, whatever became of the file meanwhile. */
async function insert(bulk: BulkAccess, file: Bulk, take: TakeChunk, request: TarRequest): Promise<void> {
  let left = file.size;
  const piece = (bytes: Buffer): Promise<void> | undefined => {
    const wanted = bytes.subarray(0, left);
    left -= wanted.length;
    return wanted.length === 0 ? undefined : take(wanted);
  };
  const reader = new TarReader({
    entry: (_entry, content) => piece(content),
    large: () => ({
      piece,
      hole: (length) => pieceZeros(piece, Math.min(length, left)),
      end: () => undefined,
    }),
  });
  let reason = 'it became shorter while it was read';
  try {
    await bulk.read(file.path, (chunk) => reader.push(chunk), request.signal);
  } catch (error) {
    if (request.signal?.aborted === true || !(error instanceof BerthError) || error.code !== 'not_found') {
      throw error;
    }
    reason = 'it was removed while it was read';
  }
  if (left > 0) {
    request.unread(file.path, reason);
  }
  await pieceZeros(piece, left);
}

/**
 * Unpacks a tar into a folder; answers what the files there could not keep. Throws `cancelled`, and what the agent
 * refuses.
 */
export async function sendTar(
  channel: AgentChannel,
  folder: string,
  tar: Readable | TarSource,
  signal?: AbortSignal,
  options: PutTarOptions = {},
): Promise<{ lost: Loss[]; failed: { path: string; reason: string }[] }> {
  const { ok } = await channel.request(
    'untar_open',
    { folder, rights: options.keepRights === true },
    { signal },
  );
  const handle = numberOf(ok.handle, 'a handle');
  const sending = new Sending(channel, handle, signal);
  try {
    await ('next' in tar ? sending.source(tar) : sending.stream(tar));
    const end = { handle, number: sending.number };
    const { ok: reply } = await channel.request('untar_end', end, { signal, timeoutMs: pieceTimeoutMs });
    return { lost: lostOf(reply.lost), failed: failedOf(reply.failed ?? []) };
  } catch (error) {
    await sending.settle();
    await channel.request('tar_close', { handle }).catch(() => undefined);
    throw signal?.aborted === true ? new BerthError('cancelled', 'Cancelled.', { cause: error }) : error;
  }
}

/** A few pieces at once; their numbers say in which order they belong. */
class Sending {
  number = 0;
  private readonly queue: Promise<unknown>[] = [];

  constructor(
    private readonly channel: AgentChannel,
    private readonly handle: number,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async source(tar: TarSource): Promise<void> {
    try {
      for (let chunk = await tar.next(); chunk !== undefined; chunk = await tar.next()) {
        const mine = chunk;
        await this.send(mine, () => tar.release(mine));
      }
      await Promise.all(this.queue);
    } finally {
      await tar.close();
    }
  }

  async stream(tar: Readable): Promise<void> {
    let gathered: Buffer[] = [];
    let size = 0;
    const flush = async (): Promise<void> => {
      const payload = gathered.length === 1 && gathered[0] ? gathered[0] : Buffer.concat(gathered, size);
      [gathered, size] = [[], 0];
      await this.send(payload);
    };
    try {
      for await (const chunk of tar) {
        gathered.push(chunk as Buffer);
        size += (chunk as Buffer).length;
        if (size >= pieceSize) {
          await flush();
        }
      }
      if (size > 0) {
        await flush();
      }
      await Promise.all(this.queue);
    } finally {
      tar.destroy();
    }
  }

  async settle(): Promise<void> {
    await Promise.allSettled(this.queue);
  }

  private async send(payload: Buffer, sent: () => void = () => undefined): Promise<void> {
    this.signal?.throwIfAborted();
    const request = { handle: this.handle, number: this.number++ };
    const answer = this.channel.request('untar', request, { payload, timeoutMs: pieceTimeoutMs }).then(sent);
    answer.catch(() => undefined);
    this.queue.push(answer);
    if (this.queue.length >= inFlight) {
      await this.queue.shift();
    }
  }
}

/** Something of a tree is missing in its tar. */
export function unreadable(what: string): BerthError {
  return new BerthError('internal', `Not all could be read: ${what}.`);
}

/** A tar that lacks something must not be taken for one that is complete. */
export function failWith(stream: Readable): Unread {
  return (path, reason) => void stream.destroy(unreadable(`${quote(path)}: ${reason}`));
}
