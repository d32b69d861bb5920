/** What killed tests have left is ended, and no machine of anybody else. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endDeadMachines } from '../support/dead-machines';
import { succeed } from '../support/programs';
import { useTempFolder } from '../support/temp';

describe('machines of tests that were killed', function () {
  this.timeout(30_000);
  const temp = useTempFolder();
  const started: ChildProcess[] = [];
  afterEach(() => started.splice(0).forEach((child) => child.kill('SIGKILL')));

  /** A process that looks like QEMU where it counts: its program's name, and what it was started with. */
  async function machine(pidFile: string, program = 'qemu-system-x86_64'): Promise<ChildProcess> {
    const path = join(temp(), program);
    if (!existsSync(path)) {
      copyFileSync((await succeed('sh', ['-c', 'command -v bash'])).trim(), path);
      chmodSync(path, 0o755);
    }
    const script = 'echo started; while :; do read -r -t 5 </dev/null; sleep 1; done';
    const child = spawn(path, ['-c', script, 'qemu', '-pidfile', pidFile], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    started.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  const goneFolder = (prefix: string): string => {
    const folder = mkdtempSync(join(tmpdir(), prefix));
    rmSync(folder, { recursive: true });
    return folder;
  };

  it('end when their folder is gone', async () => {
    const folder = goneFolder('berth-cli-');
    const child = await machine(join(folder, 'it\'s "my" home', 'workspaces', 'w', 'qemu.pid'));
    const end = once(child, 'exit');
    assert((await endDeadMachines()).includes(child.pid ?? 0));
    assert.deepEqual(await end, [null, 'SIGKILL']);
  });

  it('stay while it is there, and where it may be anybody else’s', async () => {
    const there = mkdtempSync(join(tmpdir(), 'berth-cli-'));
    try {
      const living = [
        await machine(join(there, 'home', 'workspaces', 'w', 'qemu.pid')),
        await machine(join(goneFolder('berth-cli-'), 'home', 'qemu.pid'), 'another-program'),
        await machine(join(goneFolder('somebody-'), 'home', 'qemu.pid')),
        await machine(join(goneFolder('berth-state'), 'qemu.pid')),
        await machine('/nowhere/berth-cli-abcdef/home/qemu.pid'),
        await machine(goneFolder('berth-cli-')),
      ];
      const ended = await endDeadMachines();
      assert.deepEqual(
        living.filter(({ pid, exitCode }) => exitCode !== null || ended.includes(pid ?? 0)),
        [],
      );
      living.forEach(({ pid }) => process.kill(pid ?? 0, 0));
    } finally {
      rmSync(there, { recursive: true });
    }
  });
});
