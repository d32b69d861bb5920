/**
 * What a machine uses: processor time as the host counts it, the rest as the guest does. In the guest one shell waits
 * while somebody keeps asking; it answers without starting a process, which under emulation would be the dearest part.
 */
import { readFile } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import type { WorkspaceStats } from '../../../../api/workspaces/schemas';
import { shell } from '../../../inside/init-script';
import type { Machine } from '../machines/machine';
import { quotedCommand } from './exec';
import type { ClientChannel } from 'ssh2';

/** A shell that nobody asked for this long is closed. */
const lingerMs = 10_000;
const answerTimeoutMs = 30_000;
const firstSpanMs = 250;
/** Of USER_HZ, which is 100 wherever /proc is (proc(5)). */
const ticksPerSecond = 100;

const answering = `
while read -r _; do
  for f in /proc/loadavg /proc/meminfo /proc/net/dev; do
    while read -r line; do echo "$line"; done <$f
  done
  echo .
done
`;

export interface GuestFigures {
  memoryBytes: number;
  pids: number;
  networkRxBytes: number;
  networkTxBytes: number;
}

/** Reads what the guest said: loadavg, meminfo and net/dev of proc(5), one after the other. */
export function parseFigures(text: string): GuestFigures {
  const kibibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  const networks = [...text.matchAll(/^(?!lo:)\S+:\s*(\d+)(?:\s+\d+){7}\s+(\d+)/gm)];
  const sum = (group: number): number => networks.reduce((total, row) => total + Number(row[group]), 0);
  return {
    memoryBytes: Math.max(0, kibibytes('MemTotal') - kibibytes('MemAvailable')) * 1024,
    pids: Number(/^\S+ \S+ \S+ \d+\/(\d+) /.exec(text)?.[1] ?? 0),
    networkRxBytes: sum(1),
    networkTxBytes: sum(2),
  };
}

interface CpuSample {
  seconds: number;
  atMs: number;
}

interface Asked {
  machine: Machine;
  cpu: CpuSample;
  /** Opened with the first question: a machine that stands still can't be asked. */
  guest: Promise<GuestShell> | undefined;
  last: GuestFigures;
  linger: NodeJS.Timeout;
}

export class Stats {
  private readonly asked = new Map<string, Asked>();

  /** `isRunning`: a machine that stands still is reported as it was last seen. */
  async of(machine: Machine, memoryMiB: number, isRunning: boolean): Promise<WorkspaceStats> {
    const asked = await this.askedOf(machine);
    asked.linger.refresh();
    if (isRunning) {
      asked.guest ??= this.openGuest(machine, asked);
      asked.last = await (await asked.guest).ask();
    }
    const before = asked.cpu;
    await waitUntil(before.atMs + firstSpanMs);
    asked.cpu = await cpuOf(machine.process.pid);
    const elapsed = (asked.cpu.atMs - before.atMs) / 1000;
    return {
      cpuPercent: Math.round(((asked.cpu.seconds - before.seconds) / elapsed) * 10_000) / 100,
      memoryLimitBytes: memoryMiB * mebibyte,
      ...asked.last,
      at: new Date().toISOString(),
    };
  }

  close(): void {
    [...this.asked.keys()].forEach((name) => this.forget(name));
  }

  private async askedOf(machine: Machine): Promise<Asked> {
    const known = this.asked.get(machine.name);
    if (known?.machine === machine) {
      return known;
    }
    this.forget(machine.name);
    const forget = (): void => this.forget(machine.name, asked);
    const asked: Asked = {
      machine,
      cpu: await cpuOf(machine.process.pid),
      guest: undefined,
      last: { memoryBytes: 0, pids: 0, networkRxBytes: 0, networkTxBytes: 0 },
      linger: setTimeout(() => forget(), lingerMs).unref(),
    };
    this.asked.set(machine.name, asked);
    return asked;
  }

  private openGuest(machine: Machine, asked: Asked): Promise<GuestShell> {
    const forget = (): void => this.forget(machine.name, asked);
    const guest = GuestShell.open(machine, forget);
    guest.catch(forget);
    return guest;
  }

  private forget(name: string, which?: Asked): void {
    const asked = this.asked.get(name);
    if (asked === undefined || (which !== undefined && which !== asked)) {
      return;
    }
    this.asked.delete(name);
    clearTimeout(asked.linger);
    asked.guest?.then(
      (guest) => guest.close(),
      () => undefined,
    );
  }
}

/** A shell in the guest that answers each line with the figures. */
class GuestShell {
  private said = '';
  private waiting: ((text: string | undefined) => void)[] = [];

  private constructor(private readonly channel: ClientChannel) {
    channel.on('data', (chunk: Buffer) => this.receive(chunk.toString('latin1')));
    channel.stderr.resume();
  }

  static async open(machine: Machine, closed: () => void): Promise<GuestShell> {
    const { channel } = await machine.ssh.run(quotedCommand([shell, '-c', answering]), {});
    const guest = new GuestShell(channel);
    channel.once('close', () => {
      guest.waiting.splice(0).forEach((report) => report(undefined));
      closed();
    });
    return guest;
  }

  async ask(): Promise<GuestFigures> {
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<string | undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), answerTimeoutMs);
      this.waiting.push(resolve);
    });
    this.channel.write('\n');
    const text = await answer;
    clearTimeout(timer);
    if (text === undefined) {
      this.close();
      throw new BerthError('timeout', 'The guest did not say what it uses.', { hint: 'Try again.' });
    }
    return parseFigures(text);
  }

  close(): void {
    this.channel.destroy();
  }

  private receive(text: string): void {
    this.said += text;
    const end = this.said.indexOf('\n.\n');
    if (end >= 0) {
      const answer = this.said.slice(0, end + 1);
      this.said = this.said.slice(end + 3);
      this.waiting.shift()?.(answer);
    }
  }
}

/** Fields 14 and 15 of proc_pid_stat(5); nothing where there is no /proc. */
async function cpuOf(pid: number): Promise<CpuSample> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  return { seconds: ticks / ticksPerSecond, atMs: performance.now() };
}

async function waitUntil(atMs: number): Promise<void> {
  const ms = atMs - performance.now();
  if (ms > 0) {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}
