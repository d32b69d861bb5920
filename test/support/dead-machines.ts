/** QEMU goes on without its engine: of tests that were killed machines are left, which take a processor for hours. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { killProcess } from '../../src/backend/drivers/microvms/qemu/process';
import { identityOf } from '../../src/backend/machine/process-identity';

/** Of a folder that a test has made: `mkdtemp` has given it its last six letters. */
const folderOfTest = /^berth-[a-z0-9-]+-[A-Za-z0-9]{6}$/;

/**
 * Ends each QEMU whose state was in a folder of a test that is gone: nobody can ever find it again. One of another mount
 * namespace may have the folder where we do not see it. Answers their process ids.
 */
export async function endDeadMachines(): Promise<number[]> {
  const ended: number[] = [];
  for (const pid of pids()) {
    const identity = identityOf(pid);
    const folder = testFolderOf(pid);
    if (folder !== undefined && !existsSync(folder)) {
      // It may have ended by itself.
      await killProcess(identity);
      ended.push(pid);
    }
  }
  return ended;
}

function pids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return []; // A system without /proc.
  }
}

/** The folder of a test that a QEMU of this user was started in; undefined for whatever else. */
function testFolderOf(pid: number): string | undefined {
  try {
    const isQemu = basename(readlinkSync(`/proc/${pid}/exe`)).startsWith('qemu-system-');
    const isOfOurs = readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt');
    if (!isQemu || !isOfOurs) {
      return undefined;
    }
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return testFolderIn(argv[argv.indexOf('-pidfile') + 1] ?? '');
  } catch {
    return undefined; // It has ended, or is somebody else's.
  }
}

function testFolderIn(path: string): string | undefined {
  const root = [tmpdir(), '/tmp', '/dev/shm'].find((each) => path.startsWith(`${each}/`));
  if (root === undefined) {
    return undefined;
  }
  const [name = '', ...rest] = path.slice(root.length + 1).split('/');
  return rest.length > 0 && folderOfTest.test(name) ? join(root, name) : undefined;
}
