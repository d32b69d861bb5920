/**
 * Before a start: volumes, ports and the runtime itself are what the record says. Nothing of the runtime's own files is
 * ever removed here.
 */
import { BerthError } from '../../../../api/errors';
import { imageMissing } from '../../../../api/rules/image-reference';
import { ownerWords } from '../../../../api/rules/owner';
import type { Problem } from '../../../../api/workspaces/schemas';
import type { Driver, RuntimeInfo } from '../../../drivers/driver';
import { isFree, type PortLedger } from '../../../ssh/ports';
import type { Drivers } from '../../engine/drivers';
import { ensureImage } from '../../images/image-progress';
import { resolveMounts } from './mount-resolution';
import { isForkImage } from '../fork/fork-image';
import type { OperationContext } from '../../operations/operation-context';
import { planOf } from './runtime-plan';
import { assignedOf, movePorts, portsNamedIn, portsOf } from './published-ports';
import { acceptedLoss, lookAtVolumes, volumesGone, type VolumeFindings } from './volume-checks';
import type { WorkspaceRecord } from '../record';
import type { WorkspaceRegistry } from '../registry';
import type { RuntimeHandle, Runtimes } from '../runtime-handle';

/** Code of the warning of what is lost with a runtime that was moved to other ports. */
export const notCarried = 'not-carried';

export interface StartOptions {
  /** Volumes that are gone may be made anew, empty. */
  acceptEmpty?: boolean;
  /** Of an SSH agent of this machine, for the clone. */
  agentSocket?: string | undefined;
}

export interface PrepareOptions extends StartOptions {
  /** The user knows that the runtime was removed with all its own files. */
  isLossReported?: boolean;
}

export interface PreparationDeps {
  registry: WorkspaceRegistry;
  drivers: Drivers;
  runtimes: Runtimes;
  ports: PortLedger;
}

export class RuntimePreparation {
  constructor(private readonly deps: PreparationDeps) {}

  /** Throws `volume_gone`, or `in_use` for a port that the user named, with nothing changed. */
  async prepare(
    name: string,
    context: OperationContext,
    { acceptEmpty = false, isLossReported: isLossReported = false }: PrepareOptions,
  ): Promise<void> {
    const { registry } = this.deps;
    const runtime = this.runtime(name);
    const info = await runtime.inspect();
    if (info !== undefined) {
      refuseForeign(runtime.driver, info);
    }
    if (info !== undefined && info.state !== 'stopped') {
      return;
    }
    const findings = await this.checkVolumes(name, acceptEmpty);
    const before = registry.get(name);
    const moves = await this.movePorts(name);
    if (info === undefined) {
      await this.buildAgain(name, context, isLossReported);
      await this.reportMoves(name, moves, context);
    } else if (lost(findings) || (await this.hasOtherPorts(name, info, moves))) {
      await this.refitMoved(name, before, movesWith(info, registry.get(name), moves), context);
    }
    await this.noteVolumes(name, findings, context, info === undefined || lost(findings));
  }

  /** The same for what goes on from its state on disk, which can't go on with another volume. */
  async prepareSaved(name: string, context: OperationContext): Promise<void> {
    await this.checkVolumes(name, 'saved');
    const before = this.deps.registry.get(name);
    const moves = await this.movePorts(name);
    const info = await this.runtime(name).inspect();
    if (await this.hasOtherPorts(name, info, moves)) {
      await this.refitMoved(name, before, movesWith(info, this.deps.registry.get(name), moves), context);
    }
  }

  /**
   * The system keeps a port though nobody listens on it: the one that it names moves. Throws `refused` where that can't
   * be told, and `in_use` for one that the user named.
   */
  async moveRefused(name: string, refused: BerthError, context: OperationContext): Promise<void> {
    const { sshPort, spec } = this.deps.registry.get(name);
    const { needsRebuild } = await this.runtime(name).setPorts(portsOf(spec.ports));
    if (needsRebuild.length > 0) {
      // It may be one that the user has given up since: a start may not need a rebuild, which removes files.
      await this.refit(name, context);
      return;
    }
    const published = assignedOf(spec.ports).map(({ host }) => host);
    const named = portsNamedIn(`${refused.message} ${refused.detail ?? ''}`);
    const ours = new Set([sshPort, ...published].filter((port) => named.has(port)));
    if (ours.size === 0 && published.length > 0) {
      throw refused;
    }
    const before = this.deps.registry.get(name);
    const moves = await this.movePorts(name, ours.size === 0 ? new Set([sshPort]) : ours);
    await this.refitMoved(name, before, moves, context);
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
    const record = this.deps.registry.get(name);
    const { driver } = this.runtime(name);
    const imageId = await driver.images.resolve(record.spec.image);
    if (imageId === undefined) {
      throw imageMissing(record.spec.image);
    }
    const missing = await this.missingVolumes(record, driver);
    const created = [...new Set([...record.createdVolumes, ...missing])];
    await this.deps.registry.update(name, { createdVolumes: created });
    const plan = planOf(this.deps.registry.get(name));
    const mounts = await resolveMounts(plan.mounts, driver, this.deps.drivers);
    const info = await driver.create({ ...plan, mounts }, signal);
    const isCopy = isForkImage(record.spec.image);
    await this.deps.registry.update(name, {
      ...{ runtimeId: info.id, imageId },
      ...(isCopy && { isIdentityCopied: true }),
    });
    return info;
  }

  private async missingVolumes(record: WorkspaceRecord, driver: Driver): Promise<string[]> {
    const names = [record.homeVolume, ...(record.dockerVolume === undefined ? [] : [record.dockerVolume])];
    const there = await Promise.all(names.map((name) => driver.volumes.inspect(name)));
    return names.filter((_, index) => there[index] === undefined);
  }

  private runtime(name: string): RuntimeHandle {
    return this.deps.runtimes.of(this.deps.registry.get(name));
  }

  /** One that was there before has taken its own files along: that is said, unless the archive has said so. */
  private async buildAgain(name: string, context: OperationContext, isReported: boolean): Promise<void> {
    const { registry } = this.deps;
    const record = registry.get(name);
    const { spec } = record;
    await ensureImage(this.runtime(name).driver, spec.image, context);
    await this.make(name, context.signal);
    if (record.imageId !== undefined && !isReported) {
      const gone = wasRemovedByArchive(record)
        ? `An earlier version of Berth archived it and removed its ${spec.runtime}`
        : `Its ${spec.runtime} was removed by another program`;
      const message = `${gone}: a new one was made of ${spec.image}. What lay outside of volumes is gone.`;
      context.warn(message);
      await registry.warn(name, { code: 'runtime-gone', message });
    }
  }

  /** A runtime that can't be given its new ports keeps its old ones: by the next start they may be free. */
  private async refitMoved(
    name: string,
    before: WorkspaceRecord,
    moves: readonly Move[],
    context: OperationContext,
  ): Promise<void> {
    try {
      await this.refit(name, context);
    } catch (error) {
      await this.moveBack(name, before).catch(() => undefined);
      throw inVain(error, moves);
    }
    await this.reportMoves(name, moves, context);
  }

  /** It was built with others than the record has: one has moved just now, or an engine was killed after one had. */
  private async hasOtherPorts(
    name: string,
    info: RuntimeInfo | undefined,
    moves: readonly Move[],
  ): Promise<boolean> {
    const { sshPort, spec, warnings } = this.deps.registry.get(name);
    if (moves.length > 0 || info?.sshPort !== sshPort) {
      return true;
    }
    if (warnings.some(({ code }) => code === 'ports')) {
      // The user has changed them, and knows that they wait for a rebuild.
      return false;
    }
    const { needsRebuild } = await this.runtime(name).setPorts(portsOf(spec.ports));
    return needsRebuild.length > 0;
  }

  private async moveBack(name: string, before: WorkspaceRecord): Promise<void> {
    const { registry, ports } = this.deps;
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

  private async refit(name: string, context: OperationContext): Promise<void> {
    const { registry, drivers } = this.deps;
    const { driver } = this.runtime(name);
    const { runtimeId, warnings } = registry.get(name);
    const plan = planOf(registry.get(name));
    const mounts = await resolveMounts(plan.mounts, driver, drivers);
    const { id, leftBehind = [] } = await driver.refit({ ...plan, mounts }, context.signal);
    const lines = leftBehind.map((what) => `Not carried along to the other port: ${what}.`);
    lines.forEach((line) => context.warn(line));
    // Built as the record says: what was to wait for a rebuild is there now.
    const isWaiting = ({ code }: { code: string }): boolean => code === 'limits' || code === 'ports';
    const kept = id === runtimeId ? warnings : warnings.filter((warning) => !isWaiting(warning));
    // At once with the new runtime: whoever asks after an engine that was killed must hear of it, as the old one goes.
    await registry.update(name, { runtimeId: id, warnings: withNotCarried(kept, lines) });
  }

  /** Throws `volume_gone`. */
  async checkVolumes(name: string, accepts: boolean | 'saved'): Promise<VolumeFindings> {
    const record = this.deps.registry.get(name);
    const { driver } = this.runtime(name);
    const findings = await lookAtVolumes(record, driver, this.deps.drivers);
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
    const { registry, drivers } = this.deps;
    const record = registry.get(name);
    if (lost(findings)) {
      const message = acceptedLoss(findings);
      context.warn(message);
      await registry.warn(name, { code: 'volume-gone', message });
    }
    const { ids } = hasMade ? await lookAtVolumes(record, this.runtime(name).driver, drivers) : findings;
    const known = record.volumeIds ?? {};
    const isKnown = Object.keys({ ...ids, ...known }).every((volume) => known[volume] === ids[volume]);
    if (!isKnown) {
      await registry.update(name, { volumeIds: ids });
    }
  }

  /** Somebody else has a port of ours: another one is taken. Answers which have moved, for `tellMoves`. */
  private async movePorts(name: string, refused: ReadonlySet<number> = new Set()): Promise<Move[]> {
    const { registry, ports } = this.deps;
    const { sshPort: before, spec } = registry.get(name);
    const published = await movePorts(ports, name, assignedOf(spec.ports), refused);
    const moves: Move[] = published.moves.map(({ from, to }) => ({
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
        return [];
      }
      const { spec: now } = registry.get(name);
      await registry.change(name, {
        sshPort,
        ...(spec.ports !== undefined && { spec: { ...now, ports: published.ports } }),
      });
      if (this.isKnownToUser(name)) {
        // Written down before it is so: it must not be lost with an engine that is killed.
        await registry.warn(name, warningOf(moves));
      }
    } catch (error) {
      moves.forEach(({ to }) => ports.releasePort(to, name));
      throw error;
    }
    moves.forEach(({ from }) => ports.releasePort(from, name));
    return moves;
  }

  /** Of a workspace that is being created nobody has seen the port yet that another program took. */
  private isKnownToUser(name: string): boolean {
    return this.deps.registry.get(name).state !== 'creating';
  }

  /** To be called when the runtime has its new ports. */
  private async reportMoves(name: string, moves: readonly Move[], context: OperationContext): Promise<void> {
    if (moves.length > 0 && this.isKnownToUser(name)) {
      linesOf(moves).forEach((line) => context.warn(line));
      await this.deps.registry.warn(name, warningOf(moves));
    }
  }
}

/** Without its image a runtime can't be made anew for another port: the one that it has must become free. */
function inVain(error: unknown, moves: readonly Move[]): unknown {
  const taken = moves.map(({ from, what }) => `port ${from} (${what})`).join(', ');
  return error instanceof BerthError && error.code === 'image_missing' && taken !== ''
    ? new BerthError(
        'in_use',
        `Another program has ${taken}, and the workspace can't move to another port: the image that it was made of is gone.`,
        { first: 'End the program that has the port.', remedy: 'start', cause: error },
      )
    : error;
}

function refuseForeign({ kind }: Driver, { name, owner, isUnmarked = false }: RuntimeInfo): void {
  if (owner !== undefined) {
    throw new BerthError('exists', `The ${kind} ${name} belongs to ${ownerWords(owner)}.`, {
      hint: 'Delete it from there, or this workspace here with its volumes kept, and adopt them by another name.',
    });
  }
  if (isUnmarked) {
    throw new BerthError('exists', `The ${kind} ${name} was made by another tool.`, {
      first: 'It has the name that this workspace needs: rename or remove it (`docker rename`, `docker rm`).',
      remedy: 'start',
    });
  }
}

/** To that of an earlier move of the same start; what was said before stays said. */
function withNotCarried(warnings: readonly Problem[], lines: readonly string[]): Problem[] {
  const isSame = ({ code }: Problem): boolean => code === notCarried;
  const before = warnings.filter(isSame).flatMap(({ message }) => message.split('\n'));
  const message = [...new Set([...before, ...lines])].join('\n');
  const others = warnings.filter((warning) => !isSame(warning));
  return message === '' ? others : [...others, { code: notCarried, message }];
}

/** Of a port of this machine. */
interface Move {
  from: number;
  to: number;
  what: string;
}

function linesOf(moves: readonly Move[]): string[] {
  return moves.map(
    ({ from, to, what }) => `Port ${from} was taken by another program: ${what} is on ${to} now.`,
  );
}

function warningOf(moves: readonly Move[]): { code: string; message: string } {
  return { code: 'port-moved', message: linesOf(moves).join('\n') };
}

/** With that of an engine that was killed before the runtime had its new port, and before anybody was told. */
function movesWith(
  info: RuntimeInfo | undefined,
  { sshPort: to }: WorkspaceRecord,
  moves: readonly Move[],
): readonly Move[] {
  const from = info?.sshPort;
  const isReported = moves.some(({ what }) => what === 'SSH');
  return from === undefined || from === to || isReported ? moves : [{ from, to, what: 'SSH' }, ...moves];
}

/** An archive of Berth 0.1 removed the runtime, and said so. Nothing that later versions note is in its record. */
function wasRemovedByArchive({ state, runtimeId, ownFiles, volumeIds }: WorkspaceRecord): boolean {
  const isOfToday = ownFiles !== undefined || volumeIds !== undefined;
  return state === 'restoring' && runtimeId === undefined && !isOfToday;
}

function lost({ gone, replaced }: VolumeFindings): boolean {
  return gone.length + replaced.length > 0;
}
