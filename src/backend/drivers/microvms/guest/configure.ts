/** Configures a booted guest as a workspace: hostname, clock, entropy seed, disk mounts, and all that a container gets. */
import { randomBytes } from 'node:crypto';
import { configureArchive } from '../../../inside/configure-archive';
import { notWrittenOf } from '../../../inside/configure-script';
import { homeAlias } from '../../../inside/places';
import { waitForBanner } from '../../../inside/ssh-banner';
import { archiveOf } from '../../../tar/archive';
import type { StartPlan } from '../../driver';
import type { Machine } from '../machines/machine';
import { diskMounts, isShared, type DiskMount } from '../runtimes/runtime-plan';
import { lastWords } from '../qemu/process';
import type { RuntimeRecord } from '../runtimes/runtime-record';

const configureTimeoutMs = 120_000;
const bannerTimeoutMs = 30_000;
const entropyBytes = 64;

/**
 * On every start, and again whenever something of it changed: sessions that are open stay so. Answers what could not
 * be written, in words.
 */
export async function configureMachine(
  machine: Machine,
  record: RuntimeRecord,
  plan: StartPlan,
  options: { consoleLog: string; signal: AbortSignal },
): Promise<readonly string[]> {
  const { signal, consoleLog } = options;
  const stage = await configureArchive({ plan, built: record.env });
  const archive = await archiveOf([
    { name: 'plan', mode: 0o600, content: guestPlan(record, Date.now()) },
    { name: 'entropy', mode: 0o600, content: randomBytes(entropyBytes) },
    { name: 'stage.tar', mode: 0o600, content: stage },
  ]);
  const control = await machine.controlPort();
  const said = await control.configure(archive, configureTimeoutMs, signal);
  // What came with the plan was of whole seconds, and is older now.
  control.setTime(Date.now());
  await waitForBanner(record.plan.sshPort, {
    timeoutMs: bannerTimeoutMs,
    signal,
    explain: async () => `Its log ends with: ${await lastWords(consoleLog)}`,
  });
  return notWrittenOf(said);
}

/** Lines of words for the guest's shell, which reads them without evaluating them. */
export function guestPlan({ id, plan }: Pick<RuntimeRecord, 'id' | 'plan'>, nowMs: number): string {
  const mounts = mountLines(diskMounts(plan));
  const { shmMiB, pids } = plan.limits;
  const lines = [
    `hostname ${plan.workspace}`,
    `epoch ${Math.floor(nowMs / 1000)}`,
    // 32 hexadecimal digits (machine-id(5)).
    `machine-id ${id.replaceAll('-', '')}`,
    ...(shmMiB === undefined ? [] : [`shm ${shmMiB}`]),
    ...(pids === undefined ? [] : [`tasks ${pids}`]),
    ...mounts,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** What is inside of another one comes after it, and says so. */
function mountLines(mounts: readonly DiskMount[]): string[] {
  const targets = [homeAlias, ...mounts.map(({ target }) => target)];
  const isInside = ({ target }: DiskMount): boolean =>
    targets.some((other) => target.startsWith(`${other}/`));
  const depthOf = (mount: DiskMount): number => (isInside(mount) ? mount.target.split('/').length : 0);
  return mounts
    .toSorted((one, other) => depthOf(one) - depthOf(other))
    .map((each) => {
      const { serial, target, readOnly, mount } = each;
      const kind = `${isShared({ mount }) ? 'share' : 'mount'}${isInside(each) ? '-inside' : ''}`;
      return `${kind} ${serial} ${target} ${readOnly ? 'ro' : 'rw'}`;
    });
}
