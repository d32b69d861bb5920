/**
 * Which acceleration really runs a guest. A device that opens and creates machines is no proof (some nested hosts
 * then never run a single instruction of the guest), so a machine is booted until its guest says a word.
 */
import { access, constants, readFile, rm } from 'node:fs/promises';
import { Type, type Static } from '@sinclair/typebox';
import { replaceFile } from '../../../store/files';
import { readRecord, writeRecord, type RecordFormat } from '../../../store/records';
import { identityOf } from '../../../store/process-identity';
import { commandLine, type Acceleration, type MachinePlan } from './command-line';
import { killProcess, startDetached } from './process';
import type { QemuPrograms, Surroundings } from './programs';

export const probeTimeoutMs = 5_000;
const lookMs = 25;
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
});
const format: RecordFormat<typeof Known> = { version: 1, schema: Known, migrations: [] };

export interface Probe {
  programs: QemuPrograms;
  surroundings: Surroundings;
  /** Remembers the answer for this boot of the machine and this build of QEMU. */
  cacheFile: string;
  /** A machine whose guest prints `marker` on its console; its files are of this probe alone. */
  machine: (acceleration: Acceleration) => MachinePlan;
  marker: string;
}

/** Never throws: what can't be probed is emulated. */
export async function findAcceleration(probe: Probe): Promise<Acceleration> {
  const { programs, surroundings, cacheFile } = probe;
  const candidate = hosts[surroundings.platform];
  if (candidate === undefined || !(await seemsPossible(candidate, surroundings))) {
    return 'tcg';
  }
  const { bootId } = identityOf(process.pid);
  const known = await readRecord(cacheFile, format);
  if (known.kind === 'ok' && bootId !== '' && isFor(known.value, bootId, programs)) {
    return known.value.acceleration;
  }
  const acceleration = (await bootsWith(probe, candidate)) ? candidate : 'tcg';
  await writeRecord(cacheFile, format, { bootId, build: programs.build, acceleration });
  return acceleration;
}

function isFor(known: Static<typeof Known>, bootId: string, { build }: QemuPrograms): boolean {
  return known.bootId === bootId && known.build === build;
}

/** Without a device that we may write there is nothing to probe. */
async function seemsPossible(candidate: Acceleration, { platform }: Surroundings): Promise<boolean> {
  if (candidate !== 'kvm' || platform !== 'linux') {
    return true;
  }
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Boots the machine and says whether its guest spoke in time. */
export async function bootsWith(
  probe: Probe,
  acceleration: Acceleration,
  timeoutMs = probeTimeoutMs,
): Promise<boolean> {
  const plan = probe.machine(acceleration);
  const log = `${plan.consoleLog}.qemu`;
  await replaceFile(plan.consoleLog, '');
  const { system, confinement } = probe.programs;
  const argv = [...confinement, ...commandLine(plan)];
  const started = await startDetached({ binary: system, argv, log });
  try {
    const deadline = performance.now() + timeoutMs;
    while (started.ended() === undefined && performance.now() < deadline) {
      if ((await readFile(plan.consoleLog, 'latin1')).includes(probe.marker)) {
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    return false;
  } finally {
    await killProcess(started.identity);
    await Promise.all([log, plan.consoleLog, plan.pidFile].map((file) => rm(file, { force: true })));
  }
}
