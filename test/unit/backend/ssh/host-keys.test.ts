import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostKeyTypes, makeHostKeys } from '../../../../src/backend/ssh/host-keys';
import { runProgram } from '../../../support/programs';
import { useTempFolder } from '../../../support/temp';

describe('keys of an SSH server inside', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  for (const type of hostKeyTypes) {
    it(`of the type ${type} are pairs that OpenSSH reads, each another one`, async () => {
      const [one, other] = await Promise.all([makeHostKeys(type), makeHostKeys(type)]);
      assert.notEqual(one.private, other.private);
      const path = join(folder(), `ssh_host_${type}_key`);
      await writeFile(path, one.private, { mode: 0o600 });
      const { stdout } = await runProgram('ssh-keygen', ['-y', '-f', path], {});
      assert.deepEqual(stdout.trim().split(' ').slice(0, 2), one.public.trim().split(' ').slice(0, 2));
      assert.ok(one.public.endsWith('\n') && one.private.endsWith('\n'));
    });
  }
});
