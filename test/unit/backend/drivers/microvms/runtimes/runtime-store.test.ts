import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Aside } from '../../../../../../src/backend/drivers/microvms/runtimes/aside';
import {
  isRuntimeFile,
  MicrovmFiles,
} from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import { RuntimeStore } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-store';
import { silentLog } from '../../../../../support/engine/engine';
import { useTempFolder } from '../../../../../support/temp';

describe('microvms/runtimes/runtime-store: the folder of a workspace', () => {
  const home = useTempFolder();
  const theirs = [
    'base.ext4.bak',
    'my.sock',
    'notes.log',
    'pictures',
    'rootfs.qcow2.20261126',
    'workspace.json',
  ];

  function fill() {
    const files = new MicrovmFiles(home());
    const of = files.of('workspace-demo');
    const { record, rootfs, base, consoleLog, qemuLog, pidFile, state, sockets, saveSocket, filterLog } = of;
    const ours = [
      ...[record, rootfs, base, consoleLog, qemuLog, pidFile, state, `${state}.sum`, filterLog],
      ...[...Object.values<string>({ ...sockets }), saveSocket, of.shareSocket('v0'), of.shareLog('v0')],
      ...[of.filterSocket(4242), join(of.folder, 'bundle-3.ext4')],
    ];
    mkdirSync(of.folder, { recursive: true });
    [...ours, ...theirs.map((name) => join(of.folder, name))].forEach((path) => writeFileSync(path, 'x'));
    return { files, of, ours };
  }

  it('is cleared of all that a microVM has made, and of nothing else', async () => {
    const { files, of, ours } = fill();
    ours
      .filter((path) => dirname(path) === of.folder)
      .forEach((path) => assert(isRuntimeFile(path.slice(of.folder.length + 1)), path));
    await new RuntimeStore(files, silentLog).remove('workspace-demo');
    assert.deepEqual(readdirSync(of.folder).sort(), theirs);
  });

  it('keeps the files of the user where they are while a microVM waits aside', async () => {
    const { files, of } = fill();
    const aside = new Aside(files);
    await aside.put('workspace-demo');
    assert.deepEqual(readdirSync(of.folder).sort(), ['before', ...theirs].sort());
    writeFileSync(of.record, 'new');
    await aside.takeBack('workspace-demo');
    assert.deepEqual(
      readdirSync(of.folder).filter((name) => !isRuntimeFile(name)),
      theirs,
    );
  });

  it('has sockets of machines where the next engine looks, with whatever TMPDIR', () => {
    const before = process.env.TMPDIR;
    const socket = () => new MicrovmFiles(join(home(), 'x'.repeat(120))).of('workspace-demo').sockets.qmp;
    try {
      process.env.TMPDIR = '/tmp/one';
      const first = socket();
      process.env.TMPDIR = '/tmp/another';
      assert.equal(socket(), first);
    } finally {
      if (before === undefined) {
        delete process.env.TMPDIR;
      } else {
        process.env.TMPDIR = before;
      }
    }
  });
});
