import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launch } from '../../../../../../src/backend/drivers/microvms/machines/launch';
import { findQemu, ownQemuEnvironment } from '../../../../../../src/backend/drivers/microvms/qemu/programs';
import type { MachinePlan } from '../../../../../../src/backend/drivers/microvms/qemu/command-line';
import type { RuntimeFiles } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import { useTempFolder } from '../../../../../support/temp';
import { failure } from '../../../../../support/errors';

describe('the programs of QEMU', () => {
  const temp = useTempFolder();
  const { architecture } = ownQemuEnvironment();
  const name = architecture === 'x64' ? 'qemu-system-x86_64' : 'qemu-system-aarch64';
  const confined = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';

  async function plant(script: string): Promise<void> {
    for (const program of [name, 'qemu-img']) {
      await writeFile(join(temp(), program), `#!/bin/sh\n${script}\n`);
      await chmod(join(temp(), program), 0o755);
    }
  }
  const find = () => findQemu({ env: { PATH: temp() }, platform: 'linux', architecture });

  it('run confined where they were built with that, and without where they were not', async () => {
    await plant('echo "QEMU emulator version 9.1.0 (x)"');
    assert.deepEqual((await find()).confinement, ['-sandbox', confined]);
    await plant(
      '[ "$1" = -sandbox ] && { echo "-sandbox is not supported" >&2; exit 1; }; echo "QEMU version 7.2.1"',
    );
    const { confinement, version } = await find();
    assert.deepEqual([confinement, version], [[], '7.2.1']);
  });

  it('are started with that first, before anything of the machine', async () => {
    await plant(`echo "QEMU version 9.1.0"; printf '%s\\n' "$@" >${join(temp(), 'argv')}`);
    const at = (file: string) => join(temp(), file);
    const sockets = { qmp: at('q'), control: at('c'), ssh: at('s'), netOut: at('o'), netIn: at('i') };
    const plan: MachinePlan = {
      ...{ architecture, acceleration: 'tcg', cpus: 1, memoryMiB: 64, name: 'n', uuid: 'u' },
      ...{ kernel: at('k'), initrd: at('r'), kernelArguments: [], disks: [], sockets },
      ...{ isOffline: true, isFiltered: false, sshPort: undefined, incoming: undefined },
      ...{ consoleLog: at('console'), pidFile: at('pid') },
    } as unknown as MachinePlan;
    const files = { consoleLog: at('console'), qemuLog: at('log') } as RuntimeFiles;
    await failure(launch(await find(), plan, files));
    const argv = readFileSync(at('argv'), 'utf8').split('\n');
    assert.deepEqual(argv.slice(0, 2), ['-sandbox', confined]);
  });
});
