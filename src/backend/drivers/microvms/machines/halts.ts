/**
 * A guest that stands still because a disk of it can't be written: QEMU stops it where the disk of this machine is full,
 * and tries again what failed once it is told to go on. That is no pause of anybody.
 */
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import { freeBytesIn } from '../../../machine/free-space';
import type { Log } from '../../../machine/log';
import { serialOfNode } from '../live/disk-view';
import type { Machine } from './machine';
import type { RuntimeRecord } from '../runtimes/runtime-record';

/** Less would be full again at once. */
const wantedBytes = 16 * mebibyte;
const lookMs = 3_000;
/** In which what had failed fails again. */
const retryMs = 300;

/** Why it stands still; undefined when it runs, or was paused. */
export async function haltOf(machine: Machine, record: RuntimeRecord): Promise<BerthError | undefined> {
  if (!machine.isHalted) {
    return undefined;
  }
  const { name, workspace } = record.plan;
  const { what, isFull } = await causeOf(machine, record);
  const resume = `\`berth resume ${workspace}\``;
  return isFull
    ? new BerthError('no_space', `${name} stands still: no room is left for ${what}.`, {
        hint: `Free some space there: the workspace then goes on by itself, or after ${resume}.`,
      })
    : new BerthError('illegal_state', `${name} stands still: ${what} can't be written.`, {
        hint: `Repair the disk that holds it, then ${resume}.`,
      });
}

/** A guest that was to go on from what was saved of it could not write, and is back where it was. */
export class StaysPaused extends BerthError {
  static async because(machine: Machine, record: RuntimeRecord): Promise<StaysPaused> {
    const { name, workspace } = record.plan;
    const { what, isFull } = await causeOf(machine, record);
    const why = isFull ? `no room is left for ${what}` : `${what} can't be written`;
    return new StaysPaused(isFull ? 'no_space' : 'illegal_state', `${name} stays paused: ${why}.`, {
      hint: `${isFull ? 'Free some space there' : 'Repair the disk that holds it'}, then \`berth resume ${workspace}\`.`,
    });
  }
}

/** Resolves when a disk of the machine can't be written, which stops its guest. */
export function watchForHalt({ qmp }: Machine): { halted: Promise<'halted'>; release: () => void } {
  let release = (): void => undefined;
  const halted = new Promise<'halted'>((resolve) => {
    release = qmp.onEvent(({ event, data }) => {
      if (event === 'BLOCK_IO_ERROR' && data.action === 'stop') {
        resolve('halted');
      }
    });
  });
  return { halted, release };
}

async function causeOf(machine: Machine, record: RuntimeRecord): Promise<{ what: string; isFull: boolean }> {
  const disk = await failedDisk(machine, record);
  const what = disk === undefined ? 'a disk of it' : `its disk ${disk.serial} (${disk.file})`;
  return { what, isFull: disk?.isFull !== false };
}

/** Throws, saying why, when it can't go on yet. */
export async function goOnWithRoom(machine: Machine, record: RuntimeRecord): Promise<void> {
  const halt = await haltOf(machine, record);
  if (halt !== undefined && !(await hasRoom(machine, record))) {
    throw halt;
  }
  await machine.qmp.execute('cont');
  await sleep(retryMs);
  await machine.state();
  const still = await haltOf(machine, record);
  if (still !== undefined) {
    throw still;
  }
}

/** Looks for room from time to time, as long as a guest stands still. */
export class RoomWatch {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  /** `goOn` is called when there is room again. */
  constructor(
    private readonly goOn: (name: string) => Promise<void>,
    private readonly log: Log,
  ) {}

  /** To be called with every look at a machine. */
  seen(machine: Machine, record: RuntimeRecord): void {
    const { name } = record.plan;
    if (machine.isHalted && !this.timers.has(name)) {
      this.timers.set(name, setTimeout(() => void this.look(machine, record), lookMs).unref());
    }
  }

  close(): void {
    this.timers.forEach((timer) => clearTimeout(timer));
    this.timers.clear();
  }

  private async look(machine: Machine, record: RuntimeRecord): Promise<void> {
    const { name } = record.plan;
    try {
      if (machine.qmp.isOpen && machine.isHalted && (await hasRoom(machine, record))) {
        await this.goOn(name);
      }
    } catch (error) {
      this.log.debug({ name, error: String(error) }, 'a microVM that stands still does not go on yet');
    }
    this.timers.delete(name);
    if (machine.qmp.isOpen) {
      this.seen(machine, record);
    }
  }
}

/** Where it is not known which disk failed, only a try tells. */
async function hasRoom(machine: Machine, record: RuntimeRecord): Promise<boolean> {
  const disk = await failedDisk(machine, record);
  if (disk === undefined) {
    return true;
  }
  return disk.isFull && (await freeBytesIn(dirname(disk.file))) >= wantedBytes;
}

interface FailedDisk {
  serial: string;
  file: string;
  isFull: boolean;
}

/** By what QEMU remembers of each (BlockInfo of qapi/block-core.json). */
async function failedDisk({ qmp }: Machine, { launch }: RuntimeRecord): Promise<FailedDisk | undefined> {
  const answer = await qmp.execute('query-block');
  for (const row of Array.isArray(answer) ? (answer as unknown[]) : []) {
    const { 'io-status': status, inserted } = row as {
      'io-status'?: string;
      inserted?: { 'node-name'?: string };
    };
    const failed = serialOfNode(inserted?.['node-name']);
    const disk = launch?.disks.find(({ serial }) => serial === failed);
    if (status !== undefined && status !== 'ok' && disk?.file !== undefined) {
      return { serial: disk.serial, file: disk.file, isFull: status === 'nospace' };
    }
  }
  return undefined;
}
