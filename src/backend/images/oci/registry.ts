/** Registries without any container engine: the OCI distribution API, with tokens or passwords. */
import { Type } from '@sinclair/typebox';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import { imageName, versionOf } from '../../../api/rules/image-reference';
import type { RegistryAuth } from '../registry-auth';
import { ask, bytesOf, placeOf, type Answer, type Ask } from './http';
import type { Blobs, Part } from './blobs';
import { digestOf } from './blobs';
import { mediaTypes, parseDocument, type Descriptor } from './documents';

const Token = Type.Object({
  token: Type.Optional(Type.String()),
  access_token: Type.Optional(Type.String()),
});
const hub = 'registry-1.docker.io';
const loopback = /^(localhost|127\.[0-9.]+|\[::1\])(:\d+)?$/;

export type Authority = (registry: string | undefined) => Promise<RegistryAuth | undefined>;

type Scope = 'pull' | 'pull,push';

/** One repository of a registry. */
export class Repository implements Blobs {
  readonly name: string;
  readonly tag: string;
  private readonly path: string;
  private readonly registry: string | undefined;
  private readonly base: URL;
  /** What got us in last. */
  private authorization: string | undefined;

  constructor(
    image: string,
    private readonly authority: Authority,
    private readonly scope: Scope = 'pull',
  ) {
    const parsed = imageName(image);
    const { path, registry } = parsed;
    const host = registry ?? hub;
    this.name = image;
    this.tag = versionOf(parsed);
    this.registry = registry;
    this.path = registry === undefined && !path.includes('/') ? `library/${path}` : path;
    // As Docker does: what is on this very machine needs no encryption.
    this.base = new URL(`${loopback.test(host) ? 'http' : 'https'}://${host}/v2/`);
  }

  /**
   * What a tag or digest names. Throws `bad_request` where another digest is answered than was asked for, else what the
   * registry refuses.
   */
  async manifest(reference: string, signal: AbortSignal): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
    const { index, manifest, dockerList, dockerManifest } = mediaTypes;
    const headers = { accept: [index, manifest, dockerList, dockerManifest].join(', ') };
    const answer = await this.ask(`manifests/${reference}`, { method: 'GET', headers, signal });
    await this.expect(answer, 200, 'image_missing');
    const bytes = await bytesOf(answer);
    const digest = digestOf(bytes);
    if (reference.startsWith('sha256:') && reference !== digest) {
      throw new BerthError(
        'bad_request',
        `The registry answered ${digest} for ${reference} of ${this.name}.`,
      );
    }
    const mediaType = (answer.headers['content-type'] ?? manifest).split(';', 1)[0]?.trim() ?? manifest;
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  async open({ digest }: Part, signal: AbortSignal): Promise<Readable> {
    const answer = await this.ask(`blobs/${digest}`, { method: 'GET', signal });
    await this.expect(answer, 200, 'not_found');
    return answer.body;
  }

  async has({ digest }: Part, signal: AbortSignal): Promise<boolean> {
    const answer = await this.ask(`blobs/${digest}`, { method: 'HEAD', signal });
    answer.body.destroy();
    return answer.status === 200;
  }

  async upload(part: Part, body: Readable, signal: AbortSignal): Promise<void> {
    try {
      const begun = await this.ask('blobs/uploads/', { method: 'POST', signal });
      await this.expect(begun, 202, 'forbidden');
      begun.body.destroy();
      const place = placeOf(begun.headers.location ?? '', this.url('blobs/uploads/'));
      this.refuseLess(place);
      place.searchParams.set('digest', part.digest);
      const headers = { 'content-type': 'application/octet-stream', 'content-length': part.size };
      const answer = await this.send(place, { method: 'PUT', headers, body, signal });
      await this.expect(answer, 201, 'forbidden');
      answer.body.destroy();
    } finally {
      body.destroy();
    }
  }

  async putManifest({ mediaType }: Descriptor, bytes: Buffer, signal: AbortSignal): Promise<void> {
    const headers = { 'content-type': mediaType, 'content-length': bytes.length };
    const answer = await this.ask(`manifests/${this.tag}`, { method: 'PUT', headers, body: bytes, signal });
    await this.expect(answer, 201, 'forbidden');
    answer.body.destroy();
  }

  private url(path: string): URL {
    return new URL(`${this.path}/${path}`, this.base);
  }

  /** Once more with what the registry asks for. */
  private async ask(path: string, options: Ask): Promise<Answer> {
    const first = await this.send(this.url(path), options);
    if (first.status !== 401) {
      return first;
    }
    first.body.destroy();
    this.authorization = await this.authorize(first.headers['www-authenticate'] ?? '', options.signal);
    return this.authorization === undefined ? first : this.send(this.url(path), options);
  }

  private send(url: URL, options: Ask): Promise<Answer> {
    const isOurs = url.host === this.base.host && this.authorization !== undefined;
    const headers = { ...options.headers, ...(isOurs && { authorization: this.authorization }) };
    return ask(url, { ...options, headers });
  }

  /** The header that the challenge asks for; undefined when we have nothing for it. */
  private async authorize(challenge: string, signal: AbortSignal): Promise<string | undefined> {
    const login = await this.authority(this.registry);
    const basic =
      login?.username === undefined
        ? undefined
        : `Basic ${Buffer.from(`${login.username}:${login.password ?? ''}`).toString('base64')}`;
    const [, scheme = '', rest = ''] = /^\s*(\w+)\s+(.*)$/s.exec(challenge) ?? [];
    if (scheme.toLowerCase() !== 'bearer') {
      return basic;
    }
    const words = new Map(
      [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
    );
    const realm = placeOf(words.get('realm') ?? '', this.base);
    this.refuseLess(realm);
    const service = words.get('service') ?? '';
    const scope = `repository:${this.path}:${this.scope}`;
    const token =
      login?.identitytoken === undefined
        ? await this.tokenByGet(realm, { service, scope }, basic, signal)
        : await this.tokenByPost(realm, { service, scope }, login.identitytoken, signal);
    return token === undefined ? undefined : `Bearer ${token}`;
  }

  /** Where a registry leads us: not out of encryption, so nobody far away names a service of this machine. */
  private refuseLess(place: URL): void {
    const isNear = place.protocol === 'http:' && loopback.test(place.host) && loopback.test(this.base.host);
    if (place.protocol !== 'https:' && !isNear) {
      throw new BerthError(
        'forbidden',
        `The registry ${this.base.host} redirects to ${place.host} without encryption.`,
      );
    }
  }

  private async tokenByGet(
    realm: URL,
    words: Readonly<Record<string, string>>,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    Object.entries(words).forEach(([key, value]) => {
      realm.searchParams.set(key, value);
    });
    const headers = authorization === undefined ? {} : { authorization };
    return tokenOf(await ask(realm, { method: 'GET', headers, signal }));
  }

  private async tokenByPost(
    realm: URL,
    words: Readonly<Record<string, string>>,
    refreshToken: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const form = new URLSearchParams({
      ...{ ...words, grant_type: 'refresh_token', client_id: 'berth', refresh_token: refreshToken },
    });
    const body = Buffer.from(form.toString());
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length };
    return tokenOf(await ask(realm, { method: 'POST', headers, body, signal }));
  }

  private async expect(answer: Answer, status: number, missing: 'image_missing' | 'not_found' | 'forbidden') {
    if (answer.status === status) {
      return;
    }
    const body = (await bytesOf(answer).catch(() => Buffer.alloc(0))).toString('utf8');
    // In one line: whoever wrote it must not make others that look like ours.
    const details = body
      .slice(0, 300)
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim();
    const what = `The registry ${this.base.host} answered ${answer.status} for ${this.name}`;
    if (answer.status === 401 || answer.status === 403) {
      const login = ['docker', 'login', ...(this.registry === undefined ? [] : [this.registry])].join(' ');
      throw new BerthError('forbidden', `${what}: access denied, or not logged in.`, {
        hint: `Log in to the registry: \`${login}\`, then try again.`,
        field: 'image',
      });
    }
    const code = answer.status === 404 ? missing : answer.status === 429 ? 'capacity' : 'runtime_unavailable';
    const hint =
      answer.status === 404
        ? 'Check the spelling of the image, or log in to its registry with `docker login`.'
        : 'Try again later.';
    throw new BerthError(code, `${what}.`, {
      ...{ hint, field: 'image' },
      ...(details !== '' && { detail: details }),
    });
  }
}

async function tokenOf(answer: Answer): Promise<string | undefined> {
  const bytes = await bytesOf(answer);
  if (answer.status !== 200) {
    return undefined;
  }
  const { token, access_token: other } = parseDocument(Token, bytes, "The registry's answer");
  return token ?? other;
}
