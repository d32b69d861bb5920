/**
 * Who a process is, beyond its pid: pids are given again, so a lock names boot and start time as well.
 * On systems without /proc only the pid is compared.
 */
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  pid: number;
  /** Clock ticks after boot (field 22 of proc_pid_stat(5)); '' where unknown. */
  startTime: string;
  /** `/proc/sys/kernel/random/boot_id`; '' where unknown. */
  bootId: string;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** '' also for a zombie: it has ended, only nobody has asked for its exit code yet. */
function startTimeOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  // The command name, in parentheses, may hold spaces: fields are counted after the last ')'.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
}

/** Who the process with that pid is now. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTime: startTimeOf(pid), bootId: readText('/proc/sys/kernel/random/boot_id') };
}

/** true only when that very process still runs; an unknown answer counts as running. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identityOf(identity.pid);
  if (identity.bootId !== '' && now.bootId !== '' && identity.bootId !== now.bootId) {
    return false;
  }
  if (identity.startTime !== '' && now.bootId !== '') {
    return now.startTime === identity.startTime;
  }
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
