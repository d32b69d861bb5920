import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BerthError } from '../../../../src/api/errors';
import type { Mount } from '../../../../src/api/workspaces/schemas';
import { archiveOf, type Member } from '../../../../src/backend/tar/archive';
import { Bench, never, text } from './support';

describe('volumes of the container engine', function () {
  this.timeout(180_000);
  let bench: Bench;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  it('are made with labels, once per name, and removed', async () => {
    const { volumes } = bench.driver;
    const name = `${bench.prefix}-made`;
    const made = await volumes.create({ name, labels: { purpose: 'test' } });
    assert.equal(made.role, 'named');
    assert.equal(made.managed, true);
    assert.equal(made.labels.purpose, 'test');
    await assert.rejects(volumes.create({ name }), { code: 'exists', field: 'name' });
    assert.equal((await volumes.inspect(name))?.labels.purpose, 'test');
    await volumes.remove(name);
    assert.equal(await volumes.inspect(name), undefined);
    await volumes.remove(name);
  });

  it('say no to sizes and other kinds, with a hint', async () => {
    const { volumes } = bench.driver;
    const name = `${bench.prefix}-odd`;
    await assert.rejects(volumes.create({ name, sizeMiB: 100 }), { code: 'not_supported', field: 'sizeMiB' });
    await assert.rejects(volumes.create({ name, kind: 'disk' }), { code: 'not_supported', field: 'kind' });
    assert.equal(await volumes.inspect(name), undefined);
    await volumes.create({ name });
    await assert.rejects(volumes.resize(name), { code: 'not_supported', hint: /microVM/ });
    await assert.rejects(volumes.resize(`${name}-no-such`), { code: 'not_found' });
  });

  it("are the user's to write when they are new, also in the home; what holds something keeps its owner", async () => {
    const [fresh, nested, old] = ['fresh', 'nested', 'old'].map((name) => `${bench.prefix}-${name}`);
    const at = (source = '', target: string): Mount => ({ kind: 'volume', source, target, readOnly: false });
    // Files may come before the first mount, in a volume that was made for it.
    const early = `${bench.prefix}-early`;
    await bench.driver.volumes.create({ name: early, kind: 'docker' });
    const files = await bench.driver.volumes.files(early);
    await files.mkdir('/d', { parents: false });
    const filler = await bench.running({ mounts: [at(old, '/old')] });
    await bench.exec(filler.name, { argv: ['touch', '/old/file'], user: 'root' });
    await bench.exec(filler.name, { argv: ['chown', 'root:root', '/old'], user: 'root' });
    await bench.driver.remove(filler.name);
    const mounts = [
      ...[at(fresh, '/data'), at(early, '/early')],
      ...[at(nested, '/home/workspace/a/b/c'), at(old, '/old')],
    ];
    const { name, homeVolume } = await bench.running({ mounts });
    const script =
      'cd; touch /data/x /early/x /early/d/x a/x a/b/x a/b/c/x; stat -c %U /data /early a/b/c /old /old/file; touch /old/x';
    const ran = await bench.exec(name, { argv: ['sh', '-c', script] });
    assert.equal(ran.stdout, 'workspace\nworkspace\nworkspace\nroot\nroot\n', ran.stderr);
    assert.match(ran.stderr, /^[^\n]*\/old\/x[^\n]*Permission denied\n$/);
    // Nor does a link of the user's give him a folder elsewhere.
    await bench.exec(name, { argv: ['ln', '-s', '/srv', '/home/workspace/link'] });
    await bench.driver.remove(name);
    const linked = await bench.running({
      homeVolume,
      mounts: [at(`${nested}-2`, '/home/workspace/link/d/e')],
    });
    const owners = await bench.exec(linked.name, { argv: ['stat', '-c', '%U', '/srv/d', '/srv/d/e'] });
    assert.equal(owners.stdout, 'root\nroot\n', owners.stderr);
  });

  it('that are homes keep what is in them as it is, but for what a new one has of the image', async () => {
    const image = `berth-test-${bench.prefix}:home`;
    const [theirs, within] = [`${bench.prefix}-theirs`, `${bench.prefix}-within`];
    const maker = await bench.docker.createContainer({
      ...{ Image: 'workspace:latest', User: '0:0', Cmd: [] },
      Entrypoint: [
        'sh',
        '-c',
        'cd /home/workspace; for at in . /v /w; do touch $at/of; chown -R 5:6 $at; done',
      ],
      HostConfig: { Binds: [`${theirs}:/v`, `${within}:/w`] },
    });
    try {
      await maker.start();
      await maker.wait();
      const [repo, tag] = image.split(':');
      await maker.commit({ repo, tag });
    } finally {
      await maker.remove({ v: true });
    }
    try {
      const script = 'cd /home/workspace; stat -c "%n %u:%g" . of "a [b]*" "a [b]*/of"';
      const look = { argv: ['sh', '-c', script], user: 'root' };
      const mount = {
        kind: 'volume',
        source: within,
        target: '/home/workspace/a [b]*',
        readOnly: false,
      } as const;
      for (const [homeVolume, of] of [
        [undefined, '1000:1000'],
        [theirs, '5:6'],
      ] as const) {
        const plan = await bench.running({ image, mounts: [mount], ...(homeVolume && { homeVolume }) });
        const { stdout, stderr } = await bench.exec(plan.name, look);
        assert.equal(stdout, `. 1000:1000\nof ${of}\na [b]* 5:6\na [b]*/of 5:6\n`, stderr);
        await bench.driver.remove(plan.name);
      }
    } finally {
      await bench.docker.getImage(image).remove({ force: true });
      await Promise.all([theirs, within].map((name) => bench.docker.getVolume(name).remove()));
    }
  });

  it('name their holders, in a list and when they can not be removed', async () => {
    const shared = `${bench.prefix}-shared`;
    const mount: Mount = { kind: 'volume', source: shared, target: '/shared', readOnly: true };
    const [one, two] = await Promise.all([
      bench.running({ mounts: [mount] }),
      bench.plan({ mounts: [mount] }),
    ]);
    await bench.driver.create(two, never());
    const found = (await bench.driver.volumes.list()).find(({ name }) => name === shared);
    const holders = found?.holders.toSorted((a, b) => a.runtime.localeCompare(b.runtime));
    assert.deepEqual(holders, [
      { runtime: one.name, workspace: one.workspace, state: 'running', readOnly: true },
      { runtime: two.name, workspace: two.workspace, state: 'stopped', readOnly: true },
    ]);
    await assert.rejects(bench.driver.volumes.remove(shared), (error: unknown) => {
      assert.ok(error instanceof BerthError);
      assert.equal(error.code, 'in_use');
      assert.match(error.message, new RegExp(`the workspace ${one.workspace} \\(running\\)`));
      assert.match(error.message, new RegExp(`the workspace ${two.workspace} \\(stopped\\)`));
      return true;
    });
  });

  it('of other tools are known by name and label, and ours alone are managed', async () => {
    const made = async (Name: string, Labels: Record<string, string> = {}): Promise<void> => {
      await bench.docker.createVolume({ Name, Labels: { ...Labels, [bench.prefix]: 'x' } });
    };
    const names = [
      `workspace-${bench.prefix}`,
      `workspace-${bench.prefix}-docker`,
      `sandkasten-ws-${bench.prefix}`,
      `${bench.prefix}_X.y`,
    ];
    try {
      await Promise.all(names.map((name) => made(name)));
      const listed = await bench.driver.volumes.list();
      const seen = names.map((name) => listed.find((volume) => volume.name === name));
      assert.deepEqual(
        seen.map((volume) => [volume?.role, volume?.workspace, volume?.managed]),
        [
          ['home', bench.prefix, false],
          ['docker', bench.prefix, false],
          ['session', undefined, false],
          ['foreign', undefined, false],
        ],
      );
      assert.ok(!listed.some(({ name }) => name.startsWith('berth-tools-')));
    } finally {
      await Promise.all(names.map((name) => bench.docker.getVolume(name).remove()));
    }
  });

  it('give their files, held or not, and let go when they are removed', async () => {
    const name = `${bench.prefix}-files`;
    await bench.driver.volumes.create({ name });
    const files = await bench.driver.volumes.files(name);
    await files.write('/hello', Buffer.from('hello'), { create: true, overwrite: false });
    assert.equal(await text(await files.read('/hello')), 'hello');
    assert.ok((await bench.driver.volumes.usage(name, never())).usedBytes >= 5);
    assert.deepEqual((await bench.driver.volumes.inspect(name))?.holders, [], 'a keeper is no holder');
    await bench.driver.volumes.remove(name);
    assert.equal(await bench.driver.volumes.inspect(name), undefined);
  });

  const bundle = async (name: string, members: Member[]): Promise<string> => {
    const path = join(bench.folder, name);
    const tar = await archiveOf(members);
    await writeFile(path, /gz$/.test(name) ? gzipSync(tar) : tar);
    return path;
  };

  it('take a bundle anew at each start, and go with the runtime', async () => {
    const file = (content: string): Member => ({ name: 'folder/file', mode: 0o640, content });
    const source = await bundle('b.tar.gz', [file('one'), { name: 'gone', mode: 0o644, content: 'x' }]);
    const plan = await bench.plan({ mounts: [{ kind: 'archive', source, target: '/ctx', readOnly: true }] });
    await bench.driver.create(plan, never());
    await bench.driver.refreshBundles(plan, never());
    await bench.driver.start(plan.name);
    await bench.driver.configure(plan.name, bench.startPlan(), never());
    const look = 'cd /ctx && cat folder/file && stat -c "%a %U" folder/file && ls && ! touch x 2>/dev/null';
    assert.equal((await bench.ssh(plan, look)).stdout, 'one640 workspace\nfolder\ngone\n');
    await bench.driver.stop(plan.name, 5000);
    await bundle('b.tar.gz', [file('two')]);
    await bench.driver.refreshBundles(plan, never());
    await bench.driver.start(plan.name);
    await bench.driver.configure(plan.name, bench.startPlan(), never());
    assert.equal((await bench.ssh(plan, look)).stdout, 'two640 workspace\nfolder\n');
    const held = (await bench.driver.inspect(plan.name))?.volumes.find(({ target }) => target === '/ctx');
    assert.ok(held);
    assert.ok(!(await bench.driver.volumes.list()).some(({ name }) => name === held.volume), 'not shown');
    await bench.driver.remove(plan.name);
    assert.equal(await bench.driver.volumes.inspect(held.volume), undefined);
  });

  it('refuse a bundle that is missing, broken or not safe', async () => {
    const withBundle = async (source: string) =>
      bench.driver.refreshBundles(
        await bench.plan({ mounts: [{ kind: 'archive', source, target: '/c', readOnly: true }] }),
        never(),
      );
    await assert.rejects(withBundle(join(bench.folder, 'no-such.tar')), {
      code: 'not_found',
      field: 'mounts',
    });
    await writeFile(join(bench.folder, 'broken.tgz'), 'this is no archive');
    await assert.rejects(withBundle(join(bench.folder, 'broken.tgz')), {
      code: 'bad_request',
      field: 'mounts',
    });
    const evil = await bundle('evil.tar', [{ name: '../../etc/passwd', mode: 0o644, content: 'x' }]);
    await assert.rejects(withBundle(evil), {
      code: 'bad_request',
      message: /"\.\.\/\.\.\/etc\/passwd" has a path outside/,
    });
  });

  it('are listed quickly, by the hundred', async () => {
    const labels = { 'berth.installation': bench.installation };
    const names = Array.from({ length: 300 }, (_, index) => `${bench.prefix}-many-${index}`);
    const queue = [...names];
    const make = async (): Promise<void> => {
      for (let Name = queue.pop(); Name !== undefined; Name = queue.pop()) {
        await bench.docker.createVolume({ Name, Labels: labels });
      }
    };
    await Promise.all(Array.from({ length: 6 }, make));
    const times: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const begin = performance.now();
      const listed = await bench.driver.volumes.list();
      times.push(performance.now() - begin);
      assert.ok(listed.filter(({ name }) => name.startsWith(`${bench.prefix}-many-`)).length === 300);
    }
    const median = times.toSorted((a, b) => a - b)[3]!;
    assert.ok(median < 60, `median ${median.toFixed(0)} ms for 300`);
  });
});
