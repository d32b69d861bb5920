/** What another installation on the same Docker made is neither used, nor changed, nor taken for ours. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from '../../../../../src/api/common';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { until } from '../../../../support/wait';

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
  const adopted = () => {
    const path = join(home(), 'adopted.json');
    return existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as { volumes: object[] }).volumes
      : undefined;
  };
  const idOf = (volume: string) => test.driver.volumes.known.get(volume)?.id;
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
    await test.done(test.services.verbs.archive('x'));
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
    const restored = await test.done(test.services.verbs.restore('x'));
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
    const taken = await failure(test.services.volumes.create({ name: 'data' }), 'exists');
    assert.match(taken.message, whose);
    assert.match(taken.hint ?? '', /`berth volume adopt data --take-over`/);
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
    assert.deepEqual(adopted(), [{ name: 'workspace-x', installation: '1b2c', id: idOf('workspace-x') }]);
    assert.equal(test.services.workspaces.get('x').state, 'running');
    const orphans = await test.services.doctor.orphans();
    assert.deepEqual(
      orphans.filter(({ kind }) => kind !== 'volume'),
      [],
    );
  });

  it('is a volume that is taken over alone, with a word of its own, and forgotten when it goes', async () => {
    addTheirVolume('data');
    const { volumes } = test.services;
    const refused = await failure(volumes.adopt('data', false), 'in_use');
    assert.match(refused.message, whose);
    assert.equal(refused.field, 'takeOver');
    const holder = { runtime: 'workspace-y', state: 'running' as const, readOnly: false, owner };
    const theirs = test.driver.volumes.known.get('data')!;
    test.driver.volumes.known.set('data', { ...theirs, holders: [holder] });
    const busy = await failure(volumes.adopt('data', true), 'in_use');
    assert.match(busy.message, /workspace-y of another installation.* uses the volume data \(running\)/);
    assert.equal(adopted(), undefined);
    test.driver.volumes.known.set('data', theirs);
    await volumes.adopt('data', true);
    assert.deepEqual(adopted(), [{ name: 'data', installation: '1b2c', id: idOf('data') }]);
    test.driver.volumes.known.delete('data');
    test.driver.emit({ type: 'volume', name: 'data', what: 'removed' });
    await until('it is forgotten', () => Promise.resolve(adopted() === undefined), 5000, 10);
  });

  it('is a home that goes with its workspace, and is forgotten at once', async () => {
    test.driver.volumes.add('workspace-gone', undefined, false);
    await test.done(test.services.adoption.adopt('gone', { volume: 'workspace-gone' }));
    assert.equal(adopted()?.length, 1);
    await test.done(test.services.verbs.delete('gone'));
    assert.equal(test.driver.volumes.known.has('workspace-gone'), false);
    assert.equal(adopted(), undefined);
  });

  it('is not what another tool made, which is adopted without more; a name that is taken says by whom', async () => {
    const { volumes } = test.services;
    test.driver.volumes.add('tool-data', undefined, false);
    const hintOf = async (name: string) => (await failure(volumes.create({ name }), 'exists')).message;
    assert.match(await hintOf('tool-data'), /There is a volume tool-data already, made by another tool/);
    await volumes.adopt('tool-data', false);
    assert.deepEqual(adopted(), [{ name: 'tool-data', id: idOf('tool-data') }]);
    await test.create('x');
    assert.match(await hintOf('workspace-x'), /of workspace x/);
  });

  it('was ours until it was taken over: a delete here goes through, and leaves it to them', async () => {
    await test.create('x');
    test.driver.runtimes.delete('workspace-x');
    addTheirRuntime('workspace-x');
    const held = { runtime: 'workspace-x', state: 'running', readOnly: false, owner } as const;
    test.driver.volumes.heldBy('workspace-x', held);
    const operation = await test.done(test.services.verbs.delete('x'));
    assert.equal(operation.status, 'succeeded');
    assert.match(operation.warnings.join(), whose);
    assert.deepEqual(operation.result, { deleted: [] });
    assert(test.driver.volumes.known.has('workspace-x'));
    assert.deepEqual(test.services.workspaces.list(), []);
  });

  it('was the home of ours until they took it over: it is not started on it, and again when it is taken back', async () => {
    await test.create('x');
    await test.done(test.services.verbs.stop('x'));
    const ours = test.driver.volumes.known.get('workspace-x')!;
    test.driver.volumes.known.set('workspace-x', { ...ours, managed: false, owner });
    const { error } = await test.done(test.services.verbs.start('x'));
    assert.equal(error?.code, 'in_use');
    assert.match(error.message, whose);
    assert.equal(test.driver.runtimes.get('workspace-x')?.state, 'stopped');
    await test.services.volumes.adopt('workspace-x', true);
    assert.equal((await test.done(test.services.verbs.start('x'))).status, 'succeeded');
  });

  it('was an unmarked home of ours that they took over: it is not marked as ours again', async () => {
    const theirs = { runtime: 'workspace-x', state: 'stopped', readOnly: false, owner } as const;
    for (const [name, holders] of [['x', [theirs]] as const, ['y', []] as const]) {
      const volume = `workspace-${name}`;
      await test.create(name);
      // As versions before have adopted it: unmarked, and in no list.
      const known = test.driver.volumes.known.get(volume)!;
      test.driver.volumes.known.set(volume, { ...known, managed: false, holders: [...holders] });
    }
    test.driver.emit({ type: 'connection', up: true });
    const isMarked = (volume: string) => test.driver.volumes.claimed.has(volume);
    await until('ours is marked', () => Promise.resolve(isMarked('workspace-y') || undefined), 5000, 10);
    assert(!isMarked('workspace-x'));
    assert(!test.driver.calls.includes('volumes.claim workspace-x'));
  });

  it('is an orphan that says whose it is', async () => {
    addTheirVolume('workspace-y');
    addTheirRuntime('workspace-y');
    const orphans = await test.services.doctor.orphans();
    assert.deepEqual(orphans.map(({ kind }) => kind).sort(), ['container', 'volume']);
    orphans.forEach(({ reason }) => assert.match(reason, whose));
  });
});
