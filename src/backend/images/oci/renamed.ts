/**
 * An image that somebody else has saved, under another name: `docker load` would take the names of its archive. Who loads it
 * unpacks it with rules of its own, so it gets members alone that have one meaning for everybody.
 */
import { posix } from 'node:path';
import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import tar, { type ExtractEvents, type Header } from 'tar-stream';
import { BerthError } from '../../../api/errors';
import { mebibyte } from '../../../api/rules/sizes';
import { imageName, maxDocumentBytes, refName } from './documents';

type Source = ExtractEvents['entry'][1];
type Passed = Pick<Header, 'name' | 'type' | 'size'> & Partial<Header>;

/** An image has up to a few hundred layers, and in the oldest form four members for each. */
const maxMembers = 20_000;
const shownName = 200;
/** A layer that is another one as well: of Docker before 25, and of Podman. */
const linkName = /^[0-9a-f]{64}\/layer\.tar$/;
const linkTarget = /^\.\.\/[0-9a-f]{64}(\/layer)?\.tar$/;

/** The archive of one image, with `name` (`repository:tag`) and no other. Ends with a `BerthError` for what is none. */
export function renamedImage(archive: Readable, name: string): Readable {
  const extract = tar.extract();
  const pack = tar.pack();
  const members = new Members();
  extract.on('entry', (header, content, next) => {
    member(members, header, content, pack, name).then(() => next(), next);
  });
  const out = new Transform({
    highWaterMark: mebibyte,
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

/** Those that were there, by the one name that each has. */
class Members {
  private readonly seen = new Map<string, Header['type']>();

  /** What is passed on of a member; undefined for the folder of all. Throws `bad_request` for all that an image needs not. */
  admit({ name: given, type, size, mode, linkname }: Header): Passed | undefined {
    const name = plainName(given, type);
    const isLink = type === 'symlink' && linkName.test(name) && linkTarget.test(linkname);
    if (!isLink && type !== 'file' && !(type === 'directory' && renames[name] === undefined)) {
      throw noImage(`its ${shown(given)} is neither a file nor a folder`);
    }
    const before = this.seen.get(name);
    if (before !== undefined && (before !== 'directory' || type !== 'directory')) {
      throw noImage(`it has ${shown(given)} twice`);
    }
    this.seen.set(name, type);
    if (this.seen.size > maxMembers) {
      throw noImage(`it has more than ${maxMembers} members`);
    }
    const header = { name, type, mode: mode & 0o777, mtime: new Date(0) };
    if (isLink) {
      return { ...header, size: 0, linkname };
    }
    return name === '' ? undefined : { ...header, size: type === 'file' ? size : 0 };
  }
}

/** Without what can be said in two ways. */
function plainName(given: string, type: Header['type']): string {
  const name = given.replace(/^\.\//, '').replace(type === 'directory' ? /\/$/ : /^$/, '');
  if (type === 'directory' && (name === '' || name === '.')) {
    return '';
  }
  const isPlain = /^[\w.+@:-]+(\/[\w.+@:-]+)*$/.test(name) && posix.normalize(name) === name;
  if (!isPlain || /^\.\.?(\/|$)/.test(name)) {
    throw noImage(`it has ${shown(given)}`);
  }
  return name;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, shownName));
}

async function member(
  members: Members,
  given: Header,
  content: Source,
  pack: tar.Pack,
  wanted: string,
): Promise<void> {
  const header = members.admit(given);
  if (header === undefined) {
    content.resume();
    return;
  }
  const rename = header.type === 'file' ? renames[header.name] : undefined;
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
  const renamed = Buffer.from(JSON.stringify(rename(parsed(header.name, bytes), wanted)));
  pack.entry({ name: header.name, mode: 0o644 }, renamed);
}

/** The members that have names. */
const renames: Readonly<Record<string, ((value: unknown, name: string) => unknown) | undefined>> = {
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

async function small({ size, name }: Pick<Header, 'size' | 'name'>, content: Source): Promise<Buffer> {
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
