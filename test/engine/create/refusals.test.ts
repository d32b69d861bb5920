/** What can't be created is refused by name of the field, and changes nothing. */
import assert from 'node:assert/strict';
import { failure } from '../../support/errors';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { itOfContainers, testTimeoutMs } from '../../support/runtimes/columns';

const tooMany = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`V${index}`, 'x']));

const wrong: [title: string, field: string, body: Record<string, unknown>][] = [
  ['a name with capitals', 'name', { name: 'Wrong' }],
  ['a name that ends with a hyphen', 'name', { name: 'wrong-' }],
  ['a name of 64 characters', 'name', { name: 'a'.repeat(64) }],
  ['no name', 'name', { name: undefined }],
  ['a path as a name', 'name', { name: '../wrong' }],
  ['too little memory', 'limits.memoryMiB', { limits: { memoryMiB: 1 } }],
  ['CPUs in words', 'limits.cpus', { limits: { cpus: 'many' } }],
  ['an unknown limit', 'limits.disk', { limits: { disk: 3 } }],
  ['a variable name with a hyphen', 'env.A-B', { env: { 'A-B': '1' } }],
  ['65 variables', 'env', { env: tooMany }],
  ['an unknown runtime', 'runtime', { runtime: 'abacus' }],
  ['an unknown field', 'colour', { colour: 'red' }],
  ['a clone URL with a password', 'cloneUrl', { cloneUrl: 'https://me:secret@host/x.git' }],
  ['a clone URL that is an option', 'cloneUrl', { cloneUrl: '--upload-pack=touch /tmp/x' }],
  ['a folder of this machine as volume', 'volumes.0', { volumes: ['/etc:/data'] }],
  ['a volume over the home', 'volumes.0', { volumes: ['cache:/home/workspace'] }],
  ['two volumes at one place', 'volumes.1', { volumes: ['one:/data', 'two:/data/'] }],
  ['a name that Docker does not take', 'volumes.0', { runtime: 'container', volumes: ['a:/data'] }],
  ['a name that no disk has', 'volumes.0', { runtime: 'microvm', volumes: ['A_b:/data'] }],
  ['a volume that is neither ro nor rw', 'volumes.0', { volumes: ['a:/data:rx'] }],
  [
    'a credential from nowhere',
    'credentialFiles.0.source',
    { credentialFiles: [{ source: '', target: 'x' }] },
  ],
  [
    'a credential that would be a folder',
    'credentialFiles.0.target',
    { credentialFiles: [{ source: '/etc/hostname', target: '..' }] },
  ],
  ['no name of a branch', 'cloneBranch', { cloneUrl: 'https://example.org/x', cloneBranch: 'a..b' }],
  ['idle minutes below zero', 'idle.stopAfter', { idle: { stopAfter: -1 } }],
];

describe('create: refusals', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  const create = (body: object) =>
    harness().client.call('workspaces.create', {
      body: { name: harness().name(), ...body },
      query: { wait: 60_000 },
    });

  for (const [title, field, body] of wrong) {
    it(`refuses ${title}, naming ${field}`, async () => {
      const error = await failure(create(body), 'bad_request');
      assert.equal(error.field, field, error.message);
    });
  }

  it('keeps no trace of what was refused, not even the password', async () => {
    assert.deepEqual(await harness().client.call('workspaces.list', {}), []);
    const error = await failure(create({ cloneUrl: 'https://me:secret@host/x.git' }));
    assert(!`${error.message}${error.hint}`.includes('secret'));
  });

  it('guides who wants a folder of this machine in', async () => {
    const error = await failure(create({ volumes: ['/etc:/data'] }));
    assert.match(error.message, /does not mount host directories/);
    assert.match(error.hint ?? '', /tar archive.*berth cp/);
  });

  itOfContainers('disk images', 'refuses a disk image for a container before anything is made', async () => {
    const name = harness().name();
    const error = await failure(create({ name, volumes: ['/tmp/none.ext4:/data'] }), 'not_supported');
    assert.match(error.hint ?? '', /--runtime microvm/);
    await failure(harness().workspace(name), 'not_found');
  });

  it('refuses a name that is taken', async () => {
    const { name } = await harness().create({ start: false });
    const taken = await failure(create({ name }), 'exists');
    assert.equal(taken.field, 'name');
  });

  itOfContainers('foreign containers', 'refuses a name that a container of somebody else has', async () => {
    const foreign = harness().name();
    const container = await harness().docker.createContainer({
      name: `workspace-${foreign}`,
      Image: 'workspace:latest',
    });
    const error = await failure(harness().done(await create({ name: foreign })), 'exists');
    assert.match(error.hint ?? '', /adopt/);
    await container.inspect();
    await container.remove({ v: true });
  });

  it('says that an image is nowhere to be had, and leaves nothing', async () => {
    const name = harness().name();
    const error = await failure(harness().done(await create({ name, image: '127.0.0.1:9/none:1' })));
    assert(['image_missing', 'runtime_unavailable'].includes(error.code), error.code);
    assert.match(error.message, /127\.0\.0\.1:9\/none/);
    await failure(harness().workspace(name), 'not_found');
  });

  it('says the same of every name that does not exist', async () => {
    const name = harness().name();
    for (const verb of ['start', 'stop', 'pause', 'archive', 'recover'] as const) {
      const error = await failure(harness().begin(verb, name), 'not_found');
      assert.match(error.message, new RegExp(name));
    }
    await failure(harness().delete(name), 'not_found');
  });

  itLeavesNothing(harness);
});
