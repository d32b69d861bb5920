import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { lstatSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { BerthError } from '../../../../src/api/errors';
import { toBerthError } from '../../../../src/backend/drivers/containers/engine/docker-errors';
import { ofPath } from '../../../../src/backend/drivers/containers/runtime/root-files';
import { TarFiles } from '../../../../src/backend/files/tar-files';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';

describe('files that can be had as tars alone', function () {
  this.timeout(60_000);
  const folder = useTempFolder();
  const at = (...path: string[]): string => join(folder(), ...path);
  const open = (path: string) => {
    if (lstatSync(at(path), { throwIfNoEntry: false }) === undefined) {
      return Promise.reject(new BerthError('not_found', 'nothing'));
    }
    const [above, name] = path === '/' ? [folder(), '.'] : [at(posix.dirname(path)), posix.basename(path)];
    return Promise.resolve(spawn('tar', ['-c', '-S', '-C', above, '--', name]).stdout);
  };
  const files = new TarFiles('rootfs@w', open, () => new BerthError('illegal_state', 'no'));

  it('follows a link as the kernel does, also through `..` after another link', async () => {
    mkdirSync(at('w'));
    mkdirSync(at('y', 'z'), { recursive: true });
    writeFileSync(at('y', 'file'), 'right');
    writeFileSync(at('w', 'file'), 'wrong');
    symlinkSync('../y/z', at('w', 'folder'));
    symlinkSync('folder/../file', at('w', 'link'));
    symlinkSync('/y/./file', at('w', 'absolute'));
    symlinkSync('..', at('w', 'up'));
    symlinkSync('none', at('w', 'dangling'));
    symlinkSync('loop', at('w', 'loop'));
    for (const path of ['/w/link', '/w/absolute', '/y/file']) {
      assert.equal(await text(await files.read(path)), 'right', path);
    }
    const names = (await files.list('/w/up')).entries.map(({ name }) => name);
    assert.deepEqual(names, ['w', 'y']);
    const { type, targetType } = await files.stat('/w/folder');
    assert.deepEqual([type, targetType], ['symlink', 'directory']);
    for (const path of ['/w/dangling', '/w/loop']) {
      assert.equal((await files.stat(path)).targetType, 'missing', path);
      await failure(files.read(path), 'path_not_found');
    }
  });

  it('reads the end of a hole without what is before it', async () => {
    writeFileSync(at('hole'), '');
    truncateSync(at('hole'), 2 ** 42);
    const tail = await files.read('/hole', { offset: 2 ** 42 - 5, length: 10 });
    assert.equal(await text(tail), '\0'.repeat(5));
  });

  it('names the sockets that an engine leaves out of its tars, and asks for nothing else', async () => {
    mkdirSync(at('s', 'sub'), { recursive: true });
    writeFileSync(at('s', 'file'), '');
    symlinkSync('s', at('way'));
    const asked: string[] = [];
    const beside = {
      changed: () =>
        Promise.resolve(['/s', '/s/file', '/s/sub', '/s/sub/a\nb', '/s/sock', '/s/gone', '/other/sock']),
      isSocket: (path: string) => Promise.resolve(asked.push(path) > 0 && path !== '/s/gone'),
    };
    const opened = new TarFiles('rootfs@w', open, () => new BerthError('illegal_state', 'no'), beside);
    for (const [path, prefix] of [
      ['/s', '/s'],
      ['/', '/s'],
    ] as const) {
      const left: string[] = [];
      const unread = (each: string, reason: string): void => void left.push(`${each}: ${reason}`);
      await text(await opened.getTar(path, undefined, unread));
      await opened.receiveTar(path, () => undefined, undefined, unread);
      const reason = 'it is neither a file, a folder nor a link';
      const others = path === '/' ? ['/other/sock'] : [];
      const expected = [...others, `${prefix}/sock`, `${prefix}/sub/a\nb`].map(
        (each) => `${each}: ${reason}`,
      );
      assert.deepEqual(left, [...expected, ...expected]);
    }
    assert(!asked.includes('/s/file') && !asked.includes('/s/sub'));
    const below: string[] = [];
    await opened.receiveTar(
      '/way/sub',
      () => undefined,
      undefined,
      (each) => void below.push(each),
    );
    assert.deepEqual(below, ['/way/sub/a\nb']);
  });

  it('says where it is not known what was left out', async () => {
    const beside = {
      changed: () => Promise.reject(new Error('too busy')),
      isSocket: () => Promise.resolve(true),
    };
    const opened = new TarFiles('rootfs@w', open, () => new BerthError('illegal_state', 'no'), beside);
    const left: string[] = [];
    await opened.receiveTar(
      '/',
      () => undefined,
      undefined,
      (path, reason) => void left.push(`${path} ${reason}`),
    );
    assert.match(left.join('|'), /^\/ it is not known whether sockets were left out \(".*too busy.*"\)$/);
  });

  it('knows a socket by its own path, of which an engine has a tar with nothing in it', async () => {
    const isSocket = (path: string) => Promise.resolve(path === '/run/sock');
    const beside = { changed: () => Promise.resolve(['/run/sock']), isSocket };
    const empty = () => Promise.resolve(Readable.from([Buffer.alloc(1024)]));
    const opened = new TarFiles('rootfs@w', empty, () => new BerthError('illegal_state', 'no'), beside);
    const { name, type, size } = await opened.stat('/run/sock');
    assert.deepEqual({ name, type, size }, { name: 'sock', type: 'other', size: 0 });
    const left: string[] = [];
    const unread = (path: string): void => void left.push(path);
    await opened.receiveTar('/run/sock', () => undefined, undefined, unread);
    assert.deepEqual(left, ['/run/sock']);
    await failure(opened.stat('/run/none'), 'path_not_found');
    await failure(opened.read('/run/sock'), 'not_supported');
  });

  it('hands on a tar that it does not understand, and says that it is not known what was left out', async () => {
    const beside = { changed: () => Promise.resolve(['/a']), isSocket: () => Promise.resolve(true) };
    const odd = (): Promise<Readable> => Promise.resolve(Readable.from([Buffer.alloc(1024, 'x')]));
    const opened = new TarFiles('rootfs@w', odd, () => new BerthError('illegal_state', 'no'), beside);
    const left: string[] = [];
    const unread = (path: string, reason: string): void => void left.push(`${path} ${reason}`);
    assert.equal(await text(await opened.getTar('/', undefined, unread)), 'x'.repeat(1024));
    assert.match(left.join('|'), /^\/ it is not known whether sockets were left out \(.*\)$/);
  });

  it('says in words of its own what the container engine says of a path', () => {
    const from = (text: string) => {
      const answer = Object.assign(new Error(`(HTTP code 500) server error - ${text}`), { statusCode: 500 });
      return ofPath('/a/b', toBerthError(answer, 'read /a/b'));
    };
    const code = (error: unknown) => (error instanceof BerthError ? [error.code, error.message] : []);
    assert.deepEqual(code(from('lstat /var/lib/x/a/b: not a directory')), [
      'not_a_directory',
      '"/a/b", or a part of it, is not a folder.',
    ]);
    assert.deepEqual(code(from('evalSymlinksInScope: too many links in /var/lib/x')), [
      'path_not_found',
      'Too many links on the way to "/a/b".',
    ]);
    assert.equal(code(from('something else'))[0], 'internal');
  });
});
