import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Disks,
  type DiskStoreOptions,
} from '../../../../../../src/backend/drivers/microvms/disks/disk-store';
import { BerthError } from '../../../../../../src/api/errors';
import { failure } from '../../../../../support/errors';
import { FakeFiles } from '../../../../../support/fakes/fake-files';
import { succeed } from '../../../../../support/programs';
import { useTempFolder } from '../../../../../support/temp';
import { until } from '../../../../../support/wait';
import { agentDir } from '../../../files/agent/harness';
import { assertClean, bytesOf } from '../../../files/disk/harness';

const over = { create: true, overwrite: true };
const mebibyte = 1024 * 1024;
const holder = { workspace: 'one', runtime: 'workspace-one', readOnly: false };
const other = { workspace: 'two', runtime: 'workspace-two', readOnly: false };

const copyHeld = (): Promise<never> => Promise.reject(new Error('nothing is copied here'));

describe('named disks', function () {
  this.timeout(60_000);
  let disks: Disks;
  let running: Set<string>;
  let unknown: Set<string>;
  let live: FakeFiles;
  afterEach(() => disks.close());
  const home = useTempFolder();
  const at = (...path: string[]): string => join(home(), 'volumes', ...path);
  const index = (): { volumes: Record<string, unknown>[] } =>
    JSON.parse(readFileSync(at('index.json'), 'utf8')) as { volumes: Record<string, unknown>[] };

  function make(options: Partial<DiskStoreOptions> = {}): Disks {
    return new Disks({
      ...{ home: home(), agentDirectory: agentDir, startMs: 0, writeWaitMs: 300 },
      holders: {
        isGone: (runtime) =>
          unknown.has(runtime)
            ? Promise.reject(new Error('unknown'))
            : Promise.resolve(!running.has(runtime)),
        stateOf: (runtime) => Promise.resolve(running.has(runtime) ? 'running' : 'unknown'),
        liveFiles: () => Promise.resolve(live),
        copyHeld,
      },
      ...options,
    });
  }

  beforeEach(() => {
    running = new Set();
    unknown = new Set();
    live = new FakeFiles('live');
    disks = make();
  });

  it('are sparse images in a list that others can read', async () => {
    const volume = await disks.create({ name: 'data' });
    assert.deepEqual([volume.kind, volume.sizeMiB, volume.role, volume.holders], ['disk', 1024, 'named', []]);
    await disks.create({ name: 'cache', sizeMiB: 8, labels: { team: 'a' } });
    const status = statSync(at('data.ext4'));
    assert.equal(status.size, 1024 * mebibyte);
    assert.ok(status.blocks * 512 < 100 * mebibyte);
    assert.equal(status.mode & 0o777, 0o600);
    assert.deepEqual([statSync(at()).mode & 0o777, statSync(at('index.json')).mode & 0o777], [0o700, 0o600]);
    const [first, second] = index().volumes;
    assert.deepEqual(second, { name: 'data', size_mib: 1024, created_at: volume.createdAt, attached_to: '' });
    assert.deepEqual(first!.labels, { team: 'a' });
    assert.deepEqual(
      (await disks.list()).map(({ name }) => name),
      ['cache', 'data'],
    );
    assertClean(at('data.ext4'));
    assert.deepEqual(readdirSync(at()).sort(), ['cache.ext4', 'data.ext4', 'index.json']);
  });

  it('have names and sizes of a kind, and one name each', async () => {
    await disks.create({ name: 'data', sizeMiB: 4 });
    assert.match(
      (await failure(disks.create({ name: 'data' }), 'exists')).message,
      /volume "data" already exists/,
    );
    for (const name of ['Data', '-a', 'a-', '', 'a/b', '..', 'x'.repeat(64)]) {
      assert.match((await failure(disks.create({ name }), 'bad_request')).message, /^invalid volume name/);
    }
    for (const sizeMiB of [0, -1, 1.5, 1_048_577]) {
      const error = await failure(disks.create({ name: 'size', sizeMiB }), 'bad_request');
      assert.equal(error.message, `invalid volume size ${sizeMiB} MiB: must be between 1 and 1048576`);
    }
    await disks.create({ name: 'tiny', sizeMiB: 1 });
    await failure(disks.files('none'), 'not_found');
    await disks.remove('none');
    assert.equal(await disks.inspect('none'), undefined);
  });

  it('leave nothing when they can not be made', async () => {
    disks = make({
      makeDisk: (path) => {
        writeFileSync(path, 'half');
        return Promise.reject(new Error('the disk is full'));
      },
    });
    await assert.rejects(disks.create({ name: 'data' }), /full/);
    assert.deepEqual(await disks.list(), []);
    assert.ok(!existsSync(at('data.ext4')));
  });

  it('are made once when many ask at once', async () => {
    const tries = Array.from({ length: 6 }, () => disks.create({ name: 'data', sizeMiB: 4 }));
    const several = Array.from({ length: 6 }, (_, n) => disks.create({ name: `d${n}`, sizeMiB: 4 }));
    const won = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled');
    await Promise.all(several);
    assert.equal(won.length, 1);
    assert.equal((await disks.list()).length, 7);
  });

  it('never overwrite an image that no list knows', async () => {
    await disks.create({ name: 'other', sizeMiB: 4 });
    writeFileSync(at('data.ext4'), 'precious');
    await disks.create({ name: 'data', sizeMiB: 4 });
    const found = readdirSync(at()).find((name) => name.includes('.found-'))!;
    assert.equal(readFileSync(at(found), 'utf8'), 'precious');
  });

  it('belong to one machine at a time; who provably does not run loses them', async () => {
    await disks.create({ name: 'data', sizeMiB: 8 });
    running.add('workspace-one');
    assert.equal(await disks.attach('data', holder), at('data.ext4'));
    assert.equal(index().volumes[0]!.attached_to, 'one');
    assert.equal(await disks.attach('data', holder), at('data.ext4'), 'again by the same');
    const error = await failure(disks.attach('data', other), 'in_use');
    assert.equal(error.message, 'volume "data" is already attached to running workspace "one"');
    const [shown] = (await disks.inspect('data'))!.holders;
    assert.deepEqual(shown, {
      runtime: 'workspace-one',
      workspace: 'one',
      state: 'running',
      readOnly: false,
    });
    assert.match(
      (await failure(disks.remove('data'), 'in_use')).message,
      /is attached to running workspace "one"/,
    );
    assert.match((await failure(disks.resize('data', 16), 'in_use')).message, /detach it before resizing/);
    running.clear();
    unknown.add('workspace-one');
    await failure(disks.attach('data', other), 'in_use');
    unknown.clear();
    assert.deepEqual((await disks.inspect('data'))!.holders, []);
    await disks.attach('data', { ...other, readOnly: true });
    assert.equal(index().volumes[0]!.attached_to, 'two');
    await disks.release({ runtime: 'workspace-two' });
    assert.deepEqual(Object.keys(index().volumes[0]!).sort(), [
      'attached_to',
      'created_at',
      'name',
      'size_mib',
    ]);
    await disks.remove('data');
    assert.deepEqual(readdirSync(at()), ['index.json']);
  });

  it('are not touched for a machine that goes on, which has them mounted', async () => {
    await disks.create({ name: 'data', sizeMiB: 8 });
    running.add('workspace-one');
    await disks.attach('data', holder);
    await succeed('/sbin/debugfs', ['-w', '-R', 'feature needs_recovery', at('data.ext4')]);
    const mounted = readFileSync(at('data.ext4'));
    assert.equal(await disks.attachMounted('data', holder), at('data.ext4'));
    assert.ok(readFileSync(at('data.ext4')).equals(mounted), 'its journal is as it was');
    await disks.release({ runtime: 'workspace-one' });
    const error = await failure(disks.attachMounted('data', holder), 'illegal_state');
    assert.match(error.message, /volume data was released since workspace-one was paused/);
    await disks.attach('data', holder);
    assert.ok(!readFileSync(at('data.ext4')).equals(mounted), 'who starts anew has it replayed');
  });

  it('count as held between their attachment and the start of the machine', async () => {
    disks = make({ startMs: 60_000 });
    await disks.create({ name: 'data', sizeMiB: 8 });
    await disks.attach('data', holder);
    await failure(disks.attach('data', other), 'in_use');
    assert.equal((await disks.files('data')).volume, 'data');
    await live.write('/theirs', Buffer.from('y'), over);
    assert.equal((await (await disks.files('data')).stat('/theirs')).size, 1, 'through the machine');
    await disks.release({ runtime: 'workspace-one' });
    await disks.attach('data', other);
  });

  it('show their files through us, then through their machine, then through us again', async () => {
    await disks.create({ name: 'data', sizeMiB: 16 });
    const files = await disks.files('data');
    const entry = await files.write('/mine', Buffer.from('x'), over);
    assert.equal(entry.uid, 1000, 'the root belongs to the user of workspaces');
    const seen: string[] = [];
    const stop = await files.watch('/', { recursive: true }, (changes) =>
      seen.push(...changes.map(({ path }) => path)),
    );
    running.add('workspace-one');
    const path = await disks.attach('data', holder);
    assert.ok(!existsSync(`${path}.lock`) && !existsSync(`${path}.redo`), 'it was let go of');
    assertClean(path);
    await live.write('/theirs', Buffer.from('y'), over);
    assert.equal((await bytesOf(await files.read('/theirs'))).toString(), 'y');
    await assert.rejects(files.stat('/mine'));
    running.clear();
    await disks.release({ runtime: 'workspace-one' });
    assert.equal((await bytesOf(await files.read('/mine'))).toString(), 'x');
    assert.ok(seen.includes('/'));
    stop();
    assert.equal(await disks.files('data'), files, 'the same object for the same volume');
  });

  it('go on being watched when they change hands, also when their machine takes its time', async () => {
    let isReady = false;
    disks = make({
      holders: {
        isGone: (runtime) => Promise.resolve(!running.has(runtime)),
        stateOf: () => Promise.resolve('running'),
        copyHeld,
        liveFiles: () =>
          isReady ? Promise.resolve(live) : Promise.reject(new BerthError('illegal_state', 'it boots')),
      },
    });
    await disks.create({ name: 'data', sizeMiB: 16 });
    const files = await disks.files('data');
    const seen: string[] = [];
    const stop = await files.watch('/', { recursive: true }, (changes) =>
      seen.push(...changes.map(({ type, path }) => `${type} ${path}`)),
    );
    running.add('workspace-one');
    await disks.attach('data', holder);
    await until('the change of hands is told', () => seen.includes('changed /'));
    await failure(files.stat('/'), 'illegal_state');
    isReady = true;
    await files.write('/theirs', Buffer.from('x'), over);
    await until('the machine is watched', () => live.watchers.size === 1);
    live.watchers.forEach((report) => report([{ type: 'created', path: '/inside' }]));
    running.clear();
    await disks.release({ runtime: 'workspace-one' });
    await until('the machine is not watched any more', () => live.watchers.size === 0);
    await files.stat('/');
    await until('we watch', async () => {
      await files.write('/mine', Buffer.from(String(seen.length)), over);
      return seen.some((change) => change.endsWith(' /mine'));
    });
    assert.ok(seen.includes('created /inside'), seen.join());
    assert.ok(!seen.some((change) => change.startsWith('deleted')), seen.join());
    stop();
  });

  it('are not taken while files are being written', async () => {
    await disks.create({ name: 'data', sizeMiB: 16 });
    const files = await disks.files('data');
    const stage = await files.stage();
    assert.match((await failure(disks.attach('data', holder), 'in_use')).message, /being written/);
    assert.equal(index().volumes[0]!.attached_to, '');
    await files.unstage(stage);
    await disks.attach('data', holder);
  });

  it('use what their files take, without the tables of the file system, also when they grew', async () => {
    const used = async (name: string): Promise<number> =>
      (await disks.usage(name, AbortSignal.timeout(10_000))).usedBytes;
    await disks.create({ name: 'large', sizeMiB: 10_240 });
    assert.ok((await used('large')) < 100_000, `${await used('large')} bytes`);
    await disks.create({ name: 'grown', sizeMiB: 64 });
    await disks.resize('grown', 5_120);
    assert.ok((await used('grown')) < 100_000, `${await used('grown')} bytes`);
    await (await disks.files('grown')).write('/f', Buffer.alloc(4_000_000, 'x'), over);
    await disks.close();
    const after = await used('grown');
    assert.ok(after >= 4_000_000 && after < 4_100_000, `${after} bytes`);
  });

  it('are no volumes while they are made or removed by an engine that was killed, and can be made anew', async () => {
    const killed = make({ makeDisk: () => new Promise(() => undefined) });
    void killed.create({ name: 'data', sizeMiB: 8 });
    await until(
      'it is in the list',
      () => existsSync(at('index.json')) && index().volumes.length === 1,
      10_000,
    );
    assert.deepEqual(await disks.list(), []);
    assert.equal(await disks.inspect('data'), undefined);
    await failure(disks.attach('data', holder), 'not_found');
    await disks.create({ name: 'data', sizeMiB: 16 });
    assert.deepEqual(readdirSync(at()).sort(), ['data.ext4', 'index.json']);
    assert.equal((await disks.list())[0]!.sizeMiB, 16);
    await disks.remove('data');
    assert.deepEqual([readdirSync(at()), index().volumes], [['index.json'], []]);
  });

  it('leave nothing when their removal was cut off and is done again', async () => {
    await disks.create({ name: 'data', sizeMiB: 4 });
    await disks.close();
    rmSync(at('data.ext4'));
    writeFileSync(at('data.ext4.redo'), 'left');
    assert.equal(await disks.inspect('data'), undefined);
    await disks.remove('data');
    assert.deepEqual([readdirSync(at()), index().volumes], [['index.json'], []]);
    await disks.remove('data');
  });

  it('grow while nobody has them, with what is in them', async () => {
    await disks.create({ name: 'data', sizeMiB: 8 });
    const files = await disks.files('data');
    await files.write('/f', Buffer.alloc(4_000_000, 'x'), over);
    const { usedBytes: used } = await disks.usage('data', AbortSignal.timeout(10_000));
    assert.ok(used >= 4_000_000 && used <= 8 * mebibyte);
    assert.equal((await disks.resize('data', 64)).sizeMiB, 64);
    assert.equal((await disks.inspect('data'))!.sizeMiB, 64);
    assertClean(at('data.ext4'));
    await files.write('/g', Buffer.alloc(30_000_000, 'y'), over);
    assert.ok((await bytesOf(await files.read('/f'))).equals(Buffer.alloc(4_000_000, 'x')));
    await failure(disks.resize('data', 32), 'bad_request');
    await failure(disks.resize('data', 0), 'bad_request');
    await disks.close();
    assertClean(at('data.ext4'));
  });

  it('are as they were when growing fails', async () => {
    await disks.create({ name: 'data', sizeMiB: 8 });
    await disks.close();
    const damaged = readFileSync(at('data.ext4'));
    damaged.fill(0xff, 3 * 1024 * 1024 + 100);
    damaged.fill(0, 1024 + 0x38, 1024 + 0x3a);
    writeFileSync(at('data.ext4'), damaged);
    await assert.rejects(disks.resize('data', 16));
    assert.ok(readFileSync(at('data.ext4')).equals(damaged));
    assert.equal((await disks.inspect('data'))!.sizeMiB, 8);
  });

  it('are kept apart from a damaged list, which is named', async () => {
    await disks.create({ name: 'data', sizeMiB: 4 });
    writeFileSync(at('index.json'), '{"volumes":[{"name":1}]}');
    assert.match((await failure(disks.list(), 'internal')).message, /index\.json/);
    await failure(disks.create({ name: 'more', sizeMiB: 4 }), 'internal');
    assert.deepEqual(readdirSync(at()).sort(), ['data.ext4', 'index.json']);
  });

  it('know homes by their names and labels', async () => {
    await disks.create({ name: 'workspace-one', sizeMiB: 4 });
    const labels = { 'workspace.name': 'x', 'berth.role': 'docker' };
    await disks.create({ name: 'workspace-two-docker', sizeMiB: 4, labels });
    const roles = (await disks.list()).map(({ role, workspace }) => [role, workspace]);
    assert.deepEqual(roles, [
      ['home', 'one'],
      ['docker', 'x'],
    ]);
  });

  it('may be folders, whose files are reached and go with them', async () => {
    const volume = await disks.create({ name: 'shared', kind: 'directory' });
    assert.deepEqual([volume.kind, volume.sizeMiB], ['directory', undefined]);
    const files = await disks.files('shared');
    await files.write('/d/f'.replace('/d', ''), Buffer.from('x'), over);
    assert.equal(readFileSync(at('shared', 'f'), 'utf8'), 'x');
    assert.equal((await bytesOf(await files.read('/f'))).toString(), 'x');
    assert.ok((await bytesOf(await files.getTar('/f'))).includes('f'));
    const stage = await files.stage();
    await files.putTar(stage, await files.getTar('/f'));
    assert.equal((await files.merge(stage, '/', 'rename')).renamed.length, 1);
    assert.ok((await disks.usage('shared', AbortSignal.timeout(10_000))).usedBytes > 0);
    await failure(disks.resize('shared', 10), 'not_supported');
    await failure(disks.create({ name: 'sized', kind: 'directory', sizeMiB: 4 }), 'not_supported');
    await failure(disks.create({ name: 'box', kind: 'docker' }), 'not_supported');
    await disks.remove('shared');
    assert.ok(!existsSync(at('shared')));
  });
});
