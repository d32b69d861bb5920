/** A registry on loopback that does what real ones do on bad days. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { AddressInfo } from 'node:net';
import { mediaTypes } from '../../../../../src/backend/images/oci/documents';
import { Layout } from '../../../../../src/backend/images/oci/layout';
import { Repository, type Authority } from '../../../../../src/backend/images/oci/registry';
import { pullImage } from '../../../../../src/backend/images/oci/transfer';
import { imageOf, LayoutMaker } from '../../../../support/images';
import { useTempFolder } from '../../../../support/temp';

type Answer = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

describe('oci/registry', function () {
  this.timeout(30_000);
  const temp = useTempFolder();
  const maker = new LayoutMaker();
  const image = imageOf([[{ name: 'a', content: 'a'.repeat(200_000) }], [{ name: 'b' }]]);
  const manifest = maker.manifest(image, { pack: gzipSync });
  let server: Server;
  let host = '';
  let asked: string[] = [];
  /** What is answered before anything else. */
  let first: Answer = () => undefined;

  before(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? '-'}`);
      if (first(request, response) !== true) {
        serve(request, response);
      }
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(() => {
    asked = [];
    first = () => undefined;
  });

  function serve({ url = '' }: Pick<IncomingMessage, 'url'>, response: ServerResponse): void {
    const [, kind, reference = ''] = /^\/v2\/group\/x\/(manifests|blobs)\/(.*)$/.exec(url) ?? [];
    const digest = reference === '1' ? manifest.digest : reference;
    const bytes = maker.files.get(`blobs/sha256/${digest.slice(7)}`);
    if (kind === undefined || bytes === undefined) {
      response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
      return;
    }
    response
      .writeHead(200, { 'content-type': kind === 'manifests' ? mediaTypes.manifest : 'x/y' })
      .end(bytes);
  }

  const pull = (options: { authority?: Authority; name?: string; signal?: AbortSignal } = {}) => {
    const authority = options.authority ?? (() => Promise.resolve(undefined));
    const from = new Repository(`${host}/${options.name ?? 'group/x:1'}`, authority);
    const told: { done: number; total: number }[] = [];
    const signal = options.signal ?? new AbortController().signal;
    const into = new Layout(join(temp(), 'oci'));
    return pullImage(from, into, { progress: (now) => told.push(now), signal }).then((descriptor) => ({
      ...{ descriptor, into, told },
    }));
  };

  it('pulls, with progress in bytes, what is not there yet', async () => {
    const { into, told, descriptor } = await pull();
    assert.equal(descriptor.digest, manifest.digest);
    assert.deepEqual((await into.find(`${host}/group/x:1`))?.digest, manifest.digest);
    assert.equal(told.at(-1)?.done, told.at(-1)?.total);
    asked = [];
    await pull();
    assert.deepEqual(asked, ['GET /v2/group/x/manifests/1 -']);
  });

  it('asks for a token with the password, and for nothing more than once', async () => {
    first = ({ url = '', headers }, response) => {
      if (url.startsWith('/token')) {
        assert.match(url, /service=reg&scope=repository%3Agroup%2Fx%3Apull$/);
        assert.equal(headers.authorization, `Basic ${Buffer.from('me:pass').toString('base64')}`);
        response.end('{"token":"T"}');
        return true;
      }
      if (headers.authorization !== 'Bearer T') {
        const realm = `Bearer realm="http://${host}/token",service="reg",scope="repository:group/x:pull"`;
        response.writeHead(401, { 'www-authenticate': realm }).end();
        return true;
      }
      return undefined;
    };
    const login = { username: 'me', password: 'pass', serveraddress: host };
    await pull({ authority: () => Promise.resolve(login) });
    assert.equal(asked.filter((line) => line.includes('/token')).length, 1);
  });

  it('changes an identity token for one', async () => {
    first = (request, response) => {
      if (request.url === '/token') {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          assert.match(body, /grant_type=refresh_token/);
          response.end(body.includes('refresh_token=ID') ? '{"access_token":"T"}' : '{}');
        });
        return true;
      }
      if (request.headers.authorization !== 'Bearer T') {
        response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token"` }).end();
        return true;
      }
      return undefined;
    };
    await pull({ authority: () => Promise.resolve({ identitytoken: 'ID', serveraddress: host }) });
  });

  it('says that nobody has logged in, without a word of the password', async () => {
    first = (_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return true;
    };
    const login = { username: 'me', password: 'wrong-word', serveraddress: host };
    for (const authority of [() => Promise.resolve(undefined), () => Promise.resolve(login)]) {
      const error = await pull({ authority }).then(
        () => assert.fail(),
        (thrown: unknown) => thrown as { code: string; message: string; hint: string },
      );
      assert.equal(error.code, 'forbidden');
      assert.match(error.hint, /docker login 127/);
      assert(!JSON.stringify(error).includes('wrong-word'));
    }
  });

  it('never sends a password to a realm without encryption', async () => {
    first = (_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://elsewhere.example/token"' }).end();
      return true;
    };
    await assert.rejects(pull(), { code: 'forbidden', message: /without encryption/ });
  });

  it('follows redirects to other hosts without credentials', async () => {
    const elsewhere = createServer((request, response) => {
      asked.push(`elsewhere ${request.headers.authorization ?? '-'}`);
      serve(request, response);
    });
    await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening));
    try {
      const { port } = elsewhere.address() as AddressInfo;
      first = ({ url = '', headers }, response) => {
        if (headers.authorization === undefined) {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
          return true;
        }
        if (url.includes('/blobs/')) {
          response.writeHead(307, { location: `http://127.0.0.1:${port}${url}` }).end();
          return true;
        }
        return undefined;
      };
      const login = { username: 'me', password: 'p', serveraddress: host };
      await pull({ authority: () => Promise.resolve(login) });
      assert(asked.includes('elsewhere -'), asked.join('\n'));
      first = (_request, response) => {
        response.writeHead(302, { location: '/v2/again' }).end();
        return true;
      };
      await assert.rejects(pull({ name: 'group/y:1' }), {
        code: 'runtime_unavailable',
        message: /without end/,
      });
    } finally {
      elsewhere.close();
    }
  });

  it('reads no answer without end that it does not want', async () => {
    const closed: Promise<unknown>[] = [];
    const endless = (response: ServerResponse): true => {
      const feed = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      closed.push(new Promise((resolve) => response.on('drain', feed).on('close', resolve)));
      feed();
      return true;
    };
    first = ({ url = '', headers }, response) => {
      if (url.startsWith('/token')) {
        response.end('{"token":"T"}');
        return true;
      }
      if (headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token"` });
        return endless(response);
      }
      if (url.includes('/blobs/') && !url.endsWith('?x')) {
        response.writeHead(307, { location: `${url}?x` });
        return endless(response);
      }
      serve({ url: url.replace('?x', '') }, response);
      return true;
    };
    await pull();
    assert.equal(closed.length, 4);
    await Promise.all(closed);
  });

  it('names the registry that leads to what is no address', async () => {
    for (const headers of [{ location: 'http://[' }, { 'www-authenticate': 'Bearer realm="http://["' }]) {
      first = (_request, response) => {
        response.writeHead('location' in headers ? 302 : 401, headers).end();
        return true;
      };
      await assert.rejects(pull(), { code: 'runtime_unavailable', message: /127\.0\.0\.1.*invalid address/ });
    }
  });

  it('passes on what a registry says without lines of its own', async () => {
    first = (_request, response) => {
      response.writeHead(500).end('no\r\n✓ Pull\u2028done\u0007');
      return true;
    };
    await assert.rejects(pull(), { message: /answered 500 for \S+\.$/, detail: 'no ✓ Pull done' });
  });

  for (const [what, status, code] of [
    ['is missing', 404, 'image_missing'],
    ['was asked for too often', 429, 'capacity'],
    ['can not be had now', 503, 'runtime_unavailable'],
  ] as const) {
    it(`says when an image ${what}`, async () => {
      first = (_request, response) => {
        response.writeHead(status).end('words');
        return true;
      };
      await assert.rejects(pull(), {
        ...{ code, message: new RegExp(`answered ${status} for [^ ]+\\.$`), detail: 'words' },
      });
    });
  }

  it('says when nobody answers', async () => {
    const from = new Repository('127.0.0.1:1/x:1', () => Promise.resolve(undefined));
    const told = { progress: () => undefined, signal: new AbortController().signal };
    await assert.rejects(pullImage(from, new Layout(temp()), told), {
      ...{ code: 'runtime_unavailable', message: "The registry 127.0.0.1:1 can't be reached." },
      ...{ hint: /network/, detail: /ECONNREFUSED/ },
    });
  });

  it('names the registry that breaks off', async () => {
    const message = new RegExp(`^The registry ${host} cut off its answer\\.$`);
    for (const part of ['/manifests/', '/blobs/']) {
      first = ({ url = '' }, response) => {
        if (url.includes(part)) {
          response.writeHead(200, { 'content-length': 300_000 }).write(Buffer.alloc(1000, 'x'), () => {
            response.destroy();
          });
          return true;
        }
        return undefined;
      };
      await assert.rejects(pull(), { code: 'runtime_unavailable', message });
    }
  });

  it('keeps nothing of what is not what its digest says', async () => {
    first = ({ url = '' }, response) => {
      if (url.includes('/blobs/')) {
        response.end(Buffer.alloc(300_000, 'x'));
        return true;
      }
      return undefined;
    };
    await assert.rejects(pull(), { code: 'bad_request', message: /damaged/ });
    const into = new Layout(join(temp(), 'oci'));
    assert.equal(await into.find(`${host}/group/x:1`), undefined);
    assert(!(await into.has({ digest: image.id, size: image.config.length })));
  });

  it('refuses a manifest that is another than was asked for, or none', async () => {
    const name = `group/x@${image.id}`;
    first = (_request, response) => {
      response.end('{"schemaVersion":2}');
      return true;
    };
    await assert.rejects(pull({ name }), { code: 'bad_request', message: /answered sha256:/ });
    await assert.rejects(pull(), { code: 'bad_request', message: /manifest/ });
    first = (_request, response) => {
      response.end(Buffer.alloc(5 * 1024 * 1024, ' '));
      return true;
    };
    await assert.rejects(pull(), { code: 'too_large' });
  });

  it('keeps no manifest that the registry calls an index: no image could be removed any more', async () => {
    first = ({ url = '' }, response) => {
      if (!url.includes('/manifests/')) {
        return undefined;
      }
      const index = JSON.stringify({ schemaVersion: 2, manifests: [manifest] });
      const bytes = url.endsWith('/1')
        ? index
        : maker.files.get(`blobs/sha256/${manifest.digest.slice('sha256:'.length)}`);
      response.writeHead(200, { 'content-type': mediaTypes.index }).end(bytes);
      return true;
    };
    await assert.rejects(pull(), { code: 'bad_request', message: /index in an index/ });
  });

  it('is cancelled while it waits', async () => {
    const abort = new AbortController();
    first = ({ url = '' }, response) => {
      if (url.includes('/blobs/')) {
        response.write('x');
        abort.abort();
        return true;
      }
      return undefined;
    };
    await assert.rejects(
      pull({ signal: abort.signal }),
      (error: { code: string; name: string }) =>
        ['cancelled', 'AbortError'].includes(error.code) || error.name === 'AbortError',
    );
    server.closeAllConnections();
  });
});
