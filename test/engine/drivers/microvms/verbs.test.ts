import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { microvmCache } from '../../../support/runtimes/microvms';
import { Berth } from '../../cli/harness';

describe('berth cp, ls, cat, mv, rm and --output with a microVM', function () {
  this.timeout(300_000);
  const berth = new Berth(undefined, { BERTH_CACHE: microvmCache });
  const name = `${berth.prefix}-vm`;
  const nest = `${berth.prefix}-nest`;
  const local = (...path: string[]): string => join(berth.folder, ...path);
  const inside = (script: string): Promise<string> =>
    berth.ok('exec', name, '--user', 'root', '--', 'sh', '-c', script);

  before(async () => {
    const mount = `${nest}:/home/workspace/nest`;
    await berth.ok('create', name, '--runtime', 'microvm', '--memory', '256m', '-v', mount);
    await inside('cd /home/workspace; echo home >h; echo nest >nest/n; echo root >/opt/r; ln -s /opt/r to-r');
    mkdirSync(local('tree', 'sub'), { recursive: true });
    writeFileSync(local('tree', 'sub', 'b'), 'b\n');
    symlinkSync('sub/b', local('tree', 'link'));
    writeFileSync(local('up'), 'up\n');
  });
  after(async () => {
    await berth.run(['delete', name, '--yes']);
    await berth.run(['volume', 'delete', nest, '--yes']);
    await berth.dispose();
  });

  const readsAll = async (): Promise<void> => {
    const paths = ['h', 'nest/n', '/opt/r', 'to-r'].map((path) => `${name}:${path}`);
    assert.equal(await berth.ok('cat', ...paths), 'home\nnest\nroot\nroot\n');
    assert.match(await berth.ok('ls', `${name}:/opt`), /^r$/m);
  };
  const writesInVolumes = async (folder: string): Promise<void> => {
    await berth.ok('cp', 'tree', `${name}:${folder}/`);
    await berth.ok('cp', 'up', `${name}:nest/${folder}-up`);
    await berth.ok('mv', `${name}:nest/${folder}-up`, `${name}:${folder}/moved`);
    await berth.ok('rm', '-r', `${name}:${folder}/sub`);
    assert.equal(await berth.ok('ls', `${name}:${folder}`), 'link\nmoved\n');
    assert.equal(await berth.ok('ls', `${name}:nest`), 'n\n');
  };

  it('read and write everywhere while it runs', async () => {
    await readsAll();
    await writesInVolumes('running');
    await berth.ok('cp', 'tree', `${name}:/opt/new/`);
    await berth.ok('mv', `${name}:/opt/new/sub/b`, `${name}:/opt/new/c`);
    await berth.ok('rm', '-r', `${name}:/opt/new/sub`);
    assert.equal(await inside('ls -A /opt/new; cat /opt/new/c ~workspace/running/moved'), 'c\nlink\nb\nup\n');
    await berth.ok('rm', '-r', `${name}:/opt/new`);
    await berth.ok('exec', name, '--output', 'o=/opt/r', '--output', 'p=nest/n', '--', 'true');
    const outputs = ['o', 'p'].map((file) => readFileSync(local(file), 'utf8'));
    assert.deepEqual(outputs, ['root\n', 'nest\n']);
  });

  it('read everywhere and write in volumes when it is stopped', async () => {
    await berth.ok('stop', name);
    await readsAll();
    await writesInVolumes('stopped');
    await berth.ok('cp', `${name}:/opt/r`, 'from-root');
    assert.equal(readFileSync(local('from-root'), 'utf8'), 'root\n');
    const refused = await berth.run(['cp', 'up', `${name}:/opt/`]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /can be read, not changed\.\nhint: Start it: `berth start/);
  });
});
