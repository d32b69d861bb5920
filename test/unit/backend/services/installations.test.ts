/** What another installation on the same Docker made is neither used, nor changed, nor taken for ours. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from '../../../../src/api/schemas/common';
import { useEngine, type TestEngine } from '../../../support/engine';
import { failure } from '../../../support/errors';
import { until } from '../../../support/wait';

const owner: Owner = { installation: '1b2c', home: '/home/them/.berth' };
const whose = /another installation of Berth \(\/home\/them\/\.berth, 1b2c\)/;

describe('services: what another installation made', () => {
  const { start, home } = useEngine();
  let test: TestEngine;
  beforeEach(async () => (test = await start()));

  const addTheirVolume = (name: string): void => {
    test.driver.volumes.known.set(name, { ...test.driver.volumes.add(name, undefined, false), owner });
  };
  const addTheirRuntime = (name: string, state: 'running' | 'stopped' = 'running'): void => {
    test.driver.addForeign(name, [name], name.slice('workspace-'.length));
    test.driver.runtimes.set(name, { ...test.driver.runtimes.get(name)!, state, owner });
  };
  const touched = (name: string): string[] =>
    test.driver.calls.filter((call) => !/^(volumes\.)?inspect /.test(call) && call.endsWith(name));

  it('is a home: its name is taken, and the error says by whom', async () => {
    addTheirVolume('workspace-x');
    const error = await failure(test.services.creator.create({ name: 'x' }), 'exists');
    assert.match(error.message, whose);
    assert.equal(error.field, 'name');
    assert.deepEqual(test.services.workspaces.list(), []);
    assert.deepEqual(touched('workspace-x'), []);
  });

  it('is a container: its name is taken, and nothing of it is undone', async () => {
    addTheirRuntime('workspace-x');
    const operation = await test.create('x');
    assert.equal(operation.error?.code, 'exists');
    assert.match(operation.error.message, whose);
    assert(test.driver.runtimes.has('workspace-x'));
    assert.deepEqual(touched('workspace-x'), []);
  });

  it('does not move the record of ours that has the name, at an event or at a start of the engine', async () => {
    await test.create('x');
    await test.done(test.services.workspaces.archive('x'));
    test.driver.runtimes.delete('workspace-x');
    addTheirRuntime('workspace-x');
    test.driver.emit({ type: 'runtime', name: 'workspace-x', workspace: 'x', what: 'started' });
    test.driver.emit({ type: 'connection', up: true });
    await until(
      'it was looked at',
      () => Promise.resolve(test.driver.calls.includes('list') || undefined),
      2000,
      10,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(test.services.workspaces.get('x').state, 'archived');
    assert.notEqual(test.services.workspaces.get('x').runtimeId, 'foreign-workspace-x');
    assert(!test.services.operations.list().some(({ kind }) => kind === 'workspace.configure'));
    const restored = await test.done(test.services.workspaces.restore('x'));
    assert.equal(restored.error?.code, 'exists');
    assert.match(restored.error.message, whose);
    assert.equal(test.services.workspaces.get('x').state, 'archived');
  });

  it('is a volume that even force does not delete', async () => {
    addTheirVolume('data');
    for (const force of [false, true]) {
      const error = await failure(test.services.volumes.delete('data', force), 'in_use');
      assert.match(error.message, whose);
    }
    assert(test.driver.volumes.known.has('data'));
    const { hint } = await failure(test.services.volumes.create({ name: 'data' }), 'exists');
    assert.match(hint ?? '', whose);
    await test.services.volumes.list(true);
    assert(!test.driver.calls.includes('volumes.usage data'));
  });

  it('is listed as what it is, and adopted only with a word of its own', async () => {
    addTheirVolume('workspace-x');
    addTheirRuntime('workspace-x', 'stopped');
    const [adoptable] = await test.services.adoption.list();
    assert.deepEqual([adoptable?.origin, adoptable?.owner], ['berth', owner]);
    const adopt = (more: object) =>
      test.services.adoption.adopt('x', { volume: 'workspace-x', replaceContainer: true, ...more });
    const refused = await failure(adopt({}), 'in_use');
    assert.match(refused.message, whose);
    assert.equal(refused.field, 'takeOver');
    assert(test.driver.runtimes.has('workspace-x'));

    assert.equal((await test.done(adopt({ takeOver: true }))).status, 'succeeded');
    const record = readFileSync(join(home(), 'workspaces', 'x', 'workspace.json'), 'utf8');
    assert.deepEqual((JSON.parse(record) as { adoptedVolumes: string[] }).adoptedVolumes, ['workspace-x']);
    assert.equal(test.services.workspaces.get('x').state, 'running');
    assert(!('adoptedVolumes' in test.services.workspaces.get('x')));
    const orphans = await test.services.doctor.orphans();
    assert.deepEqual(
      orphans.filter(({ kind }) => kind !== 'volume'),
      [],
    );
  });

  it('is an orphan that says whose it is', async () => {
    addTheirVolume('workspace-y');
    addTheirRuntime('workspace-y');
    const orphans = await test.services.doctor.orphans();
    assert.deepEqual(orphans.map(({ kind }) => kind).sort(), ['container', 'volume']);
    orphans.forEach(({ reason }) => assert.match(reason, whose));
  });
});
