/**
 * Before a start: volumes, ports and the runtime itself are what the record says. Nothing of the runtime's own files is
 * ever removed here.
 */
import { BerthError } from '../../api/errors';
import { imageMissing } from '../../api/image-reference';
import { ownerWords } from '../../api/owner';
import type { Driver, RuntimeInfo, RuntimePlan } from '../drivers/driver';
import { isFree, type PortLedger } from '../ssh/ports';
import type { Drivers } from './drivers';
import { ensureImage } from './image-progress';
import { resolveMounts } from './mount-resolution';
import type { OperationContext } from './operation-context';
import { assignedOf, movePorts, portsNamedIn, portsOf } from './published-ports';
import { acceptedLoss, lookAtVolumes, volumesGone, type VolumeFindings } from './volume-checks';
import { runtimeNameOf, type WorkspaceRecord } from './workspace-record';
import type { WorkspaceRegistry } from './workspace-registry';

export interface StartOptions {
  /** Volumes that are gone may be made anew, empty. */
  acceptEmpty?: boolean;
}

export interface PreparationParts {
  registry: WorkspaceRegistry;
  drivers: Drivers;
  ports: PortLedger;
}

export function planOf(record: WorkspaceRecord): RuntimePlan {
  const { spec } = record;
  return {
    name: runtimeNameOf(record.name),
    workspace: record.name,
    image: spec.image,
    env: spec.env ?? {},
    limits: spec.limits ?? {},
    docker: spec.docker ?? false,
    network: spec.network ?? 'on',
    homeVolume: record.homeVolume,
    dockerVolume: record.dockerVolume,
    mounts: spec.mounts ?? [],
    ports: portsOf(spec.ports),
    sshPort: record.sshPort,
  };
}

export class RuntimePreparation {
  constructor(private readonly parts: PreparationParts) {}

  /** Throws `volume_gone`, or `in_use` for a port that the user named, with nothing changed. */
  async prepare(
    name: string,
    context: OperationContext,
    { acceptEmpty = false }: StartOptions,
  ): Promise<void> {
    const { registry } = this.parts;
    const driver = this.driverOf(name);
    const info = await driver.inspect(runtimeNameOf(name));
    if (info?.owner !== undefined) {
      throw new BerthError(
        'exists',
        `The ${driver.kind} ${info.name} belongs to ${ownerWords(info.owner)}.`,
        {
          hint: 'Delete it from there, or this workspace here with its volumes kept, and adopt them by another name.',
        },
      );
    }
    if (info !== undefined && info.state !== 'stopped') {
      return;
    }
    const findings = await this.checkVolumes(name, acceptEmpty);
    const before = registry.get(name);
    const hasMoved = await this.movePorts(name, context);
    if (info === undefined) {
      await this.buildAgain(name, context);
    } else if (hasMoved || info.sshPort !== registry.get(name).sshPort || lost(findings)) {
      await this.refitMoved(name, before, context.signal);
    }
    await this.noteVolumes(name, findings, context, info === undefined || lost(findings));
  }

  /** The same for what goes on from its state on disk, which can't go on with another volume. */
  async prepareSaved(name: string, context: OperationContext): Promise<void> {
    await this.checkVolumes(name, 'saved');
    const before = this.parts.registry.get(name);
    const hasMoved = await this.movePorts(name, context);
    const info = await this.driverOf(name).inspect(runtimeNameOf(name));
    if (hasMoved || info?.sshPort !== this.parts.registry.get(name).sshPort) {
      await this.refitMoved(name, before, context.signal);
    }
  }

  /**
   * The system keeps a port though nobody listens on it: the one that it names moves. Throws `refused` where that can't
   * be told, and `in_use` for one that the user named.
   */
  async moveRefused(name: string, refused: BerthError, context: OperationContext): Promise<void> {
    const { sshPort, spec } = this.parts.registry.get(name);
    const { needsRebuild } = await this.driverOf(name).setPorts(runtimeNameOf(name), portsOf(spec.ports));
    if (needsRebuild.length > 0) {
      // It may be one that the user has given up since: a start may not need a rebuild, which removes files.
      await this.refit(name, context.signal);
      return;
    }
    const published = assignedOf(spec.ports).map(({ host }) => host);
    const named = portsNamedIn(refused.message);
    const ours = new Set([sshPort, ...published].filter((port) => named.has(port)));
    if (ours.size === 0 && published.length > 0) {
      throw refused;
    }
    const before = this.parts.registry.get(name);
    await this.movePorts(name, context, ours.size === 0 ? new Set([sshPort]) : ours);
    await this.refitMoved(name, before, context.signal);
  }

  /** Makes the runtime when there is none; notes the volumes that came into being with it. Throws `volume_gone`. */
  async build(
    name: string,
    context: OperationContext,
    { acceptEmpty = false }: StartOptions = {},
  ): Promise<RuntimeInfo> {
    const findings = await this.checkVolumes(name, acceptEmpty);
    const info = await this.make(name, context.signal);
    await this.noteVolumes(name, findings, context, true);
    return info;
  }

  private async make(name: string, signal: AbortSignal): Promise<RuntimeInfo> {
    const record = this.parts.registry.get(name);
    const driver = this.driverOf(name);
    const imageId = await driver.images.resolve(record.spec.image);
    if (imageId === undefined) {
      throw imageMissing(record.spec.image);
    }
    const missing = await this.missingVolumes(record, driver);
    const created = [...new Set([...record.createdVolumes, ...missing])];
    await this.parts.registry.update(name, { createdVolumes: created });
    const plan = planOf(this.parts.registry.get(name));
    const mounts = await resolveMounts(plan.mounts, driver, this.parts.drivers);
    const info = await driver.create({ ...plan, mounts }, signal);
    await this.parts.registry.update(name, { runtimeId: info.id, imageId });
    return info;
  }

  private async missingVolumes(record: WorkspaceRecord, driver: Driver): Promise<string[]> {
    const names = [record.homeVolume, ...(record.dockerVolume === undefined ? [] : [record.dockerVolume])];
    const there = await Promise.all(names.map((name) => driver.volumes.inspect(name)));
    return names.filter((_, index) => there[index] === undefined);
  }

  private driverOf(name: string): Driver {
    return this.parts.drivers.of(this.parts.registry.get(name).spec.runtime);
  }

  /** One that was there before has taken its own files along. */
  private async buildAgain(name: string, context: OperationContext): Promise<void> {
    const { registry } = this.parts;
    const record = registry.get(name);
    const { spec } = record;
    await ensureImage(this.driverOf(name), spec.image, context);
    await this.make(name, context.signal);
    if (record.imageId !== undefined && !wasRemovedByArchive(record)) {
      const message = `Its ${spec.runtime} was removed by another program: a new one was made of ${spec.image}. What lay outside of volumes is gone.`;
      context.warn(message);
      await registry.warn(name, { code: 'runtime-gone', message });
    }
  }

  /** A runtime that can't be given its new ports keeps its old ones: by the next start they may be free. */
  private async refitMoved(name: string, before: WorkspaceRecord, signal: AbortSignal): Promise<void> {
    try {
      await this.refit(name, signal);
    } catch (error) {
      await this.moveBack(name, before).catch(() => undefined);
      throw error;
    }
  }

  private async moveBack(name: string, before: WorkspaceRecord): Promise<void> {
    const { registry, ports } = this.parts;
    const { spec, sshPort } = registry.get(name);
    const had = [before.sshPort, ...assignedOf(before.spec.ports).map(({ host }) => host)];
    if (had.some((port) => (ports.ownerOf(port) ?? name) !== name)) {
      return;
    }
    had.forEach((port) => ports.reserve(port, name));
    const back = { sshPort: before.sshPort, warnings: before.warnings };
    await registry.change(name, { ...back, spec: { ...spec, ports: before.spec.ports } });
    const has = [sshPort, ...assignedOf(spec.ports).map(({ host }) => host)];
    has.filter((port) => !had.includes(port)).forEach((port) => ports.releasePort(port, name));
  }

  private async refit(name: string, signal: AbortSignal): Promise<void> {
    const { registry, drivers } = this.parts;
    const driver = this.driverOf(name);
    const { runtimeId, warnings } = registry.get(name);
    const plan = planOf(registry.get(name));
    const mounts = await resolveMounts(plan.mounts, driver, drivers);
    const { id } = await driver.refit({ ...plan, mounts }, signal);
    // Built as the record says: what was to wait for a rebuild is there now.
    const isWaiting = ({ code }: { code: string }): boolean => code === 'limits' || code === 'ports';
    const kept = id === runtimeId ? warnings : warnings.filter((warning) => !isWaiting(warning));
    await registry.update(name, { runtimeId: id, warnings: kept });
  }

  /** Throws `volume_gone`. */
  async checkVolumes(name: string, accepts: boolean | 'saved'): Promise<VolumeFindings> {
    const record = this.parts.registry.get(name);
    const findings = await lookAtVolumes(record, this.driverOf(name), this.parts.drivers);
    const wasBuilt = record.imageId !== undefined;
    if (!wasBuilt) {
      return { ...findings, gone: [], replaced: [] };
    }
    if (lost(findings) && accepts !== true) {
      throw volumesGone(name, findings, accepts === 'saved');
    }
    return findings;
  }

  private async noteVolumes(
    name: string,
    findings: VolumeFindings,
    context: OperationContext,
    hasMade: boolean,
  ): Promise<void> {
    const { registry, drivers } = this.parts;
    const record = registry.get(name);
    if (lost(findings)) {
      const message = acceptedLoss(findings);
      context.warn(message);
      await registry.warn(name, { code: 'volume-gone', message });
    }
    const { ids } = hasMade ? await lookAtVolumes(record, this.driverOf(name), drivers) : findings;
    const known = record.volumeIds ?? {};
    const isKnown = Object.keys({ ...ids, ...known }).every((volume) => known[volume] === ids[volume]);
    if (!isKnown) {
      await registry.update(name, { volumeIds: ids });
    }
  }

  /** Somebody else has a port of ours: another one is taken, and that is said. Answers whether one has moved. */
  private async movePorts(
    name: string,
    context: OperationContext,
    refused: ReadonlySet<number> = new Set(),
  ): Promise<boolean> {
    const { registry, ports } = this.parts;
    const { sshPort: before, spec } = registry.get(name);
    const published = await movePorts(ports, name, assignedOf(spec.ports), refused);
    const moves = published.moves.map(({ from, to }) => ({
      from: from.host,
      to,
      what: `${from.guest} inside`,
    }));
    try {
      const isTaken = refused.has(before) || !(await isFree(before));
      const sshPort = isTaken ? await ports.assign(name) : before;
      if (isTaken) {
        moves.unshift({ from: before, to: sshPort, what: 'SSH' });
      }
      if (moves.length === 0) {
        return false;
      }
      const { spec: now } = registry.get(name);
      await registry.change(name, {
        sshPort,
        ...(spec.ports !== undefined && { spec: { ...now, ports: published.ports } }),
      });
    } catch (error) {
      moves.forEach(({ to }) => ports.releasePort(to, name));
      throw error;
    }
    moves.forEach(({ from }) => ports.releasePort(from, name));
    const said = moves.map(
      ({ from, to, what }) => `Port ${from} was taken by another program: ${what} is on ${to} now.`,
    );
    said.forEach((line) => context.warn(line));
    await registry.warn(name, { code: 'port-moved', message: said.join('\n') });
    return true;
  }
}

/** An archive of Berth 0.1 removed the runtime, and said so. Nothing that later versions note is in its record. */
function wasRemovedByArchive({ state, runtimeId, ownFiles, volumeIds }: WorkspaceRecord): boolean {
  const isOfToday = ownFiles !== undefined || volumeIds !== undefined;
  return state === 'restoring' && runtimeId === undefined && !isOfToday;
}

function lost({ gone, replaced }: VolumeFindings): boolean {
  return gone.length + replaced.length > 0;
}
