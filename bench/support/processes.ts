/** What processes take, as Linux counts it. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of `times` in proc(5): hundredths of a second on every Linux that is in use. */
const tickMs = 10;

export interface Memory {
  residentMiB: number;
  /** What it shares with others counted in parts. */
  proportionalMiB: number;
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mebibytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { residentMiB: mebibytes('Rss'), proportionalMiB: mebibytes('Pss') };
}

/** Fields 14 and 15 of `stat` in proc(5), behind a name that may hold anything. */
function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** Milliseconds of a processor in each second. */
export async function processorUse(pid: number, overMs: number): Promise<number> {
  const before = processorMs(pid);
  await sleep(overMs);
  return ((processorMs(pid) - before) * 1000) / overMs;
}
