/** Passes a tar on, member by member, and refuses what could leave the folder that it is unpacked into. */
import { once } from 'node:events';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { extract as extractTar, pack as packTar, type Extract, type Header, type Pack } from 'tar-stream';
import { BerthError } from '../../../api/errors';

type Source = Extract extends AsyncIterable<infer Member> ? Member : never;

const owner = 1000;
const plainTypes = new Set(['file', 'contiguous-file', 'directory', 'symlink', 'link']);

/** Why a member may not be unpacked; undefined when it may. */
export function unsafeMember(header: Header): string | undefined {
  const { name, type, linkname } = header;
  if (!plainTypes.has(type)) {
    return `is a ${type}`;
  }
  if (leaves(name)) {
    return 'has a path outside of the bundle';
  }
  if (type === 'link' && leaves(linkname)) {
    return `links to ${linkname}, outside of the bundle`;
  }
  if (type === 'symlink') {
    const resolved = posix.isAbsolute(linkname) ? linkname : posix.join(posix.dirname(name), linkname);
    if (leaves(resolved)) {
      return `links to ${linkname}, outside of the bundle`;
    }
  }
  return undefined;
}

function leaves(path: string): boolean {
  const clean = posix.normalize(path);
  return posix.isAbsolute(clean) || clean === '..' || clean.startsWith('../');
}

/** The members of a tar, all owned by the workspace's user. Fails at the first that is not safe. */
export function vetTar(tar: Readable, source: string): Readable {
  const extract = extractTar();
  const pack = packTar();
  const fail = (error: unknown): void => {
    const cause = explain(source, error);
    tar.destroy();
    extract.destroy(cause);
    pack.destroy(cause);
  };
  tar.on('error', fail);
  tar.pipe(extract);
  passOn(source, extract, pack).catch(fail);
  return Readable.from(pack, { objectMode: false });
}

async function passOn(source: string, members: Extract, pack: Pack): Promise<void> {
  for await (const member of members) {
    const { header } = member;
    const reason = unsafeMember(header);
    if (reason !== undefined) {
      throw new BerthError(
        'bad_request',
        `The bundle ${source} is not safe: its member ${header.name} ${reason}.`,
        {
          hint: 'Pack it again without that member.',
          field: 'mounts',
        },
      );
    }
    const owned = { ...header, uid: owner, gid: owner, uname: '', gname: '' };
    if (header.type === 'file' || header.type === 'contiguous-file') {
      await copyContent(member, pack.entry(owned));
    } else {
      pack.entry(owned);
      member.resume();
    }
  }
  pack.finalize();
}

async function copyContent(member: Source, into: ReturnType<Pack['entry']>): Promise<void> {
  for await (const chunk of member) {
    if (!into.write(chunk)) {
      await once(into as unknown as NodeJS.EventEmitter, 'drain');
    }
  }
  into.end(undefined);
}

function explain(source: string, error: unknown): BerthError {
  if (error instanceof BerthError) {
    return error;
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') {
    return new BerthError('not_found', `The bundle ${source} is not there.`, {
      hint: 'Put it back, or take it out of the mounts.',
      field: 'mounts',
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new BerthError('bad_request', `The bundle ${source} could not be unpacked: ${message}`, {
    hint: 'It must be a .tar, .tar.gz or .tgz.',
    field: 'mounts',
    cause: error,
  });
}
