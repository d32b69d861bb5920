import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { TarEntry } from '../../../../../../src/backend/tar/header';
import { unsafeMember, vetTar } from '../../../../../../src/backend/tar/vetting';
import { demultiplex } from '../../../../../../src/backend/drivers/containers/engine/demux';
import { toBerthError } from '../../../../../../src/backend/drivers/containers/engine/docker-errors';
import { imageContext } from '../../../../../../src/backend/drivers/containers/images/image-context';
import { followProgress } from '../../../../../../src/backend/drivers/containers/engine/progress-stream';
import { PullSum } from '../../../../../../src/backend/drivers/containers/images/pull-progress';
import { registryAuth } from '../../../../../../src/backend/images/registry-auth';
import { linesOf, withErrorsOf } from '../../../../../../src/backend/drivers/containers/engine/streams';
import { readBanner } from '../../../../../../src/backend/inside/ssh-banner';
import { waitFor } from '../../../../../../src/backend/machine/wait';

const frame = (id: number, text: string): Buffer => {
  const body = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = id;
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
};
const read = async (stream: Readable): Promise<string> => (await stream.toArray()).join('');

describe('the stream of a container', () => {
  it('is split, however it is cut', async () => {
    const whole = Buffer.concat([frame(1, 'out '), frame(2, 'err'), frame(1, ''), frame(1, 'more')]);
    for (const size of [1, 3, 7, 100]) {
      const chunks = [];
      for (let at = 0; at < whole.length; at += size) {
        chunks.push(whole.subarray(at, at + size));
      }
      const { stdout, stderr, done } = demultiplex(Readable.from(chunks));
      assert.deepEqual([await read(stdout), await read(stderr)], ['out more', 'err'], `chunks of ${size}`);
      await done;
    }
  });

  it('hands on that it broke, and is held back by a slow reader', async () => {
    const source = new PassThrough();
    const { stdout, stderr, done } = demultiplex(source);
    stderr.on('error', () => undefined);
    source.write(frame(1, 'x'));
    source.destroy(new Error('lost'));
    await assert.rejects(read(stdout), /lost/);
    await assert.rejects(done, /lost/);

    let produced = 0;
    const endless = new Readable({
      read() {
        produced += 1;
        this.push(frame(1, 'x'.repeat(10_000)));
      },
    });
    const slow = demultiplex(endless);
    await new Promise((wake) => setTimeout(wake, 50));
    const before = produced;
    await new Promise((wake) => setTimeout(wake, 50));
    assert.equal(produced, before, 'nobody reads, so nothing is read');
    slow.stdout.on('error', () => undefined);
    slow.stderr.on('error', () => undefined);
    endless.destroy(new Error('end of the test'));
  });
});

describe('lines', () => {
  it('are whole, however they are cut, and the last needs no end', async () => {
    const chunks = [...Buffer.from('größe\r\nb\n\nlast')].map((byte) => Buffer.from([byte]));
    const seen: string[] = [];
    for await (const line of linesOf(Readable.from(chunks))) {
      seen.push(line);
    }
    assert.deepEqual(seen, ['größe', 'b', '', 'last']);
  });
});

describe('progress', () => {
  it('of a pull is summed over layers and never goes back', () => {
    const sum = new PullSum();
    sum.add({ id: 'a', status: 'Downloading', progressDetail: { current: 10, total: 100 } });
    sum.add({ id: 'b', status: 'Downloading', progressDetail: { current: 5, total: 50 } });
    const both = sum.add({ id: 'a', status: 'Downloading', progressDetail: { current: 40, total: 100 } });
    assert.deepEqual(both, { done: 45, total: 150, current: 'a: Downloading' });
    assert.equal(sum.add({ id: 'a', status: 'Download complete' }).done, 105);
    assert.equal(
      sum.add({ id: 'a', status: 'Extracting', progressDetail: { current: 1, total: 9 } }).done,
      105,
    );
    assert.equal(sum.add({ status: 'Digest: sha256:1' }).total, 150);
  });

  it('throws the error that comes inside of an answer', async () => {
    const lines = Readable.from([
      Buffer.from('{"status":"x"}\n{"error":"short","errorDetail":{"message":"long"}}\n'),
    ]);
    await assert.rejects(
      followProgress(lines, new AbortController().signal, () => undefined),
      /long/,
    );
  });

  it('ends when it is cancelled', async () => {
    const abort = new AbortController();
    const endless = new PassThrough();
    endless.write('{"status":"one"}\n');
    await assert.rejects(
      followProgress(endless, abort.signal, () => abort.abort()),
      { code: 'cancelled' },
    );
    assert.ok(endless.destroyed);
  });
});

describe('passwords of registries', () => {
  let home: string;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'berth-auth-'));
    await mkdir(join(home, '.docker'));
    await mkdir(join(home, 'bin'));
    const helper =
      '#!/bin/sh\nread server\n[ "$1" = get ] && printf \'{"Username":"u","Secret":"for %s"}\' "$server"\n';
    await writeFile(join(home, 'bin', 'docker-credential-test'), helper, { mode: 0o755 });
  });
  after(() => rm(home, { recursive: true, force: true }));
  const ask = async (settings: object, registry: string | undefined) => {
    await writeFile(join(home, '.docker', 'config.json'), JSON.stringify(settings));
    const env = { PATH: `${join(home, 'bin')}:${process.env.PATH ?? ''}` };
    return registryAuth(registry, { env, home, platform: 'linux', uid: 0 });
  };
  const auth = Buffer.from('me:pass:word').toString('base64');

  it('come from the settings, from helpers, or not at all', async () => {
    assert.equal(await ask({}, 'r.example'), undefined);
    const plain = await ask({ auths: { 'https://r.example': { auth } } }, 'r.example');
    assert.deepEqual(plain, { username: 'me', password: 'pass:word', serveraddress: 'https://r.example' });
    const hub = await ask({ auths: { 'https://index.docker.io/v1/': { auth } } }, undefined);
    assert.equal(hub?.username, 'me');
    const helped = await ask({ credHelpers: { 'r.example': 'test' } }, 'r.example');
    assert.deepEqual(helped, { username: 'u', password: 'for r.example', serveraddress: 'r.example' });
    const broken = await ask({ credsStore: 'no-such', auths: { 'r.example': { auth } } }, 'r.example');
    assert.equal(broken?.username, 'me');
    assert.equal(await ask({ credsStore: '../../bin/sh' }, 'r.example'), undefined);
  });
});

describe('members of a bundle', () => {
  const member = (changes: Partial<TarEntry>): TarEntry => ({
    ...{ name: 'a', type: 'file', linkName: '', size: 0, mode: 0o644, uid: 0, gid: 0, mtimeMs: 0 },
    ...changes,
  });

  it('stay inside', () => {
    for (const name of ['a', './a/b', 'a/../b', 'folder/']) {
      assert.equal(unsafeMember(member({ name })), undefined, name);
    }
    for (const name of ['/etc/passwd', '../a', 'a/../../b', '..']) {
      assert.match(unsafeMember(member({ name })) ?? '', /outside/, name);
    }
  });

  it('are of a file that may be gone before anybody reads', async () => {
    const gone = createReadStream('/no/such/bundle.tar');
    const members = vetTar(gone, 'bundle.tar');
    await new Promise<void>((resolve) => gone.once('close', resolve));
    await assert.rejects(members.toArray(), { code: 'not_found', field: 'mounts' });
    const unread = createReadStream(__filename);
    vetTar(unread, 'unread').destroy();
    await new Promise<void>((resolve) => unread.once('close', resolve));
  });

  it('may link to one another only, and are plain', () => {
    assert.equal(unsafeMember(member({ name: 'd/l', type: 'symlink', linkName: '../x' })), undefined);
    assert.match(
      unsafeMember(member({ name: 'd/l', type: 'symlink', linkName: '../../x' })) ?? '',
      /outside/,
    );
    assert.match(unsafeMember(member({ name: 'l', type: 'symlink', linkName: '/etc' })) ?? '', /outside/);
    assert.match(unsafeMember(member({ name: 'l', type: 'link', linkName: '../x' })) ?? '', /outside/);
    assert.match(
      unsafeMember(
        member({ name: 'd', type: 'other', special: { kind: 'character', major: 1, minor: 3 } }),
      ) ?? '',
      /character device/,
    );
  });
});

describe('the build context', () => {
  it('is the same for the same files, and brings the certificates of this machine', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-context-'));
    try {
      const certificates = join(folder, 'trusted');
      await mkdir(join(folder, 'images', 'sub'), { recursive: true });
      await mkdir(certificates);
      await writeFile(join(folder, 'images', 'Dockerfile'), 'FROM scratch\n');
      await writeFile(join(folder, 'images', 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
      await writeFile(join(certificates, 'own.crt'), 'CERT');
      await writeFile(join(certificates, 'notes.txt'), 'x');
      const build = async (): Promise<Buffer> =>
        buffer(await imageContext(join(folder, 'images'), certificates));
      const first = await build();
      assert.deepEqual(await build(), first);
      const names = first.toString('latin1').match(/(Dockerfile|sub\/run\.sh|ca\/host-own\.crt|notes\.txt)/g);
      assert.deepEqual(names, ['Dockerfile', 'sub/run.sh', 'ca/host-own.crt']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('errors of the engine', () => {
  const answer = (statusCode: number, message: string): Error =>
    Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message} `), {
      statusCode,
      json: { message },
    });

  it('become words with a remedy', () => {
    const code = (error: unknown): string => toBerthError(error, 'start x').code;
    assert.equal(
      code(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
      'runtime_unavailable',
    );
    assert.equal(code(new Error('socket hang up')), 'runtime_unavailable');
    assert.equal(code(answer(500, 'Bind for 127.0.0.1:2201 failed: port is already allocated')), 'in_use');
    assert.equal(code(answer(500, 'write /x: no space left on device')), 'no_space');
    assert.equal(code(answer(500, 'unable to apply caps: operation not permitted')), 'not_supported');
    assert.equal(code(answer(404, 'No such container: x')), 'not_found');
    assert.equal(code(answer(409, 'Container x is paused')), 'illegal_state');
    assert.equal(code(answer(400, 'invalid')), 'bad_request');
    assert.equal(code(new Error('odd')), 'internal');
    assert.equal(toBerthError(answer(500, 'odd'), 'start x').detail, 'odd');
  });
});

describe('waiting', () => {
  it('for an SSH banner tells it from other servers and from silence', async () => {
    const greet = (text: string | undefined): Promise<{ port: number; close: () => void }> =>
      new Promise((ready) => {
        const server = createServer((socket) => {
          socket.on('error', () => undefined);
          socket.end(text ?? '');
        });
        server.listen(0, '127.0.0.1', () => {
          const address = server.address();
          ready({
            port: typeof address === 'object' ? (address?.port ?? 0) : 0,
            close: () => server.close(),
          });
        });
      });
    const cases: [string | undefined, RegExp][] = [
      ['SSH-2.0-OpenSSH_9.2\r\n', /SSH-2\.0-OpenSSH_9\.2/],
      ['HTTP/1.1 400\r\n', /"HTTP\/1\.1 400" instead of SSH/],
      [undefined, /closed without a word/],
    ];
    for (const [text, expected] of cases) {
      const { port, close } = await greet(text);
      assert.match(Object.values(await readBanner(port)).join(), expected);
      close();
    }
  });

  it('ends with what was waited for and what was last seen', async () => {
    const options = { what: 'a sign', timeoutMs: 30, intervalMs: 5, lastSeen: () => 'nothing' };
    await assert.rejects(
      waitFor(() => Promise.resolve(undefined), options),
      { code: 'timeout', message: 'Timed out after 0.03 s waiting for a sign. Last seen: nothing' },
    );
    const signal = AbortSignal.abort();
    await assert.rejects(
      waitFor(() => Promise.resolve(undefined), { ...options, signal }),
      { code: 'cancelled' },
    );
  });
});

describe('a stream with errors in words of ours', () => {
  const explained = (stream: Readable): Readable =>
    withErrorsOf(stream, (error) => toBerthError(error, 'save x'));

  it('passes all bytes, also of none and of many', async () => {
    for (const size of [0, 1, 300_000]) {
      const bytes = Buffer.alloc(size, 7);
      assert.deepEqual(await buffer(explained(Readable.from([bytes]))), bytes);
    }
  });

  it('says what was tried when the rest can not be had', async () => {
    const torn = new PassThrough();
    const whole = buffer(explained(torn));
    torn.write('half');
    torn.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    await assert.rejects(whole, { code: 'runtime_unavailable', message: /save x/ });
  });

  it('ends the one below when nobody wants it any more', async () => {
    const below = new PassThrough();
    below.write('half');
    const stream = explained(below);
    for await (const chunk of stream) {
      assert.equal(String(chunk), 'half');
      break;
    }
    await once(below, 'close');
  });
});
