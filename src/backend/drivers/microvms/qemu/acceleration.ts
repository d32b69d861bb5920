/**
 * Which acceleration really runs a guest. A device that opens and creates machines is no proof (some nested hosts
 * then never run a single instruction of the guest), so a machine is booted until its guest says a word.
 */
import { open, readFile, rm } from 'node:fs/promises';
import type { CheckRemedy } from '../../../../api/engine/check-remedy';
import { Type, type Static } from '@sinclair/typebox';
import { isErrno } from '../../../machine/files';
import { replaceFile } from '../../../machine/whole-file';
import { readRecord, writeRecord, type RecordFormat } from '../../../store/records';
import { identityOf } from '../../../machine/process-identity';
import { askFor } from '../../../machine/wait';
import { commandLine, type Acceleration, type MachinePlan } from './command-line';
import { killProcess, lastWords, startDetached } from './process';
import type { QemuPrograms, QemuEnvironment } from './programs';

export const probeTimeoutMs = 5_000;
/** A machine may have been busy, or its processor in another's hands: it is asked again, less and less often. */
const firstRetryMs = 10 * 60_000;
const lastRetryMs = 24 * 3_600_000;
const lookMs = 25;
const quotedChars = 300;
const hosts: Partial<Record<NodeJS.Platform, Acceleration>> = { linux: 'kvm', darwin: 'hvf', win32: 'whpx' };

const Known = Type.Object({
  bootId: Type.String(),
  build: Type.String(),
  acceleration: Type.Union([
    Type.Literal('kvm'),
    Type.Literal('hvf'),
    Type.Literal('whpx'),
    Type.Literal('tcg'),
  ]),
  /** Of probes since the last that succeeded, when the last of them was, and what came of it. */
  failures: Type.Optional(Type.Integer()),
  failedAt: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
});
type Known = Static<typeof Known>;
const format: RecordFormat<typeof Known> = { version: 1, schema: Known, migrations: [] };

export interface Probe {
  programs: QemuPrograms;
  environment: QemuEnvironment;
  /** Remembers the answer for this boot of the machine and this build of QEMU, a failure for a while. */
  cacheFile: string;
  /** A machine whose guest prints `marker` on its console; its files are of this probe alone. */
  machine: (acceleration: Acceleration) => MachinePlan;
  marker: string;
}

export interface Found {
  acceleration: Acceleration;
  /** Why it is emulation, where something better was tried. */
  reason?: string;
  /** When to ask again, in ms since 1970; undefined: not as long as this machine runs. */
  untilMs?: number;
}

/** What stands in the way of an acceleration; `hint` where something can be done about it. */
export interface Obstacle {
  reason: string;
  hint?: string;
  remedy?: CheckRemedy;
}

/**
 * Never throws: what can't be probed is emulated. With `isAskedFor` an earlier failure is asked again now, and does not
 * count: whoever asks has changed something.
 */
export async function findAcceleration(probe: Probe, isAskedFor = false): Promise<Found> {
  const { programs, environment, cacheFile } = probe;
  const candidate = hosts[environment.platform];
  if (candidate === undefined) {
    return { acceleration: 'tcg' };
  }
  const obstacle = await deviceObstacle(environment);
  if (obstacle !== undefined) {
    // Rights may be given while this process runs, and a look costs nothing.
    return { acceleration: 'tcg', reason: obstacle.reason, untilMs: Date.now() + firstRetryMs };
  }
  const { bootId } = identityOf(process.pid);
  const known = await knownOf(cacheFile, bootId, programs);
  const found = known === undefined ? undefined : foundOf(known);
  const untilMs = isAskedFor && found?.acceleration === 'tcg' ? 0 : (found?.untilMs ?? Infinity);
  if (found !== undefined && untilMs > Date.now()) {
    return found;
  }
  const common = { bootId, build: programs.build };
  const reason = await whyNot(probe, candidate);
  const fresh: Known =
    reason === undefined
      ? { ...common, acceleration: candidate }
      : {
          ...{ ...common, acceleration: 'tcg', reason },
          ...{ failures: isAskedFor ? 1 : (known?.failures ?? 0) + 1, failedAt: new Date().toISOString() },
        };
  await writeRecord(cacheFile, format, fresh);
  return foundOf(fresh);
}

/** Why guests are emulated here, as far as it is known without booting one. Never throws. */
export async function knownObstacle({
  programs,
  environment,
  cacheFile,
}: Pick<Probe, 'programs' | 'environment' | 'cacheFile'>): Promise<Obstacle | undefined> {
  const obstacle = await deviceObstacle(environment);
  if (obstacle !== undefined) {
    return obstacle;
  }
  const known = await knownOf(cacheFile, identityOf(process.pid).bootId, programs);
  // What QEMU said is in the log of the engine: nobody but its makers can do anything with that.
  return known?.acceleration === 'tcg' && known.reason !== undefined ? failedProbe(environment) : undefined;
}

function failedProbe({ platform }: QemuEnvironment): Obstacle {
  return {
    reason: `this machine has ${nameOf(platform)}, but a trial microVM did not run with it`,
    hint: 'If this is a virtual machine itself, turn on nested virtualization in its settings, then run the check again. Until then microVMs work, slower. The log of the engine has what QEMU said.',
  };
}

const nameOf = (platform: NodeJS.Platform): string => hosts[platform]?.toUpperCase() ?? 'an acceleration';

/** What runs guests here, as far as it is known without booting one. Never throws. */
export async function knownAcceleration({
  programs,
  environment,
  cacheFile,
}: Pick<Probe, 'programs' | 'environment' | 'cacheFile'>): Promise<Acceleration | undefined> {
  const isPossible = hosts[environment.platform] !== undefined;
  if (!isPossible || (await deviceObstacle(environment)) !== undefined) {
    return 'tcg';
  }
  return (await knownOf(cacheFile, identityOf(process.pid).bootId, programs))?.acceleration;
}

async function knownOf(file: string, bootId: string, programs: QemuPrograms): Promise<Known | undefined> {
  const read = await readRecord(file, format);
  return read.kind === 'ok' && bootId !== '' && isFor(read.value, bootId, programs) ? read.value : undefined;
}

/** What earlier versions noted as emulated is asked again. */
function foundOf({ acceleration, failures = 1, failedAt = '', reason }: Known): Found {
  if (acceleration !== 'tcg') {
    return { acceleration };
  }
  const pauseMs = Math.min(firstRetryMs * 2 ** (failures - 1), lastRetryMs);
  const untilMs = (Date.parse(failedAt) || 0) + pauseMs;
  return { acceleration, untilMs, ...(reason !== undefined && { reason }) };
}

function isFor(known: Known, bootId: string, { build }: QemuPrograms): boolean {
  return known.bootId === bootId && known.build === build;
}

/** Without a device that we may open there is nothing to probe. */
async function deviceObstacle({
  platform,
  kvmDevice = '/dev/kvm',
}: QemuEnvironment): Promise<Obstacle | undefined> {
  if (platform !== 'linux') {
    return undefined;
  }
  try {
    await (await open(kvmDevice, 'r+')).close();
    return undefined;
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) {
      return {
        reason: `this user may not open ${kvmDevice}`,
        remedy: 'join-kvm-group',
        hint: 'Join the group that owns it (`sudo usermod -aG kvm "$USER"`), log in again, then stop the engine: `berth down`.',
      };
    }
    return {
      reason: isErrno(error, 'ENOENT')
        ? `this machine has no ${kvmDevice}`
        : `${kvmDevice} can't be opened: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** Boots the machine; undefined when its guest spoke in time, else why not. */
export async function whyNot(
  probe: Probe,
  acceleration: Acceleration,
  timeoutMs = probeTimeoutMs,
): Promise<string | undefined> {
  const plan = probe.machine(acceleration);
  const log = `${plan.consoleLog}.qemu`;
  await replaceFile(plan.consoleLog, '');
  const { system, confinement } = probe.programs;
  const argv = [...confinement, ...commandLine(plan)];
  const started = await startDetached({ binary: system, argv, log });
  try {
    const look = async (): Promise<'spoke' | 'ended' | undefined> => {
      const hasEnded = started.ended() !== undefined;
      const hasSpoken = (await readFile(plan.consoleLog, 'latin1')).includes(probe.marker);
      return hasSpoken ? 'spoke' : hasEnded ? 'ended' : undefined;
    };
    const options = { what: 'a word of the guest', timeoutMs, intervalMs: lookMs };
    if ((await askFor(look, options)) === 'spoke') {
      return undefined;
    }
    const ended = started.ended();
    const said = await lastWords(log);
    return ended === undefined
      ? `its guest printed nothing within ${timeoutMs / 1000} s`
      : `${ended}: ${said.slice(-quotedChars)}`;
  } finally {
    await killProcess(started.identity);
    await Promise.all([log, plan.consoleLog, plan.pidFile].map((file) => rm(file, { force: true })));
  }
}
