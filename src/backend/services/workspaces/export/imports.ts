/**
 * `berth import`: a workspace of a file, made as its bytes arrive. A create with a filling: what fails leaves nothing, and
 * nothing starts before the whole file was held against its checksums.
 */
import { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { bodyOf, failureOf } from '../../../../api/rules/results';
import type { PublishedPort, WorkspaceSpec } from '../../../../api/workspaces/schemas';
import type { ImportQuery, ImportResult } from '../../../../api/workspaces/export';
import { refuseUnsupported } from '../../../drivers/contract/support';
import type { Drivers } from '../../engine/drivers';
import { untilItEnds, type OperationContext } from '../../operations/operation-context';
import type { Operations } from '../../operations/operations';
import { isFree, type PortLedger } from '../../../ssh/ports';
import type { WorkspaceCreator } from '../create';
import { noteMade, type Filling } from '../filling';
import type { ForkBaseDeps } from '../fork/fork-base';
import { dropForkImage, newForkImage } from '../fork/fork-image';
import type { VolumeCopy } from '../fork/fork-spec';
import { portsOf } from '../start/published-ports';
import { checkVolumeName } from '../start/mount-syntax';
import { BundleReader } from './bundle-reader';
import { contentOf, imageContent } from './export-plan';
import { fillVolume } from './fill-volume';
import { copiesOf, fitHome, makeNamed } from './import-volumes';
import type { Manifest } from './manifest';

export interface ImportsDeps extends ForkBaseDeps {
  drivers: Drivers;
  operations: Operations;
  ports: PortLedger;
  creator: Pick<WorkspaceCreator, 'createFilled'>;
}

interface Plan {
  name: string;
  manifest: Manifest;
  spec: WorkspaceSpec;
  /** Named volumes, and what they are called here. */
  copies: readonly VolumeCopy[];
  ports: PublishedPort[];
  moved: ImportResult['ports'];
}

export class Imports {
  constructor(private readonly deps: ImportsDeps) {}

  /** Resolves when it is there. `signal`: nobody sends, or waits, any more. */
  async import(content: Readable, query: ImportQuery, signal: AbortSignal): Promise<ImportResult> {
    const reader = new BundleReader(content as AsyncIterable<Buffer>);
    const manifest = await reader.manifest();
    const plan = await this.planOf(manifest, query);
    const { name, spec } = plan;
    const letGo = this.deps.bases.hold([spec.image]);
    try {
      const warnings = await this.create(plan, query, this.fillingOf(plan, reader), signal);
      const { workspace, leftOut } = manifest;
      return {
        workspace: name,
        leftOut,
        volumes: plan.copies.map(({ to }) => to),
        renamed: plan.copies.filter(({ from, to }) => from !== to),
        ports: plan.moved,
        published: portsOf(this.deps.registry.find(name)?.spec.ports),
        secretNames: workspace.secretNames ?? [],
        warnings,
      };
    } finally {
      letGo();
      // One that a file only names is not its own.
      if (manifest.image.isIncluded) {
        await dropForkImage(this.deps, this.deps.drivers.of(spec), spec.image);
      }
    }
  }

  private async create(
    { name, spec, manifest: { workspace }, ports }: Plan,
    { start = true }: ImportQuery,
    filling: Filling,
    signal: AbortSignal,
  ): Promise<string[]> {
    const { creator, operations } = this.deps;
    const { label, tags } = workspace;
    const begun = await creator.createFilled(
      {
        ...{ name, ports, start },
        ...(label !== workspace.name && { label }),
        ...(tags !== undefined && { tags }),
      },
      spec,
      filling,
    );
    const cancel = (): void => void operations.cancel(begun.id);
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) {
      cancel();
    }
    const ended = await operations.wait(begun.id, untilItEnds);
    signal.removeEventListener('abort', cancel);
    if (ended.status !== 'succeeded') {
      throw failureOf({ error: bodyOf(ended) });
    }
    return ended.warnings;
  }

  private async planOf(manifest: Manifest, query: ImportQuery): Promise<Plan> {
    const { drivers, registry } = this.deps;
    const { workspace, image } = manifest;
    const name = query.name ?? workspace.name;
    const runtime = query.runtime ?? workspace.spec.runtime;
    this.refuseTaken(name);
    refuseUntrusted(workspace.spec, query.trust === true);
    const { ports = [], mounts = [], ...rest } = workspace.spec;
    const copies = await copiesOf(manifest, name, drivers);
    copies.forEach(({ to }) => checkVolumeName(to, runtime, 'file'));
    const nameOf = new Map(copies.map(({ from, to }) => [from, to]));
    const spec: WorkspaceSpec = {
      ...rest,
      runtime,
      image: image.isIncluded ? newForkImage(name) : rest.image,
      ...(mounts.length > 0 && {
        mounts: mounts.map((mount) => ({ ...mount, source: nameOf.get(mount.source) ?? mount.source })),
      }),
    };
    refuseUnsupported({ ...spec, ports }, drivers.of({ runtime }), drivers.all());
    registry.refuseTaken(name);
    return { name, manifest, spec, copies, ...(await this.portsOf(ports, query.trust === true)) };
  }

  private refuseTaken(name: string): void {
    try {
      this.deps.registry.refuseTaken(name);
    } catch (error) {
      if (error instanceof BerthError && error.code === 'exists') {
        throw new BerthError('exists', error.message, {
          field: 'name',
          hint: `Import it under another name: \`--name ${name.slice(0, 50)}-2\`.`,
          cause: error,
        });
      }
      throw error;
    }
  }

  /**
   * As they were where they are free, in a file that is trusted: other programs may use one by habit. What Berth chose
   * itself is chosen again.
   */
  private async portsOf(
    ports: readonly PublishedPort[],
    isTrusted: boolean,
  ): Promise<Pick<Plan, 'ports' | 'moved'>> {
    const kept: PublishedPort[] = [];
    const moved: ImportResult['ports'] = [];
    for (const { host, guest, chosen } of ports) {
      const isKept =
        isTrusted &&
        host !== undefined &&
        chosen !== true &&
        this.deps.ports.ownerOf(host) === undefined &&
        (await isFree(host));
      if (isKept) {
        kept.push({ host, guest });
      } else if (!kept.some((port) => port.guest === guest)) {
        kept.push({ guest });
      }
      if (!isKept && host !== undefined && chosen !== true) {
        moved.push({ from: host, guest });
      }
    }
    return { ports: kept, moved };
  }

  private fillingOf({ name, manifest, spec, copies }: Plan, reader: BundleReader): Filling {
    const { drivers, registry } = this.deps;
    const driver = drivers.of(spec);
    const progress = progressOf(manifest);
    const fill = async (volume: string, index: number, context: OperationContext): Promise<void> => {
      const content = reader.content(contentOf(index), (bytes) => progress(bytes, context));
      // Not published: the volume is new with the workspace, so that nobody has seen its files yet.
      await fillVolume(await driver.volumes.files(volume), content, context);
    };
    return {
      what: 'import',
      record: { cloned: manifest.workspace.cloned },
      ...(manifest.image.isIncluded && {
        bringImage: async (context) => {
          const content = reader.content(imageContent, (bytes) => progress(bytes, context));
          const tar = Readable.from(content, { objectMode: false });
          // Whoever reads it has the error as well.
          tar.on('error', () => undefined);
          try {
            await driver.images.load(spec.image, tar, context.signal);
            // What is behind the end of the archive.
            while ((await content.next()).done !== true);
          } finally {
            tar.destroy();
          }
        },
      }),
      makeVolumes: async (context) => {
        for (const [index, { to }] of copies.entries()) {
          await makeNamed(drivers, driver, to, manifest.volumes[index]);
          await noteMade(registry, name, to);
          await fill(to, index, context);
        }
      },
      fill: async (context) => {
        const { homeVolume } = registry.get(name);
        await fitHome(driver, homeVolume, manifest.volumes[copies.length]);
        await fill(homeVolume, copies.length, context);
        await reader.end();
      },
    };
  }
}

/** What a file asks for that is more than a workspace, and may be nothing that its reader wants. */
function refuseUntrusted({ docker, network }: Manifest['workspace']['spec'], isTrusted: boolean): void {
  const reaches = [
    ...(docker === true ? ['a Docker daemon inside, for which a container is privileged'] : []),
    ...(network === 'host-loopback' ? ["the way to what listens on this machine's loopback"] : []),
  ];
  if (reaches.length > 0 && !isTrusted) {
    throw new BerthError('needs_confirmation', `The workspace in the file has ${reaches.join(', and ')}.`, {
      field: 'trust',
      hint: 'If you know where the file comes from: `--trust`.',
    });
  }
}

function progressOf({ volumes, image }: Manifest): (bytes: number, context: OperationContext) => void {
  const total = volumes.reduce((sum, { bytes }) => sum + bytes, image.bytes);
  let done = 0;
  return (bytes, context) => {
    done += bytes;
    context.progress({ unit: 'bytes', done: Math.min(done, total), total });
  };
}
