/**
 * What microVMs keep in the cache. Nothing of a workspace is lost with it: runtimes have names of their own for what they lie
 * over (`rootfs/bases.ts`), and paused ones for their kit (`kit/kept-kits.ts`).
 */
import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Cache, CacheId } from '../../../api/engine/caches';
import { isErrno, namesIn, removeTree } from '../../machine/files';
import { KeyedLock } from '../../machine/keyed-lock';
import type { Caches } from '../contract/caches';
import type { GuestKits } from './parts';
import type { RuntimeStore } from './runtimes/runtime-store';

const blockBytes = 512;
/** With its checksum: a state without one is not taken, and takes room all the same. */
const stateName = /^([0-9a-f]+\.state)(?:\.sum)?$/;
const imageName = /^([0-9a-f]{64})\.ext4$/;

export interface MicrovmCachesDeps {
  home: string;
  /** The state directory, or shared by several. */
  cache: string;
  store: Pick<RuntimeStore, 'list'>;
  kits: Pick<GuestKits, 'find'>;
}

/** What is removed together. */
interface Entry {
  paths: string[];
  /** Those of the paths that count. */
  sized: string[];
  bytes: number;
  isFree: boolean;
}

export class MicrovmCaches implements Caches {
  /** Two that clean at once would both count what one of them removes. */
  private readonly cleaning = new KeyedLock();

  constructor(private readonly deps: MicrovmCachesDeps) {}

  async list(): Promise<Cache[]> {
    return Promise.all(
      ids.map(async (id): Promise<Cache> => {
        const entries = await this.entries(id);
        const free = entries.filter(({ isFree }) => isFree);
        return {
          ...{ id, path: this.folderOf(id), count: entries.length },
          ...{ bytes: sum(entries), freeableBytes: sum(free) },
        };
      }),
    );
  }

  clean(wanted: readonly CacheId[]): Promise<number> {
    return this.cleaning.run('clean', async () => {
      let freed = 0;
      for (const id of ids.filter((each) => wanted.includes(each))) {
        for (const { paths, sized } of (await this.entries(id)).filter(({ isFree }) => isFree)) {
          // What was there when it went, not what there was when the list was made.
          const before = await bytesOfAll(sized);
          for (const path of paths) {
            await removeTree(path);
          }
          freed += before - (await bytesOfAll(sized));
        }
      }
      return freed;
    });
  }

  private folderOf(id: CacheId): string {
    return join(this.deps.cache, ...folders[id]);
  }

  private async entries(id: CacheId): Promise<Entry[]> {
    const folder = this.folderOf(id);
    switch (id) {
      case 'guest-kits':
        return this.kits(folder);
      case 'templates':
        return this.templates(folder);
      case 'root-images':
        return this.images(folder);
    }
  }

  /** The one that the next start takes stays, and those of machines that run: a pause needs them. */
  private async kits(folder: string): Promise<Entry[]> {
    const { home, cache, kits, store } = this.deps;
    // Before the others: one that is made meanwhile is not among them.
    const names = (await namesIn(folder)).filter((name) => !name.startsWith('.'));
    const current = (await kits.find())?.version;
    const inUse = (await store.list()).map(({ launch }) => launch?.kernel ?? '');
    return Promise.all(
      names.map(async (name) => {
        const path = join(folder, name);
        const isUsed = inUse.some((kernel) => kernel.startsWith(path + sep));
        // Where the cache is shared, nobody knows what the machines of others have.
        const isFree = name !== current && !isUsed && home === cache;
        return { paths: [path], sized: [path], bytes: await bytesOf(path), isFree };
      }),
    );
  }

  private async templates(folder: string): Promise<Entry[]> {
    const names = await namesIn(folder);
    const states = [...new Set(names.flatMap((name) => stateName.exec(name)?.[1] ?? []))];
    return Promise.all(
      states.map(async (state) => {
        const paths = [`${state}.sum`, state].map((name) => join(folder, name));
        return { paths, sized: paths, bytes: await bytesOfAll(paths), isFree: true };
      }),
    );
  }

  /** One that a runtime lies over has a second name, and takes no less room without the first. */
  private async images(folder: string): Promise<Entry[]> {
    const used = new Set((await this.deps.store.list()).map(({ imageId }) => imageId));
    const digests = (await namesIn(folder)).flatMap((name) => imageName.exec(name)?.[1] ?? []);
    return Promise.all(
      digests.map(async (digest) => {
        // The file system first: what is said of it alone is of no use, and takes no room.
        const [disk, said] = [join(folder, `${digest}.ext4`), join(folder, `${digest}.json`)];
        const names = await stat(disk).then(
          ({ nlink }) => nlink,
          () => 0,
        );
        const isFree = names === 1 && !used.has(`sha256:${digest}`);
        return { paths: [disk, said], sized: [disk], bytes: await bytesOf(disk), isFree };
      }),
    );
  }
}

const folders: Readonly<Record<CacheId, readonly string[]>> = {
  'guest-kits': ['guest'],
  templates: ['templates'],
  'root-images': ['images', 'rootfs'],
};
const ids: readonly CacheId[] = ['guest-kits', 'templates', 'root-images'];

const sum = (entries: readonly Entry[]): number => entries.reduce((bytes, entry) => bytes + entry.bytes, 0);

async function bytesOfAll(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(bytesOf));
  return sizes.reduce((a, b) => a + b, 0);
}

/** On the disk, holes left out; nothing for what has gone meanwhile. */
async function bytesOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) {
      return found.blocks * blockBytes;
    }
    return await bytesOfAll((await readdir(path)).map((name) => join(path, name)));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
      return 0;
    }
    throw error;
  }
}
