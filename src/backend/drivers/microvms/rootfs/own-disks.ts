/**
 * Images that only runtimes of this engine are made of: `images/disks/<digest>/` of the state directory has a root disk as it was,
 * the overlay and a name of its own for the base below it. So one takes no longer than what was written to that disk, and no more
 * room. It is turned into a root file system when a runtime is made of it, and into layers when it leaves this machine.
 */
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Type, type Static } from '@sinclair/typebox';
import { BerthError } from '../../../../api/errors';
import type { Image } from '../../../../api/engine/schemas';
import { withTag } from '../../../../api/rules/image-reference';
import { parseDocument } from '../../../images/oci/documents';
import { draftOf } from '../../../machine/drafts';
import { sweepDrafts } from '../../../machine/draft-sweep';
import { isErrno, makeFolder, namesIn, removeTree, renameDurably } from '../../../machine/files';
import { takenBytes } from '../../../machine/free-space';
import { keepFile } from '../../../machine/publish';
import { replaceFile, writeWhole } from '../../../machine/whole-file';
import type { ImageConfig } from '../../../images/image-config';
import type { CommitFrom } from '../parts';
import { identify } from './bases';
import { convertDisk } from './convert';
import { flattenLayer } from './flatten';
import { nameBase } from './overlay';
import type { RootSource } from './source';

const folderName = /^[0-9a-f]{64}$/;
const words = Type.Array(Type.String());
const Note = Type.Object({
  name: Type.String(),
  createdAt: Type.String(),
  /** Absolute paths of files that are in the disk and in nothing that is made of it. */
  without: words,
  config: Type.Object({
    ...{ env: words, user: Type.String(), workdir: Type.String(), entrypoint: words, cmd: words },
  }),
});

export interface OwnDisk extends Static<typeof Note> {
  digest: string;
  folder: string;
}

type CopyOptions = Parameters<CommitFrom['copyTo']>[1];

export class OwnDisks {
  /** What a killed engine has left goes before anything is looked for: nobody else writes here. */
  private swept: Promise<void> | undefined;

  constructor(
    private readonly folder: string,
    private readonly qemuImg: () => Promise<string>,
  ) {}

  /** Keeps a root disk under a name; answers the id of the image. */
  async keep(
    image: string,
    { layer, without }: CommitFrom,
    config: ImageConfig,
    options: CopyOptions,
  ): Promise<string> {
    await this.sweep();
    await makeFolder(this.folder);
    const hex = randomBytes(32).toString('hex');
    const draft = draftOf(join(this.folder, hex));
    try {
      await makeFolder(draft);
      const base = baseOf(draft);
      await writeWhole(layerOf(draft), async (path) => {
        const before = await identify(layer.base);
        await layer.copyTo(path, options);
        await keepFile(layer.base, base, async (from, to) => {
          const plain = { report: () => undefined, signal: options.signal };
          await convertDisk(await this.qemuImg(), { path: from, format: 'raw' }, to, plain);
        });
        if (before !== undefined && !isDeepStrictEqual(await identify(base), before)) {
          throw rebuilt();
        }
        await nameBase(await this.qemuImg(), base, path);
      });
      const note: Static<typeof Note> = {
        ...{ name: withTag(image), createdAt: new Date().toISOString(), without: [...without], config },
      };
      await replaceFile(noteOf(draft), JSON.stringify(note));
      await this.remove(image);
      await renameDurably(draft, join(this.folder, hex));
    } finally {
      await removeTree(draft);
    }
    return `sha256:${hex}`;
  }

  async list(): Promise<Image[]> {
    const all = await this.all();
    return Promise.all(
      all.map(async ({ digest, name, createdAt, folder }) => {
        const sizeBytes = await takenBytes(layerOf(folder));
        return { ...{ id: digest, tags: [name], sizeBytes, createdAt }, usedBy: [] };
      }),
    );
  }

  async find(image: string): Promise<OwnDisk | undefined> {
    const name = withTag(image);
    return (await this.all()).find((each) => each.name === name);
  }

  /** How a root file system is made of it. */
  source(disk: OwnDisk): RootSource {
    return {
      digest: disk.digest,
      make: async (out, { progress, signal }) => {
        const total = await takenBytes(layerOf(disk.folder));
        const report = (share: number): void => {
          progress({ done: Math.round(share * total), total, current: disk.name });
        };
        return { config: disk.config, warnings: await this.flatten(disk, out, { report, signal }) };
      },
    };
  }

  /** One raw disk of it, in a new file: fit to be read, and without what is to be left out. Answers what is wrong with it, in words. */
  async flatten({ name, folder, without }: OwnDisk, out: string, options: CopyOptions): Promise<string[]> {
    const layer = { name, path: layerOf(folder), without };
    return flattenLayer(await this.qemuImg(), layer, out, options);
  }

  /** The digests of those that had the name. */
  async remove(image: string): Promise<string[]> {
    const name = withTag(image);
    const gone = (await this.all()).filter((each) => each.name === name);
    for (const { folder } of gone) {
      // Without it there is no image.
      await rm(noteOf(folder), { force: true });
      await removeTree(folder);
    }
    return gone.map(({ digest }) => digest);
  }

  private async all(): Promise<OwnDisk[]> {
    await this.sweep();
    const names = (await namesIn(this.folder)).filter((name) => folderName.test(name));
    const disks = await Promise.all(names.map((name) => this.read(name)));
    return disks.filter((disk) => disk !== undefined);
  }

  /**
   * Undefined for what is being removed, or is no note: one that is damaged must not hide the others. Throws where it can't be read
   * now: whoever is told that there is no image goes on without it.
   */
  private async read(hex: string): Promise<OwnDisk | undefined> {
    const folder = join(this.folder, hex);
    const bytes = await readFile(noteOf(folder)).catch((error: unknown) => {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
        return undefined;
      }
      throw error;
    });
    try {
      const note = bytes && parseDocument(Note, bytes, `The image in ${folder}`);
      return note && { ...note, digest: `sha256:${hex}`, folder };
    } catch {
      return undefined;
    }
  }

  private sweep(): Promise<void> {
    return (this.swept ??= this.sweepOnce().catch((error: unknown) => {
      this.swept = undefined;
      throw error;
    }));
  }

  private async sweepOnce(): Promise<void> {
    await sweepDrafts(this.folder);
    for (const name of (await namesIn(this.folder)).filter((each) => folderName.test(each))) {
      const folder = join(this.folder, name);
      if (!(await namesIn(folder)).includes('image.json')) {
        await removeTree(folder).catch(() => undefined);
      }
    }
  }
}

const noteOf = (folder: string): string => join(folder, 'image.json');
const layerOf = (folder: string): string => join(folder, 'layer.qcow2');
const baseOf = (folder: string): string => join(folder, 'base.ext4');

function rebuilt(): BerthError {
  const hint = 'Try again: nothing was lost.';
  return new BerthError('illegal_state', 'Its root disk was made anew while it was copied.', { hint });
}
