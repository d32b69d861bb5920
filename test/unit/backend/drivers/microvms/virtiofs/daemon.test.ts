import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  describeVirtiofsd,
  findVirtiofsd,
  servingCommand,
} from '../../../../../../src/backend/drivers/microvms/virtiofs/daemon';
import { Shares } from '../../../../../../src/backend/drivers/microvms/virtiofs/shares';
import { failure } from '../../../../../support/errors';
import { useTempFolder } from '../../../../../support/temp';

const serving = { socket: '/run/s', folder: '/v/a,b\\c', readOnly: false };
const inC = describeVirtiofsd('/q/virtiofsd', '-o source=PATH   shared directory tree');
const inRust = describeVirtiofsd('/r/virtiofsd', '--shared-dir <SHARED_DIR>\n--readonly');
const oldRust = describeVirtiofsd('/r/virtiofsd', '--shared-dir <SHARED_DIR>');
const forRootOnly = '#!/bin/sh\necho "setgroups() failed with error=1:Operation not permitted" >&2; exit 1\n';

describe('virtiofsd', () => {
  const home = useTempFolder();

  it('is looked for in PATH first, and told apart by its help', async () => {
    const path = join(home(), 'virtiofsd');
    await writeFile(path, '#!/bin/sh\necho "--shared-dir DIR --readonly"\n');
    // What else this machine has may be for root only.
    const other = await findVirtiofsd({ env: { PATH: home() }, platform: 'linux' }).catch(() => undefined);
    assert.notEqual(other?.path, path);
    await chmod(path, 0o755);
    assert.deepEqual(await findVirtiofsd({ env: { PATH: home() }, platform: 'linux' }), {
      ...{ path, language: 'rust', hasReadOnly: true },
    });
  });

  it('says why it does not run', async () => {
    const path = join(home(), 'virtiofsd');
    await writeFile(path, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    const error = await failure(findVirtiofsd({ env: { PATH: home() }, platform: 'linux' }), 'not_supported');
    assert.match(error.message, /virtiofsd does not run/);
  });

  it('in C is refused to who is not root, in words that name another way', async () => {
    const path = join(home(), 'virtiofsd');
    await writeFile(path, forRootOnly, { mode: 0o755 });
    const found = failure(findVirtiofsd({ env: { PATH: home() }, platform: 'linux' }, []), 'not_supported');
    for (const { message, hint, field } of [
      await found,
      await failure(() => servingCommand(inC, serving, false), 'not_supported'),
    ]) {
      assert.match(message, /virtiofsd shares folders with microVMs for root only/);
      assert.match(hint ?? '', /in Rust.* the kind "disk"/);
      assert.equal(field, 'mounts');
    }
  });

  it('in C is passed over by who is not root, where there is another one', async () => {
    const [path, other] = [join(home(), 'virtiofsd'), join(home(), 'other')];
    await writeFile(path, forRootOnly, { mode: 0o755 });
    await mkdir(other);
    await writeFile(join(other, 'virtiofsd'), '#!/bin/sh\necho "--shared-dir DIR"\n', { mode: 0o755 });
    const found = await findVirtiofsd({ env: { PATH: home() }, platform: 'linux' }, [other]);
    assert.equal(found?.path, join(other, 'virtiofsd'));
  });

  it('is missed in words that name the other way', async () => {
    const shares = new Shares({ env: {}, platform: 'darwin' });
    await shares.require([]);
    const { field, hint, message } = await failure(shares.require(['shared']), 'not_supported');
    assert.equal(field, 'mounts');
    assert.match(message, /volume shared .* there is none/);
    assert.match(hint ?? '', /the kind "disk"/);
  });

  it('gets its folder as one argument, whatever is in its name', () => {
    assert.deepEqual(servingCommand(inC, serving, true), [
      ...['/q/virtiofsd', '--socket-path=/run/s', '-o', 'source=/v/a\\,b\\\\c'],
      ...[
        '-o',
        'cache=auto',
        '-o',
        'sandbox=chroot',
        '-o',
        'xattrmap=:prefix:all:security.capability:user.berth.::ok:all:user.:::bad:all:::',
      ],
    ]);
    const attributes = [
      '--xattr',
      '--xattrmap=:prefix:all:security.capability:user.berth.::ok:all:user.:::bad:all:::',
    ];
    const rust = ['/r/virtiofsd', '--socket-path=/run/s', '--shared-dir=/v/a,b\\c', '--cache=auto'];
    assert.deepEqual(servingCommand(inRust, serving, true), [...rust, '--sandbox=chroot', ...attributes]);
    assert.deepEqual(servingCommand(inRust, serving, false), [...rust, '--sandbox=none', ...attributes]);
  });

  it('lets nobody write where it is told so, by its own option or by a view of the folder that can not be written', () => {
    const readOnly = { ...serving, readOnly: true };
    assert.equal(servingCommand(inRust, readOnly, false).at(-1), '--readonly');
    for (const daemon of [inC, oldRust]) {
      const argv = servingCommand(daemon, readOnly, true);
      assert.deepEqual(argv.slice(0, 5), ['unshare', '--mount', '--propagation', 'private', '--']);
      assert(argv.includes(serving.folder) && argv.includes('--socket-path=/run/s'));
    }
    assert.throws(() => servingCommand(oldRust, readOnly, false), { code: 'not_supported', field: 'mounts' });
  });
});
