/**
 * Guest kits: a kernel, an initramfs and a disk of programs, with which any root file system boots. A kit is whole or
 * not there, and is never changed: machines that were saved need the very files they were started with.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError, asBerthError } from '../../../../api/errors';
import { isErrno, removeTree, renameDurably, syncFile } from '../../../machine/files';
import { copyWhole, replaceFile } from '../../../machine/whole-file';
import { throwIfCancelled } from '../../../machine/wait';
import type { GuestKit, GuestKits } from '../parts';
import type { Gatherer } from './gatherers';
import { buildInitrd } from './initrd';
import {
  hashKit,
  holdsKit,
  isWhole,
  kitFiles as files,
  readAbout,
  writeAbout,
  type KitAbout,
} from './kit-files';
import { kernelArguments, kitName, recipeOf, type KitRecipe } from './kit-parts';
import { toolsTree } from './tools-tree';

const draftPrefix = '.draft-';
const staleAfterMs = 3_600_000;

export interface GuestKitOptions {
  /** The state directory. */
  home: string;
  /** `images/`. */
  images: string;
  /** Tried in this order. */
  gatherers: readonly Gatherer[];
  /** A tar with the folder `.berth`, as containers get it. */
  tools: (signal: AbortSignal) => Promise<Readable>;
  buildExt4: (
    out: string,
    tar: Readable,
    options: { label: string; signal: AbortSignal },
  ) => Promise<unknown>;
}

export class GuestKitStore implements GuestKits {
  constructor(private readonly options: GuestKitOptions) {}

  /** The newest that this engine's scripts are in. */
  async find(): Promise<GuestKit | undefined> {
    const recipe = await recipeOf(this.options.images);
    const kits = await Promise.all((await this.names()).map((name) => this.read(name)));
    const newestFirst = kits
      .flatMap((kit) => (kit?.about.recipe === recipe.hash ? [kit] : []))
      .sort((a, b) => (a.about.builtAt < b.about.builtAt ? 1 : -1));
    for (const { about, kit } of newestFirst) {
      if (await isWhole(dirname(kit.kernel), about)) {
        return kit;
      }
    }
    return undefined;
  }

  has(kernel: string, hash: string): Promise<boolean> {
    return holdsKit(dirname(kernel), hash);
  }

  /**
   * From Debian's newest kernel; nothing is done when there is such a kit already. Throws `not_supported` where there
   * is no way to get it, else what the last way failed with.
   */
  async build(line: (text: string) => void, signal: AbortSignal): Promise<GuestKit> {
    let failure: unknown = new BerthError(
      'not_supported',
      'There is nowhere to get a kernel for microVMs from.',
    );
    for (const gatherer of this.options.gatherers) {
      try {
        return await this.buildWith(gatherer, line, signal);
      } catch (error) {
        if (signal.aborted) {
          throw error;
        }
        line(asBerthError(error).message);
        failure = error;
      }
    }
    throw failure;
  }

  private async buildWith(
    gatherer: Gatherer,
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<GuestKit> {
    const recipe = await recipeOf(this.options.images);
    const kernel = await gatherer.kernel(line, signal);
    const name = kitName(recipe, kernel);
    const present = await this.whole(name, line);
    if (present !== undefined) {
      line(`The kernel of microVMs ${name} is there.`);
      return present;
    }
    await this.sweep();
    const draft = join(this.folder, `${draftPrefix}${randomUUID()}`);
    await mkdir(draft, { recursive: true, mode: 0o700 });
    try {
      const gathered = join(draft, 'gathered');
      await mkdir(gathered);
      await gatherer.into(gathered, line, signal);
      await this.assemble(draft, { gathered, kernel, recipe }, line, signal);
      await removeTree(gathered);
      await this.putInPlace(draft, name);
    } finally {
      await removeTree(draft);
    }
    const made = await this.read(name);
    if (made === undefined) {
      throw new Error(`the kernel of microVMs (${name}) vanished while it was prepared`);
    }
    line(`The kernel of microVMs ${name} is made.`);
    return made.kit;
  }

  private get folder(): string {
    return join(this.options.home, 'guest');
  }

  /** A damaged kit makes way: machines that run have it open, and paused ones keep their own. */
  private async whole(name: string, line: (text: string) => void): Promise<GuestKit | undefined> {
    const folder = join(this.folder, name);
    const present = await this.read(name);
    if (present !== undefined && (await isWhole(folder, present.about))) {
      return present.kit;
    }
    const aside = join(this.folder, `${draftPrefix}${randomUUID()}`);
    try {
      await rename(folder, aside);
      line(`The kernel of microVMs ${name} is damaged: it is made anew.`);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) {
        throw error;
      }
    }
    await removeTree(aside);
    return undefined;
  }

  private async assemble(
    draft: string,
    { gathered, kernel, recipe }: { gathered: string; kernel: string; recipe: KitRecipe },
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { images, tools, buildExt4 } = this.options;
    const guest = join(images, 'guest');
    await copyWhole(join(gathered, 'vmlinuz'), join(draft, files.kernel));
    const initrd = await buildInitrd({
      busybox: await readFile(join(gathered, 'busybox')),
      init: await readFile(join(guest, 'init')),
      tables: {
        fstab: await readFile(join(guest, 'fstab')),
        'fstab.move': await readFile(join(guest, 'fstab.move')),
      },
      modules: join(gathered, 'modules', 'lib', 'modules', kernel),
      wanted: await readFile(join(guest, 'boot-modules'), 'utf8'),
    });
    await replaceFile(join(draft, files.initrd), initrd, 0o644);
    throwIfCancelled(signal, 'prepare the kernel of microVMs');
    line('Making the disk of the tools.');
    const tree = toolsTree({ tools: await tools(signal), guest, gathered });
    const toolsDisk = join(draft, files.toolsDisk);
    await buildExt4(toolsDisk, tree, { label: 'berth-tools', signal });
    await syncFile(toolsDisk);
    throwIfCancelled(signal, 'prepare the kernel of microVMs');
    await writeAbout(draft, {
      ...{ recipe: recipe.hash, kernel, hash: await hashKit(draft), kernelArguments },
      builtAt: new Date().toISOString(),
    });
  }

  /** Removes what engines left that were killed; another one's, which is being made, is younger. */
  private async sweep(): Promise<void> {
    const entries = await readdir(this.folder).catch(() => []);
    for (const name of entries.filter((entry) => entry.startsWith(draftPrefix))) {
      const path = join(this.folder, name);
      const changed = await stat(path).catch(() => undefined);
      if (changed && Date.now() - changed.mtimeMs > staleAfterMs) {
        await removeTree(path);
      }
    }
  }

  /** Another engine may have been quicker: its kit stays. */
  private async putInPlace(draft: string, name: string): Promise<void> {
    try {
      await renameDurably(draft, join(this.folder, name));
    } catch (error) {
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'EPERM')) {
        throw error;
      }
    }
  }

  private async names(): Promise<string[]> {
    try {
      return (await readdir(this.folder)).filter((name) => !name.startsWith('.'));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) {
        return [];
      }
      throw error;
    }
  }

  private async read(name: string): Promise<{ about: KitAbout; kit: GuestKit } | undefined> {
    const folder = join(this.folder, name);
    const about = await readAbout(folder);
    if (about === undefined) {
      return undefined;
    }
    const kit = {
      ...{ version: name, hash: about.hash, kernelArguments: about.kernelArguments },
      kernel: join(folder, files.kernel),
      initrd: join(folder, files.initrd),
      toolsDisk: join(folder, files.toolsDisk),
    };
    return { about, kit };
  }
}
