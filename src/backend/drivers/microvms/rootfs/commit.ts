/** The root file system of a stopped microVM as an image of one layer, without mounting it. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { DiskWorker } from '../../../files/disk/disk-worker';
import { makeFit, readSuperblock } from '../../../ext4/fitness';
import { numberOf } from '../../../files/agent/replies';
import type { ImageConfig } from '../../../images/image-config';
import type { Part } from '../../../images/oci/blobs';
import { mediaTypes, type Descriptor } from '../../../images/oci/documents';
import { ownArchitecture } from '../../../images/oci/image';
import type { Layout } from '../../../images/oci/layout';
import type { TransferOptions } from '../../../images/oci/transfer';
import { throwIfCancelled } from '../../../machine/wait';

/** Enough for most of what there is to save, at three times the speed. */
const gzipLevel = 1;
const pieceTimeoutMs = 600_000;
/** What belongs to this very machine, and what Berth mounts. */
const left = ['lost+found', '.berth', '.dockerenv'];
const emptied = ['etc/hostname', 'etc/hosts', 'etc/resolv.conf', 'etc/machine-id'];

export interface CommitSource {
  /** For people. */
  name: string;
  /** A raw copy of the disk, ours alone. */
  disk: string;
  /** How the image that it was made of is run. */
  config: ImageConfig;
  /** Absolute paths of files that are not to be in the image. */
  without: readonly string[];
}

/** Adds the image to the layout, without a name yet. */
export async function commitDisk(
  source: CommitSource,
  layout: Layout,
  options: TransferOptions,
): Promise<{ id: string; descriptor: Descriptor }> {
  await makeFit(source.name, source.disk);
  const { layer, diffId } = await packLayer(source, layout, options);
  const created = new Date().toISOString();
  const { env, user, workdir, entrypoint, cmd } = source.config;
  const document = {
    ...{ created, architecture: ownArchitecture(), os: 'linux' },
    config: {
      Env: env,
      ...(user !== '' && { User: user }),
      ...(workdir !== '' && { WorkingDir: workdir }),
      ...(entrypoint.length > 0 && { Entrypoint: entrypoint }),
      ...(cmd.length > 0 && { Cmd: cmd }),
    },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, created_by: 'berth commit', comment: `The root file system of ${source.name}` }],
  };
  const config = await layout.put(Buffer.from(JSON.stringify(document)));
  const manifest = {
    ...{ schemaVersion: 2, mediaType: mediaTypes.manifest },
    config: { mediaType: mediaTypes.config, ...config },
    layers: [{ mediaType: mediaTypes.layer, ...layer }],
  };
  const part = await layout.put(Buffer.from(JSON.stringify(manifest)));
  const platform = { architecture: ownArchitecture(), os: 'linux' };
  return { id: config.digest, descriptor: { mediaType: mediaTypes.manifest, ...part, platform } };
}

async function packLayer(
  source: CommitSource,
  layout: Layout,
  { progress, signal }: TransferOptions,
): Promise<{ layer: Part; diffId: string }> {
  const total = Math.max(1, (await readSuperblock(source.name, source.disk)).usedBytes);
  let done = 0;
  const inside = new Hasher((bytes) => {
    done += bytes;
    progress({ done: Math.min(done, total), total, current: 'packing' });
  });
  const outside = new Hasher();
  const worker = new DiskWorker(source.name, { path: source.disk });
  try {
    await worker.start();
    const layer = await layout.write(async (draft) => {
      const file = createWriteStream(draft, { mode: 0o600, flags: 'wx' });
      const gzip = createGzip({ level: gzipLevel, chunkSize: 256 * 1024 });
      await pipeline(tarOf(worker, source.without, signal), inside, gzip, outside, file, { signal });
      return { digest: outside.digest, size: outside.size };
    });
    return { layer, diffId: inside.digest };
  } catch (error) {
    throwIfCancelled(signal, 'commit');
    throw error;
  } finally {
    await worker.end();
  }
}

async function* tarOf(
  { channel }: DiskWorker,
  without: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const fields = {
    ...{ path: '/', whole: true, emptied },
    without: [...left, ...without.map((path) => path.replace(/^\/+/, ''))],
  };
  const { ok } = await channel.request('tar_open', fields, { signal });
  const handle = numberOf(ok.handle, 'a handle');
  for (;;) {
    const { payload } = await channel.request('tar_next', { handle }, { signal, timeoutMs: pieceTimeoutMs });
    if (payload.length === 0) {
      return;
    }
    yield payload;
  }
}

class Hasher extends Transform {
  size = 0;
  private readonly hash = createHash('sha256');
  private result = '';

  constructor(count: (bytes: number) => void = () => undefined) {
    super({
      transform: (chunk: Buffer, _encoding, done) => {
        this.size += chunk.length;
        this.hash.update(chunk);
        count(chunk.length);
        done(null, chunk);
      },
      flush: (done) => {
        this.result = `sha256:${this.hash.digest('hex')}`;
        done();
      },
    });
  }

  get digest(): string {
    return this.result;
  }
}
