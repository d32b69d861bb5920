/** What was written and synced in a workspace is read back byte for byte, whoever dies, and by whom it is read. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { runProgram } from '../../support/programs';
import { column, itMostlyOfEngine, itOfMicrovms, testTimeoutMs } from '../../support/runtimes/columns';

/** Of all below /data: names, modes, owners, times, contents. */
const fingerprint =
  'cd /data && tar --sort=name --exclude=./lost+found --format=posix --pax-option=delete=atime,delete=ctime -cf - . | sha256sum';

describe('files: what a workspace wrote', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  /** By path in the volume. */
  const written = new Map<string, Buffer>();
  let name: string;
  let volume: string;
  let folder: string;

  before(async () => {
    volume = await harness().makeVolume(`${harness().prefix}-data`, column === 'microvm' ? 128 : undefined);
    ({ name } = await harness().create({ volumes: [`${volume}:/data`] }));
    await asRoot(
      `mkdir -p '/data/d/a b' && chmod 711 /data/d && ln -s ../gone /data/d/link && chown -R -h 1000 /data`,
    );
    await write('/d/a b/large', randomBytes(3_000_000));
    await write('/d/ünï\ncode', Buffer.from('odd'));
    await write('/empty', Buffer.alloc(0));
    folder = join(harness().home, 'volumes');
  });

  const asRoot = (script: string) => harness().exec(name, ['sh', '-c', script], { user: 'root' });
  const fingerprintOf = (workspace: string) =>
    harness().exec(workspace, ['sh', '-c', fingerprint], { user: 'root' });

  /** By a program inside, synced. */
  async function write(path: string, content: Buffer): Promise<void> {
    const quoted = `'/data${path}'`;
    await harness().ssh(name, [`cat >${quoted} && sync ${quoted} && sync '/data'`], { input: content });
    written.set(path, content);
  }

  /** Through the API, which nothing needs to run for. */
  async function assertInTree(): Promise<void> {
    for (const [path, content] of written) {
      assert((await harness().client.readFile(volume, path)).equals(content), path);
    }
    const { entries } = await harness().client.call('files.list', {
      params: { volume },
      query: { path: '/d' },
    });
    assert.deepEqual(entries.map((entry) => [entry.name, entry.type, entry.linkTarget]).sort(), [
      ['a b', 'directory', undefined],
      ['link', 'symlink', '../gone'],
      ['ünï\ncode', 'file', undefined],
    ]);
  }

  async function assertKept(before: string): Promise<void> {
    await assertInTree();
    await harness().verb('start', name);
    assert.equal(await fingerprintOf(name), before);
    await assertInTree();
  }

  it('is seen in the tree while it runs', assertInTree);

  it('is there after a stop: in the tree, in another workspace, and when it starts again', async () => {
    const before = await fingerprintOf(name);
    await harness().verb('stop', name);
    await assertInTree();
    const other = await harness().create({ volumes: [`${volume}:/data`] });
    assert.equal(await fingerprintOf(other.name), before);
    await harness().delete(other.name);
    await assertKept(before);
  });

  it('is there after its runtime was killed', async () => {
    await write('/after-kill', randomBytes(100_000));
    const before = await fingerprintOf(name);
    await harness().runtime.kill(name);
    await harness().untilState(name, 'stopped');
    await assertKept(before);
  });

  itMostlyOfEngine('is there after the engine was killed', async () => {
    await write('/after-engine', randomBytes(100_000));
    const before = await fingerprintOf(name);
    await harness().killAndRestart();
    await harness().untilState(name, 'running');
    await assertInTree();
    assert.equal(await fingerprintOf(name), before);
  });

  it('is there after both were killed', async () => {
    await write('/after-both', randomBytes(100_000));
    const before = await fingerprintOf(name);
    await harness().process.kill();
    await harness().runtime.kill(name);
    await harness().start();
    await harness().untilState(name, 'stopped');
    await assertKept(before);
  });

  it('is written by both sides in turn', async () => {
    const over = { create: true, overwrite: true };
    await harness().client.writeFile(volume, '/running', Buffer.from('by the API, running'), over);
    await harness().verb('stop', name);
    await harness().client.writeFile(volume, '/stopped', Buffer.from('by the API, stopped'), over);
    await harness().verb('start', name);
    assert.equal(await asRoot('cat /data/running /data/stopped'), 'by the API, runningby the API, stopped');
  });

  itOfMicrovms('is on disks that e2fsck finds whole', async () => {
    await harness().verb('stop', name);
    for (const disk of [volume, `workspace-${name}`]) {
      const { code, stdout } = await runProgram('e2fsck', ['-fn', join(folder, `${disk}.ext4`)]);
      assert.equal(code, 0, stdout);
    }
  });

  it('goes with its volume only', async () => {
    await harness().delete(name);
    await assertInTree();
    await harness().client.call('volumes.delete', { params: { volume } });
  });

  itLeavesNothing(harness);
});
