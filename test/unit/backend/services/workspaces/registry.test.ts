import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EventHub } from '../../../../../src/backend/services/operations/event-hub';
import { WorkspaceRegistry } from '../../../../../src/backend/services/workspaces/registry';
import { SshConfig } from '../../../../../src/backend/ssh/config';
import { PortLedger } from '../../../../../src/backend/ssh/ports';
import { silentLog, useEngine, type TestEngine } from '../../../../support/engine/engine';
import { removeTree } from '../../../../support/temp';
import { failure } from '../../../../support/errors';
import { isRoot } from '../../../../support/skip';

describe('services/workspaces/registry', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
  });

  const path = (name = 'demo') => test.state.workspaceRecord(name);
  async function restart(): Promise<void> {
    await test.engine.close();
    test = await start({}, test.driver);
  }
  const names = () => test.services.workspaces.list().map(({ name }) => name);
  const setAside = async () => (await test.services.description.info()).setAside;

  it('reads everything back after a restart', async () => {
    await test.create('another', { env: { A: 'b' } });
    const before = test.services.workspaces.list();
    assert.deepEqual(names(), ['another', 'demo'], 'sorted');
    await restart();
    assert.deepEqual(test.services.workspaces.list(), before);
    assert.deepEqual(await setAside(), []);
  });

  it('takes a record that names no machine for one of this machine, and writes it as it was', async () => {
    const before = await readFile(path(), 'utf8');
    assert.ok(!before.includes('"target"'), 'an earlier version reads it as well');
    await restart();
    assert.equal(test.services.workspaces.get('demo').spec.target, 'local');
    assert.equal(await readFile(path(), 'utf8'), before);
  });

  it('has ssh start an engine for what only an engine leads to', async () => {
    const proxyOf = async () =>
      /Host berth-demo[^]*?ProxyCommand (.*)/.exec(await readFile(test.state.sshConfig, 'utf8'))?.[1];
    assert.equal(await proxyOf(), 'none');
    test.driver.isElsewhere = true;
    await test.done(test.services.verbs.restart('demo'));
    assert.equal(test.services.workspaces.get('demo').spec.target, 'box');
    assert.match((await proxyOf()) ?? '', /demo.*running/);
  });

  it('frees a name only when all of it is gone, and clients were told', async () => {
    await test.engine.close();
    const events = new EventHub();
    const { state } = test;
    const registry = new WorkspaceRegistry({
      ...{ state, events, log: silentLog, sshConfig: new SshConfig(state) },
      ports: new PortLedger(() => test.services.settings.portRange),
      activityOf: () => ({ operations: [], steps: [] }),
    });
    await registry.load();
    const record = registry.get('demo');
    const reported: string[] = [];
    events.observe(({ type }) => reported.push(type));
    const removal = registry.remove('demo');
    assert.equal(registry.find('demo'), undefined);
    await failure(registry.add(record), 'exists');
    await removal;
    await registry.add(record);
    assert.deepEqual(reported, ['workspace.deleted', 'workspace.changed']);
    assert.deepEqual(await readdir(state.workspace('demo')), ['workspace.json']);
  });

  it('removes its own files, and leaves what the user keeps in the folder of a workspace', async () => {
    const folder = join(test.state.workspaces, 'demo');
    const theirs = ['notes.txt', 'workspace.json.bak', 'runtime.json5'];
    const ours = ['workspace.json.v0', 'workspace.json.damaged-17'];
    [...theirs, ...ours].forEach((file) => writeFileSync(join(folder, file), 'x'));
    await test.done(test.services.verbs.delete('demo'));
    assert.deepEqual(readdirSync(folder).sort(), [...theirs].sort());
    assert.equal((await test.create('demo')).status, 'succeeded');
    theirs.forEach((file) => rmSync(join(folder, file)));
    await test.done(test.services.verbs.delete('demo'));
    assert(!existsSync(folder));
  });

  it('keeps the ports of records reserved', async () => {
    await restart();
    await test.create('next');
    const { first } = test.services.settings.portRange;
    assert.equal(test.services.workspaces.get('next').sshPort, first + 1);
  });

  it('sets a damaged record aside, reports it, and goes on with the others', async () => {
    await test.create('other');
    await writeFile(path(), '{"schemaVersion":1,"name":');
    await restart();
    assert.deepEqual(names(), ['other']);
    const [report] = await setAside();
    assert.match(report ?? '', /demo\/workspace\.json: .*damaged.*Kept as/);
    const error = await failure(() => test.services.workspaces.get('demo'), 'not_found');
    assert.match(error.message, /damaged/);
    assert.match(error.hint ?? '', /adopt/);
    const check = (await test.services.doctor.report()).checks.find(({ name }) => name === 'records');
    assert.equal(check?.outcome, 'warning');
    const files = await readdir(test.state.workspace('demo'));
    assert(files.some((file) => file.includes('damaged')));
  });

  it('gives the name of a newer record to nobody, and leaves it untouched', async () => {
    const newer = '{"schemaVersion":99,"name":"demo"}';
    await writeFile(path(), newer);
    await restart();
    assert.deepEqual(names(), []);
    const error = await failure(test.services.creator.create({ name: 'demo' }), 'exists');
    assert.match(error.message, /newer Berth/);
    await failure(test.services.adoption.adopt('demo', { volume: 'workspace-demo' }), 'exists');
    assert.equal(await readFile(path(), 'utf8'), newer);
  });

  it('is not confused by a folder that was copied, nor by stray files', async () => {
    await cp(test.state.workspace('demo'), test.state.workspace('copy'), { recursive: true });
    await writeFile(join(test.state.workspaces, '.DS_Store'), 'x');
    await mkdir(test.state.workspace('empty'));
    await restart();
    assert.deepEqual(names(), ['demo']);
    assert.match((await setAside()).join(), /copy\/workspace\.json: It is that of workspace demo/);
    assert.equal((await test.create('empty')).status, 'succeeded');
  });

  it('tells a change at once, and every change', async () => {
    const before = test.payloads('workspace.changed').length;
    const updates = ['a', 'b', 'c'].map((label) => test.services.workspaces.update('demo', { label }));
    await Promise.all(updates);
    const reported = test.payloads('workspace.changed').slice(before);
    assert.deepEqual(
      reported.map(({ label }) => label),
      ['a', 'b', 'c'],
    );
    assert.equal((JSON.parse(await readFile(path(), 'utf8')) as { label: string }).label, 'c');
  });

  it('writes no record after its workspace was deleted', async () => {
    const updates = Array.from({ length: 10 }, (_, index) =>
      test.services.workspaces.update('demo', { label: String(index) }),
    );
    const operation = test.services.verbs.delete('demo');
    await Promise.allSettled(updates);
    await test.done(operation);
    assert.deepEqual(await readdir(test.state.workspaces), []);
  });

  it('hides what is for itself alone', () => {
    const shown = JSON.stringify(test.services.workspaces.get('demo'));
    for (const secret of ['hostKey', 'createdVolumes', 'cloned', 'keepsVolumes']) {
      assert(!shown.includes(`"${secret}"`), secret);
    }
  });

  it('works on with what it knows when a record can not be written', async function () {
    if (isRoot) {
      // root writes into everything: a folder in the way does for it.
      await rm(test.state.workspace('demo'), { recursive: true });
      await writeFile(test.state.workspace('demo'), '');
    } else {
      await chmod(test.state.workspace('demo'), 0o500);
    }
    const operation = await test.done(test.services.verbs.stop('demo'));
    assert.equal(operation.status, 'failed', 'it says so');
    assert.equal(test.services.workspaces.get('demo').state, 'stopped', 'and shows what is');
    removeTree(test.state.workspace('demo'));
  });
});
