import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BerthError } from '../../../../../src/api/errors';
import { injectedInto } from '../../../../../src/backend/services/images/commits';
import { Drivers } from '../../../../../src/backend/services/engine/drivers';
import type { OperationContext } from '../../../../../src/backend/services/operations/operation-context';
import { imageOfOwn } from '../../../../../src/backend/services/workspaces/fork/fork-image';
import type { WorkspaceRecord } from '../../../../../src/backend/services/workspaces/record';
import { Runtimes } from '../../../../../src/backend/services/workspaces/runtime-handle';
import { checkNewImageName } from '../../../../../src/backend/services/images/image-names';
import { DownloadDrafts } from '../../../../../src/backend/store/download-drafts';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';

describe('services/images/image-names', () => {
  for (const name of [
    'a',
    'a:1',
    'a/b-c/d_e:V1.0',
    'localhost:5000/a',
    'Host.example/a__b:x',
    '127.0.0.1:5/x/y:z',
  ]) {
    it(`takes ${name}`, () => checkNewImageName(name));
  }
  for (const name of [
    '',
    'A',
    'a:',
    'a//b',
    '-a',
    'a b',
    'a@sha256:0',
    'workspace',
    'workspace:latest',
    'berth-base:x',
  ]) {
    it(`refuses "${name}"`, () =>
      assert.throws(() => checkNewImageName(name), { code: 'bad_request', field: 'image' }));
  }
  it('is quick with what is made to be slow', () => {
    assert.throws(() => checkNewImageName(`${'a-'.repeat(50_000)}!`), { code: 'bad_request' });
  });
});

describe('services/images/commits', () => {
  const { start, home } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
  });
  const commit = (image = 'tools:1') => test.services.commits.commit('demo', image);

  it('makes an image of a runtime, with progress, and leaves the state as it is', async () => {
    const ended = await test.done(commit());
    assert.deepEqual(
      [ended.kind, ended.status, ended.workspace, ended.result],
      ['workspace.commit', 'succeeded', 'demo', { image: 'tools:1', id: 'sha256:tools:1' }],
    );
    assert.deepEqual(ended.progress, { unit: 'bytes', done: 1, total: 2, current: 'tools:1' });
    assert(test.driver.calls.includes('commit workspace-demo tools:1'));
    assert.equal(test.services.workspaces.get('demo').state, 'running');
    assert.equal((await test.create('next', { image: 'tools:1' })).status, 'succeeded');
  });

  it('tells what the driver tells of the image, also of one that a fork is made of', async () => {
    const make = test.driver.commit.bind(test.driver);
    test.driver.commit = (name, plan, ...rest) => {
      plan.warn?.('It is as after a power cut.');
      return make(name, plan, ...rest);
    };
    assert.deepEqual((await test.done(commit())).warnings, ['It is as after a power cut.']);
    const warned: string[] = [];
    test.driver.ownFiles = () => Promise.resolve({ files: 1, bytes: 1 });
    const context: OperationContext = {
      ...{ signal: new AbortController().signal, progress: () => undefined },
      warn: (text) => void warned.push(text),
      step: (_name, _title, run) => run(),
    };
    const deps = {
      runtimes: new Runtimes(new Drivers([test.driver])),
      log: { debug() {}, info() {}, warn() {}, error() {} },
    };
    const source = { name: 'demo', state: 'running', spec: { runtime: 'container', image: 'i' } };
    assert.match((await imageOfOwn(deps, source as WorkspaceRecord, context)) ?? '', /^berth-fork\/demo:/);
    assert.deepEqual(warned, ['It is as after a power cut.']);
  });

  it('is cancelled, and says what the driver says', async () => {
    const gate = test.driver.hold('commit');
    const begun = commit();
    await gate.entered;
    test.services.operations.cancel(begun.id);
    assert.equal((await test.done(begun)).status, 'cancelled');
    test.driver.fail('commit', new BerthError('illegal_state', 'It runs.', { hint: 'Stop it.' }));
    assert.equal((await test.done(commit())).error?.hint, 'Stop it.');
  });

  it('refuses at once what the driver makes no image of as it is', async () => {
    test.driver.features = { ...test.driver.features, commit: 'stopped' };
    const error = await failure(() => commit(), 'illegal_state');
    assert.match(error.hint ?? '', /Stop the workspace/);
    await test.done(test.services.verbs.stop('demo'));
    assert.equal((await test.done(commit())).status, 'succeeded');
  });

  it('refuses what does not exist, is between two states, or has no name', async () => {
    await failure(() => commit('No Name'), 'bad_request');
    await failure(() => test.services.commits.commit('none', 'a:1'), 'not_found');
    await test.done(test.services.verbs.archive('demo'));
    assert.equal((await test.done(commit())).status, 'succeeded', 'what is set aside can be committed');
    const gate = test.driver.hold('start');
    const restore = test.services.verbs.restore('demo');
    await gate.entered;
    assert.match((await failure(() => commit(), 'illegal_state')).hint ?? '', /Wait/);
    gate.open();
    await test.done(restore);
  });

  it('leaves out what is put in at every start, outside of the home', async () => {
    const source = join(home(), 'file');
    await writeFile(source, 'x');
    const gone = join(home(), 'gone');
    const credentialFiles = [
      { source, target: '/etc/./token' },
      { source: gone, target: '/opt/gone' },
      { source, target: '/home/workspace/.token' },
      { source, target: '/workspace/.token' },
      { source, target: '.netrc' },
      { source: home(), target: '/srv/folder' },
    ];
    const spec = { runtime: 'container', image: 'x', credentialFiles } as const;
    const paths = await injectedInto({ spec: { ...spec, credentialFiles: [...credentialFiles] } });
    assert.deepEqual(paths.filter((path) => !path.startsWith('/srv/')).sort(), ['/etc/token', '/opt/gone']);
    assert(paths.includes('/srv/folder/file'), paths.join('\n'));
  });

  it('holds out of an image also what there is no room for any more: an earlier start has put it in', async () => {
    const folder = join(home(), 'large');
    await mkdir(folder);
    const mebibyte = 1024 ** 2;
    for (const [name, size] of [
      ['a', 15 * mebibyte],
      ['b', 9 * mebibyte - 4096],
      ['c', 8192],
      ['d', 17 * mebibyte],
    ] as const) {
      await writeFile(join(folder, name), Buffer.alloc(size));
    }
    const credentialFiles = [{ source: folder, target: '/etc/creds' }];
    const paths = await injectedInto({ spec: { runtime: 'container', image: 'x', credentialFiles } });
    assert.deepEqual(
      paths.sort(),
      ['a', 'b', 'c', 'd'].map((name) => `/etc/creds/${name}`),
    );
  });
});

describe('services/images/images', () => {
  const { start, home } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    test.driver.images.known.set('tools:latest', 'sha256:tools');
  });

  it('pushes, saves and removes with the driver that has the image', async () => {
    const { images } = test.services;
    assert.equal((await test.done(images.push('tools'))).status, 'succeeded');
    const path = join(home(), 'saved', 'x.tar');
    await mkdir(dirname(path));
    assert.equal((await test.done(images.save('tools:latest', path))).status, 'succeeded');
    assert.equal(await readFile(path, 'utf8'), 'tools:latest');
    await images.remove('tools');
    const calls = test.driver.calls.filter((call) => /push|save|remove/.test(call));
    assert.deepEqual(calls, ['push tools', 'save tools:latest', 'remove image tools']);
  });

  it('leaves nothing of a save that did not come to its end, also by the end of the engine', async () => {
    const folder = join(home(), 'saved');
    await mkdir(folder);
    await writeFile(join(folder, 'there.tar'), 'mine');
    const save = (name: string) => test.done(test.services.images.save('tools', join(folder, name)));
    assert.equal((await save('there.tar')).error?.code, 'path_exists');
    assert.equal((await save('none/x.tar')).error?.code, 'path_not_found');
    test.driver.fail('save', new BerthError('no_space', 'Full.'));
    assert.equal((await save('x.tar')).error?.code, 'no_space');
    assert.deepEqual(await readdir(folder), ['there.tar']);
    const gate = test.driver.hold('save');
    test.services.images.save('tools', join(folder, 'x.tar'));
    await gate.entered;
    assert.equal((await readdir(folder)).length, 2);
    // As the next engine does, where this one was killed.
    await new DownloadDrafts(test.state.downloads).sweep();
    assert.deepEqual(await readdir(folder), ['there.tar']);
    assert.equal(await readFile(join(folder, 'there.tar'), 'utf8'), 'mine');
    gate.open();
  });

  it('says what is not there, is in use, or is no absolute path', async () => {
    const { images } = test.services;
    assert.equal((await test.done(images.push('none:1'))).error?.code, 'image_missing');
    await failure(() => images.save('tools', 'x.tar'), 'bad_request');
    await failure(images.remove('none:1'), 'image_missing');
    await test.create('demo', { image: 'tools:latest' });
    assert.match((await failure(images.remove('tools'), 'in_use')).message, /demo/);
  });

  it('prepares images before a runtime is made, and before one is removed', async () => {
    const prepared: string[] = [];
    Object.assign(test.driver.images, {
      prepare: (image: string, progress: (p: object) => void) => {
        progress({ done: 1, total: 2, current: image });
        prepared.push(image);
        return prepared.length > 1
          ? Promise.reject(new BerthError('no_space', 'Full.'))
          : Promise.resolve([]);
      },
    });
    const created = await test.create('demo');
    assert(created.steps.some(({ name, outcome }) => name === 'prepare' && outcome === 'done'));
    const ended = await test.done(
      test.services.verbs.rebuild('demo', { image: 'tools:latest', confirm: true }),
    );
    assert.equal(ended.error?.code, 'no_space');
    assert.deepEqual(prepared, ['workspace:latest', 'tools:latest']);
    const { state, spec } = test.services.workspaces.get('demo');
    assert.deepEqual([state, spec.image], ['running', 'workspace:latest']);
  });
});
