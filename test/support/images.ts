/** Images made by tests, byte by byte: as layouts and archives hold them, or as hostile ones would. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { mediaTypes } from '../../src/backend/images/oci/documents';
import { ownArchitecture } from '../../src/backend/images/oci/image';
import { blockSize, encodeHeader, paddingOf, type TarEntry } from '../../src/backend/tar/header';

export type Member = Partial<TarEntry> & { name: string; content?: string | Buffer };

/** A tar of what is given, nothing added. */
export function tarOf(members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ content = '', ...entry }) => {
    const bytes = Buffer.from(content);
    const header = encodeHeader({
      ...{ type: 'file', mode: 0o644, uid: 0, gid: 0, mtimeMs: 1_700_000_000_000, linkName: '' },
      size: bytes.length,
      ...entry,
    });
    return [header, bytes, Buffer.alloc(paddingOf(bytes.length))];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * blockSize)]);
}

export function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export interface ImageParts {
  layers: readonly Buffer[];
  config: Buffer;
  id: string;
}

export interface ImageOptions {
  config?: Record<string, unknown>;
  architecture?: string;
  diffIds?: readonly string[];
}

export function imageOf(layers: readonly (readonly Member[])[], options: ImageOptions = {}): ImageParts {
  const tars = layers.map(tarOf);
  const config = Buffer.from(
    JSON.stringify({
      ...{
        created: '2026-01-01T00:00:00Z',
        architecture: options.architecture ?? ownArchitecture(),
        os: 'linux',
      },
      config: options.config ?? { Env: ['PATH=/bin'], Cmd: ['/bin/sh'] },
      rootfs: { type: 'layers', diff_ids: options.diffIds ?? tars.map(sha256) },
    }),
  );
  return { layers: tars, config, id: sha256(config) };
}

export interface Blob {
  digest: string;
  size: number;
}

export interface LayoutOptions {
  pack?: (tar: Buffer) => Buffer;
  annotations?: Record<string, string>;
  platform?: { os: string; architecture: string };
}

/** A layout that grows; `files` is what it is as members of a tar. */
export class LayoutMaker {
  readonly files = new Map<string, Buffer>([['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);
  readonly manifests: object[] = [];

  blob(bytes: Buffer): Blob {
    const digest = sha256(bytes);
    this.files.set(`blobs/sha256/${digest.slice('sha256:'.length)}`, bytes);
    return { digest, size: bytes.length };
  }

  /** Answers the descriptor of its manifest, which is not in the index yet. */
  manifest({ layers, config }: ImageParts, options: LayoutOptions = {}): Blob & { mediaType: string } {
    const pack = options.pack ?? gzipSync;
    const manifest = {
      ...{ schemaVersion: 2, mediaType: mediaTypes.manifest },
      config: { mediaType: mediaTypes.config, ...this.blob(config) },
      layers: layers.map((tar) => ({ mediaType: mediaTypes.layer, ...this.blob(pack(tar)) })),
    };
    const { annotations, platform } = options;
    return {
      ...{ mediaType: mediaTypes.manifest, ...this.blob(Buffer.from(JSON.stringify(manifest))) },
      ...(annotations !== undefined && { annotations }),
      ...(platform !== undefined && { platform }),
    };
  }

  add(image: ImageParts, options: LayoutOptions = {}): this {
    this.manifests.push(this.manifest(image, options));
    return this;
  }

  get members(): Member[] {
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: this.manifests }));
    return [...this.files, ['index.json', index] as const].map(([name, content]) => ({ name, content }));
  }

  async write(folder: string): Promise<string> {
    await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
    for (const { name, content = '' } of this.members) {
      await writeFile(join(folder, name), content);
    }
    return folder;
  }
}

/** As `docker save` writes it. */
export function savedOf(images: readonly { image: ImageParts; tags: string[] | null }[]): Buffer {
  const members: Member[] = [];
  const manifest = images.map(({ image, tags }) => {
    const Config = `${image.id.slice('sha256:'.length)}.json`;
    members.push({ name: Config, content: image.config });
    const Layers = image.layers.map((tar) => {
      const name = `${sha256(tar).slice('sha256:'.length)}/layer.tar`;
      members.push({ name, content: tar });
      return name;
    });
    return { Config, RepoTags: tags, Layers };
  });
  return tarOf([...members, { name: 'manifest.json', content: JSON.stringify(manifest) }]);
}
