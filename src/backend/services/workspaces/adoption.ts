/** Volumes and containers of other tools (ws, Sandkasten, a lost state directory) become workspaces, with consent. */
import { BerthError } from '../../../api/errors';
import { checkImage, imageFile, withTag } from '../../../api/rules/image-reference';
import { holderWords } from '../../../api/rules/holder';
import { originOf } from '../../../api/rules/home-volume';
import { ownerWords } from '../../../api/rules/owner';
import type { Owner } from '../../../api/common';
import type { Adoptable } from '../../../api/engine/schemas';
import type { Operation } from '../../../api/operations/schemas';
import type { Volume } from '../../../api/volumes/schemas';
import type { WorkspaceSpec, WorkspaceState } from '../../../api/workspaces/schemas';
import type { Driver, RuntimeInfo } from '../../drivers/driver';
import type { PortLedger } from '../../ssh/ports';
import { problemOf } from './problem';
import type { Drivers } from '../engine/drivers';
import { ensureImage } from '../images/image-progress';
import { inheritedOf, inheritPorts, nothingInherited, type Inherited } from './inherited';
import type { OperationContext } from '../operations/operation-context';
import type { Operations } from '../operations/operations';
import { describeOwnFiles, measureOwnFiles } from './own-files';
import { giveVolumeBack, takeVolume } from '../volumes/own-volumes';
import type { Settings } from '../engine/settings';
import { settleReplacement, takePlace, type ReplacementDeps } from './replacement';
import { dockerVolumeOf, type WorkspaceRecord } from './record';
import { onTarget } from './target';
import { runtimeOn, stopGraceMs, type RuntimeHandle, type Runtimes } from './runtime-handle';

export interface AdoptionDeps extends ReplacementDeps {
  drivers: Drivers;
  runtimes: Runtimes;
  ports: PortLedger;
  operations: Operations;
  settings: Settings;
}

export interface AdoptRequest {
  volume: string;
  image?: string;
  replaceContainer?: boolean;
  /** Consent to take what another installation of Berth made. */
  takeOver?: boolean;
}

export class Adoption {
  constructor(private readonly deps: AdoptionDeps) {}

  /** Of every driver that answers. Throws the error of one that doesn't, where nothing was found. */
  async list(): Promise<Adoptable[]> {
    const lists = await Promise.allSettled(this.deps.drivers.all().map((driver) => this.listOf(driver)));
    const found = lists.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const failure = lists.find((each) => each.status === 'rejected');
    if (failure !== undefined && found.length === 0) {
      throw failure.reason;
    }
    return found;
  }

  private async listOf(driver: Driver): Promise<Adoptable[]> {
    const [volumes, runtimes] = await Promise.all([driver.volumes.list(), driver.list()]);
    const owned = new Set(
      this.deps.registry.all().flatMap((record) => [record.homeVolume, record.dockerVolume]),
    );
    return volumes.flatMap((volume) => {
      const origin = originOf(volume.name);
      const isDockerData = volume.role === 'docker';
      return origin === undefined || owned.has(volume.name) || isDockerData
        ? []
        : [describe(volume, origin, runtimes)];
    });
  }

  /**
   * The volume stays as it is. A container that has the workspace's name gives all that it was built with to the new
   * one; it goes with consent, and when the new one has answered: until then nothing that it has is changed. Throws
   * `not_found` for the volume, `needs_confirmation` where a container would go.
   */
  async adopt(name: string, request: AdoptRequest): Promise<Operation> {
    const { registry, drivers, operations } = this.deps;
    registry.refuseTaken(name);
    const driver = await drivers.findVolume(request.volume);
    const volume = await driver?.volumes.inspect(request.volume);
    if (driver === undefined || volume === undefined) {
      throw new BerthError('not_found', `There is no volume ${request.volume}.`, { field: 'volume' });
    }
    const runtime = runtimeOn(driver, name);
    const existing = await runtime.inspect();
    const { image, isTheirs } = await this.imageFor(driver, existing, request);
    checkImage(image, driver.kind);
    const built = await runtime.builtWith();
    const inherited =
      built === undefined ? await inheritedAlone(driver, name) : inheritedOf(built, volume.name);
    const volumes = await this.volumesOf(driver, volume, inherited, request);
    refuseForeign(existing?.owner, volume.name, request);
    volumes
      // Others may be shared.
      .filter(
        ({ name, owner }) => owner !== undefined || [volume.name, inherited.dockerVolume].includes(name),
      )
      .forEach((each) => refuseHeld(each, runtime.name));
    if (existing !== undefined && request.replaceContainer !== true) {
      throw await this.unconfirmed(runtime, { name, existing, inherited });
    }
    const spec = onTarget({ ...inherited.spec, runtime: driver.kind, image }, await driver.target());
    const takeOver = request.takeOver === true;
    const reservation = { driver, volume, volumes, spec, inherited, existing, takeOver };
    const warnings = await this.reserve(name, reservation);
    return operations.start(
      { kind: 'workspace.adopt', title: `Adopt ${volume.name} as workspace ${name}`, workspace: name },
      async (context) => {
        const ofImage = isTheirs ? [] : [`Its image is no longer on this machine: it gets ${image}.`];
        // Whoever consented at once has not been asked, and was told nothing.
        const ofRest = existing === undefined ? [] : leftOf(inherited);
        [...warnings, ...ofImage, ...ofRest].forEach((line) => context.warn(line));
        await (existing === undefined ? this.startOn(name, context) : this.replace(name, context));
        return { workspace: name };
      },
    );
  }

  /** All that the workspace would mount; throws `in_use` for what another workspace or installation has. */
  private async volumesOf(
    driver: Driver,
    home: Volume,
    { dockerVolume, spec }: Inherited,
    request: AdoptRequest,
  ): Promise<Volume[]> {
    const { registry } = this.deps;
    const own = [home.name, ...(dockerVolume === undefined ? [] : [dockerVolume])];
    for (const name of own) {
      const owner = registry
        .all()
        .find((record) => record.homeVolume === name || record.dockerVolume === name);
      if (owner !== undefined) {
        throw new BerthError('in_use', `Volume ${name} belongs to workspace ${owner.name}.`, {
          field: 'volume',
        });
      }
    }
    const named = (spec.mounts ?? []).filter(({ kind }) => kind === 'volume').map(({ source }) => source);
    const others = [...new Set([...own.slice(1), ...named])].filter((name) => name !== home.name);
    const found = await Promise.all(others.map((name) => driver.volumes.inspect(name)));
    const all = [home, ...found.filter((volume) => volume !== undefined)];
    all.forEach((volume) => refuseForeign(volume.owner, volume.name, request));
    return all;
  }

  /** What goes, with count and size, and what the new one can't have. */
  private async unconfirmed(
    runtime: RuntimeHandle,
    { name, existing, inherited }: { name: string; existing: RuntimeInfo; inherited: Inherited },
  ): Promise<BerthError> {
    const { log } = this.deps;
    const own = await measureOwnFiles(runtime, log, { anyOwner: true });
    const what = `The ${runtime.driver.kind} ${existing.name} (${existing.state}) is replaced`;
    const loss =
      own?.files === 0
        ? '. Outside of its volumes it has no files of its own.'
        : `, and what lies outside of its volumes is removed${own === undefined ? '' : `: ${describeOwnFiles(own)}`}.`;
    const lines = [`${what}${loss}`, ...leftOf(inherited)];
    return new BerthError('needs_confirmation', lines.join(' '), {
      field: 'replaceContainer',
      hint: `Volumes, ports and variables go along; it is removed when the new one has answered. Say \`replaceContainer\` (\`berth adopt ${name} --yes\`).`,
    });
  }

  /** There is no container: a workspace it is, also when it does not start. Its volume is as it was. */
  private async startOn(name: string, context: OperationContext): Promise<void> {
    const { registry, runtimes, starter } = this.deps;
    const runtime = runtimes.of(registry.get(name));
    try {
      await ensureImage(runtime.driver, registry.get(name).spec.image, context);
      await starter.start(name, context);
      await registry.settle(name, 'running');
    } catch (error) {
      await runtime.stop(0).catch(() => undefined);
      await this.settle(name, 'stopped', error, context);
      throw error;
    }
  }

  private async replace(name: string, context: OperationContext): Promise<void> {
    const { registry, runtimes } = this.deps;
    const runtime = runtimes.of(registry.get(name));
    const putAside = async (): Promise<void> => {
      await runtime.stop(stopGraceMs, { anyOwner: true });
      await runtime.setAside({ anyOwner: true });
    };
    try {
      // First: while it is pulled, what there is runs on.
      await this.ensureImageOrUndo(name, runtime.driver, context);
      await takePlace(this.deps, name, { putAside, isToRun: true }, context);
      await registry.settle(name, 'running');
    } catch (error) {
      if (registry.find(name) !== undefined) {
        await this.settle(name, 'error', error, context);
      }
      throw error;
    }
  }

  private async ensureImageOrUndo(name: string, driver: Driver, context: OperationContext): Promise<void> {
    try {
      await ensureImage(driver, this.deps.registry.get(name).spec.image, context);
    } catch (error) {
      await settleReplacement(this.deps, name);
      throw error;
    }
  }

  private async settle(
    name: string,
    state: WorkspaceState,
    error: unknown,
    context: OperationContext,
  ): Promise<void> {
    const problem = problemOf(error, 'adopt');
    await this.deps.registry.settle(name, state, context.signal.aborted ? {} : { problem });
  }

  private async imageFor(
    driver: Driver,
    existing: RuntimeInfo | undefined,
    request: AdoptRequest,
  ): Promise<{ image: string; isTheirs: boolean }> {
    const theirs = existing?.image;
    const { image: usual } = this.deps.settings.defaults;
    if (request.image !== undefined || theirs === undefined) {
      return { image: request.image ?? usual, isTheirs: true };
    }
    const isThere = (await driver.images.resolve(theirs)) !== undefined;
    // Without a tag it is the same image, and has not the name that all else knows.
    return { image: isThere ? tagged(theirs) : usual, isTheirs: isThere };
  }

  /** Answers what is to be said of its ports. */
  private async reserve(name: string, reservation: Reservation): Promise<string[]> {
    const { volume, volumes, spec, inherited, existing } = reservation;
    const { registry, ports, keys } = this.deps;
    const isRunning = existing !== undefined && existing.state !== 'stopped';
    const published = await inheritPorts(ports, name, inherited.ports, isRunning);
    const reserved = published.ports.map(({ host }) => host);
    // What another tool made and others may mount stays everybody's.
    const own = [volume.name, inherited.dockerVolume];
    const takenOver = volumes.filter(
      ({ name: each, owner, managed }) => owner !== undefined || (!managed && own.includes(each)),
    );
    try {
      const sshPort = await ports.assign(name);
      reserved.push(sshPort);
      const hostKey = await keys.hostKey(name);
      const now = new Date().toISOString();
      const { dockerVolume } = inherited;
      const record: WorkspaceRecord = {
        name,
        label: name,
        state: 'starting',
        spec: { ...spec, ...(published.ports.length > 0 && { ports: published.ports }) },
        sshPort,
        hostKey: hostKey.publicKey,
        homeVolume: volume.name,
        ...(dockerVolume !== undefined && { dockerVolume }),
        createdVolumes: [],
        cloned: false,
        createdAt: volume.createdAt ?? now,
        lastUsedAt: now,
        ...(existing !== undefined && {
          replaced: {
            image: spec.image,
            runtimeId: existing.id,
            adoption: { wasRunning: isRunning, takenOver: takenOver.map((each) => each.name) },
          },
        }),
        warnings: [],
      };
      await registry.add(record);
    } catch (error) {
      reserved.forEach((port) => ports.releasePort(port, name));
      throw error;
    }
    await this.takeOver(name, takenOver, reservation);
    return published.said;
  }

  private async takeOver(
    name: string,
    volumes: readonly Volume[],
    { driver, takeOver }: Reservation,
  ): Promise<void> {
    try {
      for (const each of volumes) {
        await takeVolume(this.deps, driver, each.name, takeOver);
      }
    } catch (error) {
      // Nothing else has been changed yet: who had them has them still.
      await Promise.allSettled(volumes.map((each) => giveVolumeBack(this.deps, driver, each.name)));
      await this.deps.registry.remove(name);
      throw error;
    }
  }
}

interface Reservation {
  driver: Driver;
  takeOver: boolean;
  volume: Volume;
  volumes: readonly Volume[];
  spec: WorkspaceSpec;
  inherited: Inherited;
  existing: RuntimeInfo | undefined;
}

/** Without a container only the name tells that there was a Docker inside. */
async function inheritedAlone(driver: Driver, name: string): Promise<Inherited> {
  const dockerVolume = dockerVolumeOf(name);
  const found = await driver.volumes.inspect(dockerVolume);
  return found?.role === 'docker' && found.owner === undefined
    ? { ...nothingInherited, spec: { docker: true }, dockerVolume }
    : nothingInherited;
}

function refuseForeign(owner: Owner | undefined, volume: string, { takeOver }: AdoptRequest): void {
  if (owner !== undefined && takeOver !== true) {
    throw new BerthError('in_use', `Volume ${volume} belongs to ${ownerWords(owner)}.`, {
      hint: 'Use `takeOver` (`berth adopt --take-over`) to take it over: that installation then loses its workspace.',
      field: 'takeOver',
    });
  }
}

/** Two that write to one home, or one Docker's files, at once spoil it; and what another installation uses is not taken. */
function refuseHeld({ name, kind, holders }: Volume, runtime: string): void {
  const other = holders.find((holder) => holder.runtime !== runtime && holder.state !== 'stopped');
  if (other !== undefined) {
    throw new BerthError('in_use', `The volume ${name} is in use by ${holderWords(other, kind)}.`, {
      hint: 'Stop it first.',
      field: 'volume',
    });
  }
}

const maxListed = 8;

/** What to say of what the workspace can't have. */
function leftOf({ left }: Inherited): string[] {
  return left.length === 0 ? [] : [`The workspace does not have: ${listed(left)}.`];
}

/** At most so many, and how many more. */
function listed(all: readonly string[]): string {
  const more = all.length - maxListed;
  return more > 0 ? `${all.slice(0, maxListed).join('; ')}; and ${more} more` : all.join('; ');
}

/** As all else knows it; what is no name is left as it is. */
function tagged(image: string): string {
  return imageFile(image) === undefined ? withTag(image) : image;
}

function describe(
  volume: Volume,
  { name, origin }: { name: string; origin: Adoptable['origin'] },
  runtimes: readonly RuntimeInfo[],
): Adoptable {
  const container = runtimes.find((info) => info.volumes.some((mount) => mount.volume === volume.name));
  const owner = volume.owner ?? container?.owner;
  return {
    name,
    volume: volume.name,
    // Its own are those of workspaces that were forgotten, or deleted without their volumes.
    origin: owner === undefined && !volume.managed ? origin : 'berth',
    ...(owner !== undefined && { owner }),
    ...(container !== undefined && {
      container: container.name,
      containerState: container.state,
      image: container.image,
    }),
  };
}
