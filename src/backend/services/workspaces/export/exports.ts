/** `berth export`: one file of all that a workspace is, written as it is read. The workspace goes on meanwhile. */
import { PassThrough, type Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { imageFile } from '../../../../api/rules/image-reference';
import { isUsable, notWhile } from '../../../../api/rules/lifecycle';
import { snapshotFilesOf } from '../../../../api/rules/root-files';
import type { Operation } from '../../../../api/operations/schemas';
import { mebibyte } from '../../../../api/rules/sizes';
import type { ExportQuery, ExportResult } from '../../../../api/workspaces/export';
import type { SavedImage } from '../../../drivers/driver';
import { push } from '../../../tar/flow';
import type { Drivers } from '../../engine/drivers';
import type { OperationContext } from '../../operations/operation-context';
import type { Operations } from '../../operations/operations';
import type { Volumes } from '../../volumes/volumes';
import { releaseBase, takeBase, type Base, type TakeBaseDeps } from '../fork/take-base';
import { refuseUnfilled } from '../fork/unfilled';
import { measureOwnFiles } from '../own-files';
import type { WorkspaceRecord } from '../record';
import { BundleWriter } from './bundle-writer';
import { contentOf, imageContent, manifestOf, volumesOf } from './export-plan';
import { asError } from '../../../machine/as-error';

export interface ExportsDeps extends TakeBaseDeps {
  drivers: Drivers;
  operations: Operations;
  volumes: Pick<Volumes, 'files'>;
}

/** A file that is being written. */
export interface Export {
  operation: Operation;
  /** To be read to its end, or destroyed: that cancels the operation. Fails with the operation. */
  content: Readable;
}

const bufferBytes = 4 * mebibyte;

export class Exports {
  constructor(private readonly deps: ExportsDeps) {}

  /** Throws `illegal_state` in a state in which its files change unseen, and `not_supported`. */
  export(name: string, { image = 'include' }: ExportQuery): Export {
    const { registry, operations, runtimes } = this.deps;
    const source = registry.get(name);
    if (!isUsable('fork', source.state)) {
      throw notWhile(source.state, name, "it can't be exported");
    }
    refuseUnfilled(source);
    refusePath(source, image);
    const { driver } = runtimes.of(source);
    if (driver.volumes.snapshots === undefined) {
      throw new BerthError('not_supported', `Workspaces of ${driver.kind}s can't be exported yet.`);
    }
    const content = new PassThrough({ highWaterMark: bufferBytes });
    // Whoever reads it has the error as well.
    content.on('error', () => undefined);
    const title = `Export workspace ${name}`;
    const operation = operations.start({ kind: 'workspace.export', title, workspace: name }, (context) =>
      this.run(source, image, content, context),
    );
    content.once('close', () => {
      if (!content.readableEnded) {
        operations.cancel(operation.id);
      }
    });
    return { operation, content };
  }

  private async run(
    source: WorkspaceRecord,
    image: NonNullable<ExportQuery['image']>,
    content: PassThrough,
    context: OperationContext,
  ): Promise<ExportResult> {
    const { bases, runtimes } = this.deps;
    try {
      await runtimes.reach(source);
      const withoutOwn = image === 'reference';
      const base = await takeBase(this.deps, source, { withoutOwn }, context);
      const letGo = bases.hold([base.image, ...base.snapshots.values()]);
      let result: ExportResult;
      try {
        result = await this.write(base, !withoutOwn, content, context);
      } finally {
        letGo();
        await releaseBase(this.deps, base);
      }
      // Not before: the end of the content says that all is done.
      content.end();
      return result;
    } catch (error) {
      content.destroy(asError(error));
      throw error;
    }
  }

  private async write(
    base: Base,
    isIncluded: boolean,
    content: PassThrough,
    context: OperationContext,
  ): Promise<ExportResult> {
    const { source } = base;
    const saved = isIncluded ? await this.save(base, context) : undefined;
    try {
      const bytes = await this.sizes(base);
      const manifest = manifestOf(source, {
        image: { isIncluded, bytes: saved?.totalBytes ?? 0 },
        bytes,
        sizes: await this.diskSizes(source),
        notes: isIncluded ? [] : await this.ownNotes(source),
      });
      const progress = new Progress(
        context,
        manifest.volumes.reduce((sum, each) => sum + each.bytes, manifest.image.bytes),
      );
      const writer = new BundleWriter(async (chunk) => {
        context.signal.throwIfAborted();
        await push(content, chunk);
        // Its reader is gone: nobody waits for the rest.
        if (content.destroyed) {
          throw new BerthError('cancelled', 'Nobody reads the file any more.');
        }
      });
      await writer.manifest(manifest);
      if (saved !== undefined) {
        await context.step('image', 'Write its image', () => this.writeImage(writer, saved, progress));
      }
      for (const [index, volume] of volumesOf(source).entries()) {
        const write = (): Promise<void> =>
          this.writeVolume(
            writer,
            { name: contentOf(index), snapshot: base.snapshots.get(volume) ?? '' },
            progress,
            context,
          );
        await context.step(`volume ${volume}`, `Write ${volume}`, write);
      }
      await writer.end();
      return { workspace: source.name, leftOut: manifest.leftOut };
    } finally {
      saved?.tar.destroy();
    }
  }

  private async sizes({ snapshots }: Base): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for (const [volume, id] of snapshots) {
      sizes.set(volume, (await this.deps.snapshots.get(volume, id)).usedBytes);
    }
    return sizes;
  }

  private async diskSizes(source: WorkspaceRecord): Promise<ReadonlyMap<string, number>> {
    const { volumes } = this.deps.runtimes.of(source).driver;
    const sizes = new Map<string, number>();
    for (const volume of volumesOf(source)) {
      const { kind, sizeMiB } = (await volumes.inspect(volume)) ?? {};
      if (kind === 'disk' && sizeMiB !== undefined) {
        sizes.set(volume, sizeMiB);
      }
    }
    return sizes;
  }

  /** By the driver of the workspace, or by the one that it has its images from. */
  private async save({ source, image }: Base, { signal }: OperationContext): Promise<SavedImage> {
    const { drivers, runtimes } = this.deps;
    const own = runtimes.of(source).driver;
    const others = drivers.all().filter((driver) => driver !== own);
    try {
      return await own.images.save(image, signal);
    } catch (error) {
      for (const { images } of others) {
        const found = await images.resolve(image).catch(() => undefined);
        if (found !== undefined) {
          return images.save(image, signal);
        }
      }
      throw error instanceof BerthError && error.code === 'image_missing'
        ? new BerthError('image_missing', `The image ${image} can't be put into the file: ${error.message}`, {
            field: 'image',
            hint: `Leave it out, for a machine that has it or can pull it: \`berth export ${source.name} --image reference\`.`,
            cause: error,
          })
        : error;
    }
  }

  private async ownNotes(source: WorkspaceRecord): Promise<string[]> {
    const own = await measureOwnFiles(this.deps.runtimes.of(source), this.deps.log);
    const files = own?.files ?? 0;
    return [
      `its image ${source.spec.image}`,
      ...(files === 0 ? [] : [`${files} files that it has outside of its volumes, as what was installed`]),
    ];
  }

  private async writeImage(writer: BundleWriter, { tar }: SavedImage, progress: Progress): Promise<void> {
    await writer.content(imageContent, async (take) => {
      for await (const chunk of tar) {
        await take(chunk as Buffer);
        progress.add((chunk as Buffer).length);
      }
    });
  }

  private async writeVolume(
    writer: BundleWriter,
    { name, snapshot }: { name: string; snapshot: string },
    progress: Progress,
    context: OperationContext,
  ): Promise<void> {
    const files = await this.deps.volumes.files(snapshotFilesOf(snapshot));
    const unread = (path: string, reason: string): void =>
      context.warn(`${path} is not in the file: ${reason}.`);
    await writer.content(name, (take) =>
      files.receiveTar(
        '/',
        async (chunk) => {
          await take(chunk);
          progress.add(chunk.length);
        },
        context.signal,
        unread,
      ),
    );
  }
}

/** A path means another file on another machine, or none. */
function refusePath({ name, spec }: WorkspaceRecord, image: ExportQuery['image']): void {
  if (image === 'reference' && imageFile(spec.image) !== undefined) {
    throw new BerthError('bad_request', `The image of ${name} is a file of this machine: ${spec.image}.`, {
      field: 'image',
      hint: `Put it into the file: \`berth export ${name}\`, without \`--image reference\`.`,
    });
  }
}

/** What is written, of what there is; the tar is a little larger than what is in it. */
class Progress {
  private done = 0;

  constructor(
    private readonly context: OperationContext,
    private readonly total: number,
  ) {}

  add(bytes: number): void {
    this.done += bytes;
    this.context.progress({ unit: 'bytes', done: Math.min(this.done, this.total), total: this.total });
  }
}
