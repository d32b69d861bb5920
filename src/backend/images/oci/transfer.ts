/** Images between registries and layouts. */
import { BerthError } from '../../../api/errors';
import type { PullProgress } from '../pull-progress';
import type { Descriptor } from './documents';
import { Index, Manifest, parseDocument } from './documents';
import { readBlob, Verifier, type Part } from './blobs';
import { choose, isIndex } from './image';
import type { Layout } from './layout';
import type { Repository } from './registry';
import { throwIfCancelled } from '../../machine/wait';

const atOnce = 3;

export interface TransferOptions {
  progress: (progress: PullProgress) => void;
  signal: AbortSignal;
}

/** Into a layout, under its name; what is there already is not got again. */
export async function pullImage(
  from: Repository,
  into: Layout,
  options: TransferOptions,
): Promise<Descriptor> {
  const release = await into.hold();
  try {
    const { descriptor, bytes } = await manifestOf(from, options.signal);
    const { config, layers } = parseDocument(Manifest, bytes, `The manifest of ${from.name}`);
    await into.put(bytes);
    await each([config, ...layers], options, async (part, count, signal) => {
      if (await into.has(part)) {
        count(part.size);
      } else {
        await into.receive(await from.open(part, signal), part, { count, signal });
      }
    });
    await into.tag(from.name, descriptor);
    return descriptor;
  } finally {
    release();
  }
}

/** From a layout to the tag of its name; what is there already is not sent again. */
export async function pushImage(
  from: Layout,
  image: Descriptor,
  to: Repository,
  options: TransferOptions,
): Promise<void> {
  const release = await from.hold();
  try {
    const bytes = await readBlob(from, image, options.signal);
    const { config, layers } = parseDocument(Manifest, bytes, `The manifest of ${to.name}`);
    await each([...layers, config], options, (part, count, signal) =>
      pushPart(from, part, to, count, signal),
    );
    await to.putManifest(image, bytes, options.signal);
  } finally {
    release();
  }
}

async function pushPart(
  from: Layout,
  part: Part,
  to: Repository,
  count: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  if (await to.has(part, signal)) {
    count(part.size);
    return;
  }
  const body = new Verifier(part, from.name, count);
  const source = await from.open(part);
  source.on('error', (error) => body.destroy(error));
  body.on('close', () => source.destroy());
  await to.upload(part, source.pipe(body), signal);
}

async function manifestOf(
  from: Repository,
  signal: AbortSignal,
): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
  const found = await from.manifest(from.tag, signal);
  if (!isIndex(found.descriptor.mediaType)) {
    return found;
  }
  const { manifests } = parseDocument(Index, found.bytes, `The index of ${from.name}`);
  const chosen = await from.manifest(choose(manifests, from.name).digest, signal);
  if (isIndex(chosen.descriptor.mediaType)) {
    // By its type on record it would be read as an index whenever blobs are swept.
    throw new BerthError('bad_request', `${from.name} has an index in an index.`, { field: 'image' });
  }
  return chosen;
}

/** Several at once; the first that fails ends the others. */
async function each(
  parts: readonly Part[],
  { progress, signal }: TransferOptions,
  work: (part: Part, count: (bytes: number) => void, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const unique = [...new Map(parts.map((part) => [part.digest, part])).values()];
  const total = unique.reduce((sum, { size }) => sum + size, 0);
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let done = 0;
  const next = async (): Promise<void> => {
    for (let part = unique.shift(); part !== undefined; part = unique.shift()) {
      const current = part.digest.slice('sha256:'.length, 'sha256:'.length + 12);
      either.throwIfAborted();
      await work(part, (bytes) => progress({ done: (done += bytes), total, current }), either);
    }
  };
  const running = Array.from({ length: atOnce }, next);
  await Promise.all(running.map((one) => one.catch((error: unknown) => failed.abort(error))));
  throwIfCancelled(signal, 'move an image');
  failed.signal.throwIfAborted();
}
