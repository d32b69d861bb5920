/** Images: list, build, pull; long ones as operations. */
import { defaultRuntime } from '../../../api/rules/runtimes';
import { dirname, isAbsolute, join } from 'node:path';
import { BerthError } from '../../../api/errors';
import { imageName } from '../../../api/rules/image-reference';
import type { Image } from '../../../api/engine/schemas';
import type { Operation } from '../../../api/operations/schemas';
import type { RuntimeKind } from '../../../api/workspaces/schemas';
import type { Driver } from '../../drivers/driver';
import type { DownloadDrafts } from '../../store/download-drafts';
import { isErrno, refuseExisting } from '../../machine/files';
import { writeNew } from '../../images/write-new';
import { placeNewOrThrow } from '../../machine/place-new';
import type { Drivers } from '../engine/drivers';
import { inBytes } from './image-progress';
import type { Log } from '../../machine/log';
import type { Operations } from '../operations/operations';
import type { ForkBases } from '../workspaces/fork/bases';
import type { WorkspaceRegistry } from '../workspaces/registry';

/** Among those that use an image: no workspace can have that name. */
const trashUser = '(trash)';

/** `latest` is meant where nothing is said. */
function sameName(one: string, other: string): boolean {
  return one === other || one === `${other}:latest` || `${one}:latest` === other;
}

export interface BuildOptions {
  noCache: boolean;
  toolsOnly: boolean;
  runtime?: RuntimeKind;
}

export class Images {
  constructor(
    private readonly drivers: Drivers,
    private readonly registry: WorkspaceRegistry,
    private readonly operations: Operations,
    private readonly log: Log,
    private readonly drafts: DownloadDrafts,
    private readonly bases: Pick<ForkBases, 'isHeld'>,
  ) {}

  /** Images of every driver that answers. Throws the error of one that doesn't, where there are none. */
  async list(): Promise<Image[]> {
    const lists = await Promise.allSettled(this.drivers.all().map((driver) => driver.images.list()));
    const images = lists.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const failure = lists.find((each) => each.status === 'rejected');
    if (failure !== undefined && images.length === 0) {
      throw failure.reason;
    }
    const records = this.registry.all();
    return images.map((image) => ({
      ...image,
      usedBy: [
        ...records
          .filter((record) => record.imageId === image.id || image.tags.includes(record.spec.image))
          .map((record) => record.name),
        ...(image.tags.some((tag) => this.isHeld(tag)) ? [trashUser] : []),
      ],
    }));
  }

  /** For one kind of runtime; containers unless another is named. Throws `in_use` while another build runs. */
  build({ runtime, ...options }: BuildOptions): Operation {
    const driver = this.driver(runtime);
    const what = options.toolsOnly ? 'the tools of workspaces' : 'workspace:latest';
    const title = runtime === undefined ? `Build ${what}` : `Build ${what} (${runtime})`;
    const running = this.operations.list(true).find((operation) => operation.kind === 'image.build');
    if (running?.title === title) {
      return running;
    }
    if (running !== undefined) {
      throw new BerthError('in_use', `Another build is running: ${running.title}.`, {
        hint: 'Wait until it is done, or cancel it.',
      });
    }
    return this.operations.start({ kind: 'image.build', title }, async (context) => {
      let line = 0;
      await driver.images.build(
        options,
        (name, stepTitle, run) => context.step(name, stepTitle, run),
        (text) => {
          line += 1;
          this.log.debug({ line: text }, 'image build');
          context.progress({ unit: 'steps', done: line, current: text.slice(0, 200) });
        },
        context.signal,
      );
      return undefined;
    });
  }

  pull(image: string, runtime?: RuntimeKind): Operation {
    const driver = this.driver(runtime);
    imageName(image);
    return this.operations.start({ kind: 'image.pull', title: `Pull ${image}` }, async (context) => {
      await driver.images.pull(image, inBytes(context), context.signal);
      return { image };
    });
  }

  push(image: string): Operation {
    imageName(image);
    return this.operations.start({ kind: 'image.push', title: `Push ${image}` }, async (context) => {
      const { images } = await this.ownerOf(image);
      await images.push(image, inBytes(context), context.signal);
      return { image };
    });
  }

  /** Into a new file of this machine. Throws `bad_request` for a path that is not absolute. */
  save(image: string, path: string): Operation {
    imageName(image);
    if (!isAbsolute(path)) {
      throw new BerthError('bad_request', `"${path}" is not an absolute path.`, { field: 'path' });
    }
    return this.operations.start({ kind: 'image.save', title: `Save ${image}` }, async (context) => {
      const { images } = await this.ownerOf(image);
      await refuseExisting(path);
      // On record, so that the next engine finds what one that was killed left in a folder of the user.
      const draft = await this.draftFor(path);
      try {
        const whole = join(draft.path, 'image.tar');
        const { tar, totalBytes } = await images.save(image, context.signal);
        await writeNew(whole, tar, { totalBytes, progress: inBytes(context), signal: context.signal });
        await placeNewOrThrow(whole, path);
      } finally {
        await draft.remove();
      }
      return { image, path };
    });
  }

  private async draftFor(path: string): Promise<{ path: string; remove: () => Promise<void> }> {
    try {
      return await this.drafts.make(dirname(path));
    } catch (error) {
      throw isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS')
        ? new BerthError('path_not_found', `${path} can't be written: ${String(error)}.`, { cause: error })
        : error;
    }
  }

  /** Throws `in_use` if the spec of a workspace names the image. */
  async remove(image: string): Promise<void> {
    imageName(image);
    const { images } = await this.ownerOf(image);
    const user = this.registry.all().find((record) => sameName(record.spec.image, image));
    if (user !== undefined) {
      throw new BerthError('in_use', `The workspace ${user.name} is made of ${image}.`, {
        hint: 'The next rebuild would need it. Delete the workspace first, or rebuild it on another image.',
      });
    }
    if (this.isHeld(image)) {
      throw new BerthError('in_use', `What is in the trash, or just being copied, needs ${image}.`, {
        hint: '`berth trash list` shows what there is; `berth trash empty` removes it for good.',
      });
    }
    await images.remove(image);
  }

  /** Something that no workspace has can be made of it alone. */
  private isHeld(image: string): boolean {
    return [image, `${image}:latest`, image.replace(/:latest$/, '')].some((name) => this.bases.isHeld(name));
  }

  /** The driver that lists it. */
  private async ownerOf(image: string): Promise<Driver> {
    const lists = await Promise.allSettled(this.drivers.all().map(({ images }) => images.list()));
    const found = lists.findIndex(
      (each) =>
        each.status === 'fulfilled' &&
        each.value.some(({ id, tags }) => tags.some((tag) => sameName(tag, image)) || isIdOf(id, image)),
    );
    const driver = this.drivers.all()[found];
    if (driver === undefined) {
      throw new BerthError('image_missing', `Image '${image}' is not on this machine.`, {
        hint: '`berth image list` shows the ones there are.',
        field: 'image',
      });
    }
    return driver;
  }

  private driver(runtime: RuntimeKind | undefined): Driver {
    return this.drivers.of({ runtime: runtime ?? defaultRuntime });
  }
}

/** As a list shows it of an image without a name: its first 12 digits, or more. */
function isIdOf(id: string, image: string): boolean {
  const digits = image.replace(/^sha256:/, '');
  return /^[0-9a-f]{12,64}$/.test(digits) && id.replace(/^sha256:/, '').startsWith(digits);
}
