/**
 * Which acceleration really runs a guest. A device that opens and creates machines is no proof (some nested hosts
 * then never run a single instruction of the guest), so a machine is booted until its guest says a word.
 */
import { access, constants, readFile, rm } from 'node:fs/promises';
import { Type, type Static } from '@sinclair/typebox';
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

/** Never throws: what can't be probed is emulated. */
export async function findAcceleration(probe: Probe): Promise<Found> {
  const { programs, environment: environment, cacheFile } = probe;
  const candidate = hosts[environment.platform];
  if (candidate === undefined || !(await seemsPossible(candidate, environment))) {
    return { acceleration: 'tcg' };
  }
  const { bootId } = identityOf(process.pid);
  const read = await readRecord(cacheFile, format);
  const known =
    read.kind === 'ok' && bootId !== '' && isFor(read.value, bootId, programs) ? read.value : undefined;
  const found = known === undefined ? undefined : foundOf(known);
  if (found !== undefined && (found.untilMs ?? Infinity) > Date.now()) {
    return found;
  }
  const common = { bootId, build: programs.build };
  const reason = await whyNot(probe, candidate);
  const fresh: Known =
    reason === undefined
      ? { ...common, acceleration: candidate }
      : {
          ...{ ...common, acceleration: 'tcg', reason },
          ...{ failures: (known?.failures ?? 0) + 1, failedAt: new Date().toISOString() },
        };
  await writeRecord(cacheFile, format, fresh);
  return foundOf(fresh);
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

/** Without a device that we may write there is nothing to probe. */
async function seemsPossible(candidate: Acceleration, { platform }: QemuEnvironment): Promise<boolean> {
  if (candidate !== 'kvm' || platform !== 'linux') {
    return true;
  }
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
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
