/** A registry behind real proxies: which requests take one, and what is said when it does not let them through. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { proxyFor } from '../../../../../src/backend/images/oci/proxy';
import { mediaTypes } from '../../../../../src/backend/images/oci/documents';
import { httpProxy, socksProxy, type ForwardProxy } from '../../../../support/programs/forward-proxy';
import { imageOf, LayoutMaker } from '../../../../support/images';
import { succeed } from '../../../../support/programs';
import { useTempFolder } from '../../../../support/temp';

const program = resolve(__dirname, '../../../../support/programs/pull-manifest.js');
const noProxies = Object.fromEntries(
  ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [
    [name, ''],
    [name.toUpperCase(), ''],
  ]),
);

describe('oci/proxy', () => {
  const chosen = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.name;
  const registry = 'https://registry.example/v2/';

  it('takes the variable of the scheme, else ALL_PROXY, in both spellings', () => {
    assert.equal(chosen(registry, { HTTPS_PROXY: 'http://a:1', ALL_PROXY: 'http://b:2' }), 'http://a:1');
    assert.equal(chosen(registry, { https_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:2' }), 'http://a:1');
    assert.equal(chosen(registry, { HTTP_PROXY: 'http://a:1' }), undefined);
    assert.equal(chosen('http://registry.example/', { http_proxy: 'http://a:1' }), 'http://a:1');
    assert.equal(chosen(registry, { all_proxy: 'socks5://a:1' }), 'socks5://a:1');
    assert.equal(chosen(registry, { ALL_PROXY: 'https://a' }), 'https://a');
    assert.equal(
      chosen(registry, { https_proxy: ' ', HTTPS_PROXY: 'a.example:3128' }),
      'http://a.example:3128',
    );
    assert.equal(chosen(registry, { https_proxy: 'a.example' }), 'http://a.example');
    assert.equal(chosen(registry, { https_proxy: '[fd00::1]:3128' }), 'http://[fd00::1]:3128');
    assert.equal(chosen(registry, {}), undefined);
  });

  it('goes straight to what NO_PROXY names, and to this machine', () => {
    const to = (host: string, list: string, name = 'NO_PROXY') =>
      chosen(`https://${host}/v2/`, { HTTPS_PROXY: 'http://p:1', [name]: list }) === undefined;
    const straight: [string, string][] = [
      ...(['*', 'registry.example', '.example', '*.example', 'x, REGISTRY.example'] as const).map(
        (list): [string, string] => ['registry.example', list],
      ),
      ['registry.example', 'other example'],
      ['registry.example', 'registry.example:443'],
      ['registry.example:5000', 'registry.example:5000'],
      ['deep.registry.example', 'registry.example'],
      ['10.1.2.3', '10.1.2.3'],
      ['10.1.2.3', '10.0.0.0/8'],
      ['10.1.2.3:5000', '192.168.0.0/16,10.1.0.0/16'],
      ['[fd00::7]', 'fd00::/8'],
      ['[fd00::7]:5000', 'fd00::7'],
      ['[fd00::7]:5000', '[fd00::7]:5000'],
      ['localhost:5000', ''],
      ['127.0.0.9', ''],
      ['[::1]:5000', ''],
    ];
    for (const [host, list] of straight) {
      assert(to(host, list), `${host} with ${list}`);
      assert(to(host, list, 'no_proxy'), `${host} with ${list}`);
    }
    const byProxy: [string, string][] = [
      ['registry.example', ''],
      ['registry.example', 'gistry.example'],
      ['registry.example', 'registry.example:5000'],
      ['registry.example', 'deep.registry.example'],
      ['registry.example', '10.0.0.0/8 . , *.'],
      ['11.1.2.3', '10.0.0.0/8,11.0.0.0/33,11.0.0.0/999,/8'],
      ['11.1.2.3', '1.2.3,fd00::/8'],
      ['127.example', ''],
    ];
    for (const [host, list] of byProxy) {
      assert(!to(host, list), `${host} with ${list}`);
    }
  });

  it('refuses what names no proxy, and shows no password', () => {
    for (const value of [
      'http://',
      'ftp://u:secret@p',
      'http://u:secret@p:99999',
      'u:secret@',
      'http://u:secret%@p',
    ]) {
      assert.throws(
        () => chosen(registry, { HTTPS_PROXY: value }),
        (error: Error & { hint?: string; cause?: unknown }) =>
          /^The variable HTTPS_PROXY of the engine does not name a proxy\.$/.test(error.message) &&
          !JSON.stringify([error, error.hint, error.cause]).includes('secret'),
        value,
      );
    }
  });

  describe('with a registry behind it', function () {
    this.timeout(60_000);
    const temp = useTempFolder();
    const maker = new LayoutMaker();
    const manifest = maker.manifest(imageOf([[{ name: 'a' }]]));
    let server: Server;
    let certificate = '';
    const open: (() => unknown)[] = [];
    const port = () => (server.address() as AddressInfo).port;

    beforeEach(async () => {
      const [key, cert] = [join(temp(), 'key'), join(temp(), 'cert')];
      const names = 'subjectAltName=DNS:registry.example';
      await succeed('openssl', [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=registry.example', '-addext', names],
      ]);
      certificate = cert;
      server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (_, response) => {
        response
          .writeHead(200, { 'content-type': mediaTypes.manifest })
          .end(maker.files.get(`blobs/sha256/${manifest.digest.slice(7)}`));
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      open.push(() => server.close());
    });
    afterEach(async () => {
      for (const close of open.splice(0)) {
        await close();
      }
    });

    async function proxy(answer?: number, kind = httpProxy): Promise<ForwardProxy> {
      const made = await kind(port, answer);
      open.push(() => made.close());
      return made;
    }

    async function pull(env: Record<string, string>, image = 'registry.example/x:1', timeoutMs = 20_000) {
      const all = { ...noProxies, NODE_EXTRA_CA_CERTS: certificate, ...env };
      const said = await succeed(process.execPath, [program, image, String(timeoutMs)], { env: all });
      return JSON.parse(said) as Partial<Record<'digest' | 'code' | 'message' | 'hint' | 'detail', string>>;
    }

    it('asks the proxy for a way, with user and password', async () => {
      const { port: at, asked } = await proxy();
      for (const name of ['HTTPS_PROXY', 'https_proxy']) {
        const answer = await pull({ [name]: `http://user:p%40ss@127.0.0.1:${at}` });
        assert.equal(answer.digest, manifest.digest, JSON.stringify(answer));
      }
      assert.deepEqual(asked, Array(2).fill('CONNECT registry.example:443 user:p@ss'));
    });

    it('speaks SOCKS', async () => {
      const { port: at, asked } = await proxy(undefined, socksProxy);
      const answer = await pull({ all_proxy: `socks5h://127.0.0.1:${at}` });
      assert.equal(answer.digest, manifest.digest, JSON.stringify(answer));
      assert.deepEqual(asked, ['SOCKS registry.example:443']);
    });

    it('sends plain requests to HTTP_PROXY, as one that a registry here leads to', async () => {
      const plain = createHttpServer(({ url = '' }, response) => {
        if (url.includes('/v2/')) {
          response.writeHead(302, { location: 'http://store.example/there' }).end();
        } else {
          response.writeHead(200).end(maker.files.get(`blobs/sha256/${manifest.digest.slice(7)}`));
        }
      });
      await new Promise<void>((listening) => plain.listen(0, '127.0.0.1', listening));
      open.push(() => plain.close());
      const { port: here } = plain.address() as AddressInfo;
      const made = await httpProxy(() => here);
      open.push(() => made.close());
      const answer = await pull({ HTTP_PROXY: `127.0.0.1:${made.port}` }, `127.0.0.1:${here}/x:1`);
      assert.equal(answer.digest, manifest.digest, JSON.stringify(answer));
      assert.deepEqual(made.asked, ['GET http://store.example/there']);
    });

    it('names the proxy that is not there, that refuses, or that wants a password; never the password', async () => {
      const gone = await pull({ HTTPS_PROXY: 'http://user:secret@127.0.0.1:1' });
      assert.match(
        gone.message ?? '',
        /^The registry registry\.example can't be reached through the proxy http:\/\/127\.0\.0\.1:1 \(HTTPS_PROXY\)\.$/,
      );
      assert.match(gone.detail ?? '', /ECONNREFUSED/);
      for (const [status, reason] of [
        [407, 'it answered 407, it wants a user and a password'],
        [403, 'it answered 403.'],
      ] as const) {
        const { port: at } = await proxy(status);
        const answer = await pull({ https_proxy: `http://user:secret@127.0.0.1:${at}` });
        const start = `The proxy http://127.0.0.1:${at} (https_proxy) did not let the request through to the registry registry.example:`;
        assert(answer.message?.startsWith(`${start} ${reason}`), JSON.stringify(answer));
        assert(!JSON.stringify(answer).includes('secret'));
      }
      assert(!JSON.stringify(gone).includes('secret'));
    });

    it('is cancelled while the proxy says nothing', async () => {
      const { port: at, asked } = await proxy(0);
      const answer = await pull({ https_proxy: `127.0.0.1:${at}` }, undefined, 500);
      assert.equal(answer.code, 'cancelled', JSON.stringify(answer));
      assert.equal(asked.length, 1);
    });

    it('says what to do about a proxy that looks into what passes', async () => {
      const { port: at } = await proxy();
      const answer = await pull({ https_proxy: `127.0.0.1:${at}`, NODE_EXTRA_CA_CERTS: '' });
      assert.match(answer.message ?? '', /through the proxy .*: its certificate is not trusted\.$/);
      assert.match(answer.detail ?? '', /self-signed certificate/);
      assert.match(answer.hint ?? '', /NODE_EXTRA_CA_CERTS/);
    });
  });
});
