import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readFile, readlink, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { addInclude, defaultUserConfig, isIncluded } from '../../../../src/backend/ssh/include';
import { BerthError } from '../../../../src/api/errors';
import { SshConfig } from '../../../../src/backend/ssh/config';
import { SshAccess } from '../../../../src/backend/services/engine/ssh-access';
import { StateDirectory } from '../../../../src/backend/store/state-directory';
import { useTempFolder } from '../../../support/temp';

const run = promisify(execFile);

describe('ssh/include', () => {
  const folder = useTempFolder();
  const user = () => join(folder(), '.ssh/config');
  const ours = () => join(folder(), 'berth home/ssh/config');

  beforeEach(async () => {
    await mkdir(join(folder(), '.ssh'));
  });

  it('makes the file when there is none, and its folder, privately', async () => {
    const fresh = join(folder(), 'new/.ssh/config');
    assert.equal(await isIncluded(fresh, ours()), false);
    await addInclude(fresh, ours());
    assert.equal(await readFile(fresh, 'utf8'), `Include "${ours()}"\n`);
    assert.equal((await stat(fresh)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder(), 'new/.ssh'))).mode & 0o777, 0o700);
    assert.equal(await isIncluded(fresh, ours()), true);
  });

  it('goes first, once, and leaves everything else as it was', async () => {
    const before = '# mine\n\nHost a\n  User me\n';
    await writeFile(user(), before);
    await chmod(user(), 0o640);
    await addInclude(user(), ours());
    await addInclude(user(), ours());
    assert.equal(await readFile(user(), 'utf8'), `Include "${ours()}"\n${before}`);
    assert.equal((await stat(user())).mode & 0o777, 0o640);
    assert.deepEqual(await readdir(join(folder(), '.ssh')), ['config']);
  });

  it('leaves bytes as they are that are no UTF-8, also where an older line goes', async () => {
    const before = Buffer.from('# B\xfcro\nHost a\n  User m\xff\n', 'latin1');
    await writeFile(user(), before);
    await addInclude(user(), ours());
    const line = Buffer.from(`Include "${ours()}"\n`);
    assert.deepEqual(await readFile(user()), Buffer.concat([line, before]));
    const odd = join(folder(), 'sk\u00fcz[1]/config');
    await writeFile(user(), Buffer.concat([Buffer.from(`Include "${odd}"\n`), before]));
    await addInclude(user(), odd);
    const after = await readFile(user());
    assert.deepEqual(after.subarray(after.indexOf('\n') + 1), before);
  });

  it('is what makes the real client know our hosts, and no other host changes', async () => {
    await mkdir(join(folder(), 'berth home/ssh'), { recursive: true });
    await writeFile(ours(), 'Host berth-demo\n  Port 2234\n');
    await writeFile(user(), 'Host *\n  Port 1000\n');
    await addInclude(user(), ours());
    const { stdout } = await run('ssh', ['-G', '-F', user(), 'berth-demo']);
    assert.match(stdout, /^port 2234$/m);
    const other = await run('ssh', ['-G', '-F', user(), 'other']);
    assert.match(other.stdout, /^port 1000$/m);
  });

  it('follows a symlink to the file it names, and keeps the link', async () => {
    const real = join(folder(), 'dotfiles');
    await writeFile(real, 'Host a\n');
    await symlink('../dotfiles', user());
    await addInclude(user(), ours());
    assert.equal(await readlink(user()), '../dotfiles');
    assert((await lstat(user())).isSymbolicLink());
    assert.match(await readFile(real, 'utf8'), /^Include .*\nHost a\n$/s);
  });

  it('follows a symlink whose file is not there yet', async () => {
    await symlink('../dotfiles', user());
    await addInclude(user(), ours());
    assert((await lstat(user())).isSymbolicLink());
    assert.equal(await readFile(join(folder(), 'dotfiles'), 'utf8'), `Include "${ours()}"\n`);
  });

  for (const block of ['Host a', 'host a', 'Match all', 'Host=a', '\tHOST a b']) {
    it(`does not count a line below "${block.trim()}"`, async () => {
      await writeFile(user(), `${block}\n  Include "${ours()}"\n`);
      assert.equal(await isIncluded(user(), ours()), false);
      await addInclude(user(), ours());
      assert.equal(await isIncluded(user(), ours()), true);
      assert((await readFile(user(), 'utf8')).startsWith('Include '));
    });
  }

  it('counts the line that somebody wrote by hand', async () => {
    for (const line of [
      `Include ${ours().replace(' ', '\\ ')}`,
      `Include a "${ours()}" # Berth`,
      `Include = "${ours()}"`,
      `  Include "${ours()}"  `,
      `include "${ours()}"`,
      `Include\t"${ours()}"`,
    ]) {
      await writeFile(user(), `# comment\n${line}\nHost a\n`);
      assert.equal(await isIncluded(user(), ours()), true, line);
    }
    for (const line of [`# Include "${ours()}"`, `Include ${ours()}`, `Include a # "${ours()}"`]) {
      await writeFile(user(), `${line}\n`);
      assert.equal(await isIncluded(user(), ours()), false, line);
    }
  });

  it('takes the place of the line that an older version wrote, which ends the real client', async () => {
    const odd = join(folder(), 'a"b/ssh/config');
    await mkdir(join(odd, '..'), { recursive: true });
    await writeFile(odd, 'Host berth-demo\n  Port 2234\n');
    await writeFile(user(), `Include "${odd}"\nHost *\n  Port 1000\n`);
    await assert.rejects(run('ssh', ['-G', '-F', user(), 'other']), /invalid quotes/);
    await addInclude(user(), odd);
    assert.match((await run('ssh', ['-G', '-F', user(), 'berth-demo'])).stdout, /^port 2234$/m);
    assert.match((await run('ssh', ['-G', '-F', user(), 'other'])).stdout, /^port 1000$/m);
  });

  it('keeps the line ends of Windows', async () => {
    await writeFile(user(), 'Host a\r\n  User me\r\n');
    await addInclude(user(), ours());
    assert.equal(await readFile(user(), 'utf8'), `Include "${ours()}"\r\nHost a\r\n  User me\r\n`);
    assert.equal(await isIncluded(user(), ours()), true);
  });

  it('tells what can not be read instead of overwriting it', async () => {
    await mkdir(user());
    await assert.rejects(addInclude(user(), ours()), /EISDIR/);
  });

  it('gives the line to add by hand where the file can not be changed', async () => {
    // Nobody makes files in sysfs, root neither.
    await symlink('/sys/kernel/uevent_seqnum', user());
    await assert.rejects(addInclude(user(), ours()), (error: unknown) => {
      assert(error instanceof BerthError);
      assert.equal(error.code, 'forbidden');
      assert.match(error.message, /^\/sys\/kernel\/uevent_seqnum can't be changed/);
      assert.equal(error.hint, `Put this line at its top by hand: Include "${ours()}"`);
      return true;
    });
  });

  it('is offered as a service, which has ssh prove that it takes ours', async () => {
    const state = new StateDirectory(join(folder(), 'berth home'));
    await state.ensure();
    await new SshConfig(state).update([]);
    const access = new SshAccess(state);
    const before = await access.status(user());
    assert.deepEqual(before, { included: false, userConfig: user(), configFile: ours() });
    assert.deepEqual(await access.include(user()), { ...before, included: true });
    assert.match(defaultUserConfig(), /[\\/]\.ssh[\\/]config$/);
    const elsewhere = join(folder(), 'elsewhere');
    await writeFile(elsewhere, 'ProxyJump bastion\n');
    await writeFile(user(), `Include "${elsewhere}"\nInclude "${ours()}"\n`);
    const spoiled = await access.status(user());
    assert.equal(spoiled.included, false);
    assert.match(spoiled.problem ?? '', /takes proxyjump from somewhere else \(bastion\)/);
    await writeFile(elsewhere, 'Nonsense yes\n');
    assert.match((await access.status(user())).problem ?? '', /Bad configuration option: nonsense/);
  });

  it('asks the file that it is asked about, which has a path from the root', async () => {
    const state = new StateDirectory(join(folder(), 'berth home'));
    await state.ensure();
    await new SshConfig(state).update([]);
    const access = new SshAccess(state);
    const other = join(folder(), 'other config');
    await access.include(user());
    assert.equal((await access.status(user())).included, true);
    assert.equal((await access.status(other)).included, false);
    const refused = { code: 'bad_request', field: 'userConfig' };
    for (const path of ['~/config', 'config', '${env:HOME}/config']) {
      await assert.rejects(access.status(path), refused);
      await assert.rejects(access.include(path), refused);
    }
  });

  it('leaves the file of the user alone while ssh can not read ours', async () => {
    const state = new StateDirectory(join(folder(), 'berth home'));
    await state.ensure();
    await writeFile(ours(), 'Nonsense yes\n');
    await writeFile(user(), 'Host a\n');
    await assert.rejects(
      new SshAccess(state).include(user()),
      /can't read Berth's configuration: .*nonsense/s,
    );
    assert.equal(await readFile(user(), 'utf8'), 'Host a\n');
  });
});
