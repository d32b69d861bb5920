/** An image that somebody else has saved, under another name: `docker load` would take the names of its archive. */
import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import tar, { type ExtractEvents, type Header } from 'tar-stream';
import { BerthError } from '../../../api/errors';
import { imageName, maxDocumentBytes, refName } from './documents';

type Source = ExtractEvents['entry'][1];

/** The archive of one image, with `name` (`repository:tag`) and no other. Ends with a `BerthError` for what is none. */
export function renamedImage(archive: Readable, name: string): Readable {
  const extract = tar.extract();
  const pack = tar.pack();
  extract.on('entry', (header, content, next) => {
    member(header, content, pack, name).then(() => next(), next);
  });
  const out = new Transform({
    highWaterMark: 1024 * 1024,
    transform: (chunk: Buffer, _encoding, done: TransformCallback) => done(null, chunk),
  });
  // Each hands its error on, and may say it once more when nobody listens any longer.
  archive.on('error', () => undefined);
  extract.on('error', () => undefined);
  pack.on('error', () => undefined);
  out.on('error', () => undefined);
  pipeline(archive, extract, (error) => {
    if (error) {
      out.destroy(error);
    } else {
      pack.finalize();
    }
  });
  pipeline(pack, out, () => undefined);
  out.once('close', () => archive.destroy());
  return out;
}

async function member(header: Header, content: Source, pack: tar.Pack, name: string): Promise<void> {
  const rename = renames[header.name.replace(/^\.\//, '')];
  if (rename === undefined) {
    await new Promise<void>((resolve, reject) => {
      const entry = pack.entry(header, (error) => (error ? reject(error) : resolve()));
      // Piped, the one's error is the other's too.
      entry.on('error', reject);
      content.on('error', reject);
      content.pipe(entry);
    });
    return;
  }
  const bytes = await small(header, content);
  const renamed = Buffer.from(JSON.stringify(rename(parsed(header.name, bytes), name)));
  pack.entry({ name: header.name, mode: 0o644 }, renamed);
}

/** The members that have names. */
const renames: Readonly<Record<string, (value: unknown, name: string) => unknown>> = {
  'manifest.json': (value, name) => [{ ...onlyOf(value, 'manifest.json'), RepoTags: [name] }],
  'index.json': (value, name) => {
    const { manifests, ...index } = recordOf(value, 'index.json');
    const { annotations: _, ...descriptor } = onlyOf(manifests, 'index.json');
    const annotations = { [imageName]: `docker.io/${name}`, [refName]: name.split(':').at(-1) };
    return { ...index, manifests: [{ ...descriptor, annotations }] };
  },
  // Of the oldest form; the manifest says the same.
  repositories: () => ({}),
};

async function small({ size, name }: Header, content: Source): Promise<Buffer> {
  if (size > maxDocumentBytes) {
    throw noImage(`its ${name} is too large`);
  }
  const parts: Buffer[] = [];
  for await (const part of content) {
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

function parsed(name: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw noImage(`its ${name} is no JSON`, error);
  }
}

/** One image is wanted: of several nobody knows which. */
function onlyOf(value: unknown, name: string): Record<string, unknown> {
  const all: readonly unknown[] = Array.isArray(value) ? value : [];
  if (all.length !== 1) {
    throw noImage(`its ${name} names ${all.length} images`);
  }
  return recordOf(all[0], name);
}

function recordOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw noImage(`its ${name} has another form`);
  }
  return { ...value };
}

function noImage(why: string, cause?: unknown): BerthError {
  return new BerthError('bad_request', `The archive is none of an image: ${why}.`, {
    field: 'image',
    ...(cause !== undefined && { cause }),
  });
}
