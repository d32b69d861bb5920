/** What is done in a workspace becomes an image: for other workspaces, for `docker run`, for a registry. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image } from '../../../src/api/engine/schemas';
import type { Workspace } from '../../../src/api/workspaces/schemas';
import { useEngineHarness } from '../../support/engine/engine-harness';
import { failure } from '../../support/errors';
import { succeed } from '../../support/programs';
import { column, itOfContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { Registry } from '../drivers/containers/registry';
import { importSmall } from './small-image';

describe('commit', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let base: string;
  let made: string;
  let workspace: Workspace;
  let registry: Registry;
  const tidy: string[] = [];

  before(async () => {
    const { prefix, folder, docker } = harness();
    registry = await Registry.open(1024 ** 3);
    base = `${prefix}-base:1`;
    made = `${registry.direct}/${prefix}/made:1`;
    await importSmall(docker, base);
    await writeFile(join(folder, 'token'), 'hunter2\n');
    workspace = await harness().create({
      ...{ image: base, secrets: { TOKEN: 'hunter3' } },
      credentialFiles: [{ source: join(folder, 'token'), target: '/etc/token' }],
    });
    tidy.push(workspace.imageId ?? '');
    await asRoot(
      'echo changed >/marker; mkdir -m 700 /made; chown 5:6 /made; echo x >/made/tool; chmod 4755 /made/tool',
    );
    await asRoot('ln /made/tool /made/hard; ln -s tool /made/soft; rm /etc/group.none; true');
    await harness().sh(workspace.name, 'echo mine >~/in-home');
  });
  after(async () => {
    await registry.close();
    for (const image of [base, made]) {
      await harness()
        .docker.getImage(image)
        .remove({ force: true })
        .catch(() => undefined);
    }
    for (const id of tidy) {
      await forget(id);
    }
  });

  const forget = async (id: string): Promise<void> => {
    const { runtime } = harness();
    await (runtime.kind === 'microvm' ? runtime.forgetImage(id) : undefined);
  };
  const asRoot = (script: string) => harness().exec(workspace.name, ['sh', '-c', script], { user: 'root' });
  const commit = async (image = made) => {
    const { client } = harness();
    return client.call('workspaces.commit', { params: { name: workspace.name }, body: { image } });
  };
  const commitNow = async () => harness().done(await commit());
  const images = (): Promise<Image[]> => harness().client.call('images.list', {});

  it('refuses what is no name, and names of our own', async () => {
    for (const image of ['UPPER', 'a b', 'workspace:latest', 'berth-tools:1', '-x', 'a/../b']) {
      await failure(commit(image), 'bad_request');
    }
  });

  it('says that a microVM must be stopped, or what a container would give away', async () => {
    const error = await failure(commitNow(), 'illegal_state');
    assert.match(error.hint ?? '', column === 'microvm' ? /Stop the workspace/ : /Remove it inside/);
    await asRoot('rm -f /etc/token');
  });

  it('makes an image of what was done, with progress', async () => {
    await harness().verb('stop', workspace.name);
    const ended = await harness().done(await commit());
    assert.equal(ended.kind, 'workspace.commit');
    assert.equal(ended.result?.image, made);
    const listed = (await images()).find(({ tags }) => tags.includes(made));
    assert.equal(listed?.id, ended.result.id);
    tidy.push(listed?.id ?? '');
    assert.equal(await harness().state(workspace.name), 'stopped');
  });

  itOfContainers('images of the engine', 'leaves no image without a name when it is made again', async () => {
    const { client, docker } = harness();
    const first = (await docker.getImage(made).inspect()).Id;
    const other = await harness().create({ image: made, start: false });
    const again = async (): Promise<string> => {
      await harness().done(await commit());
      return (await docker.getImage(made).inspect()).Id;
    };
    const second = await again();
    // The first has a user: it has a name of its own until that one is gone.
    const kept = (await images()).find(({ id }) => id === first);
    assert.deepEqual(kept?.usedBy, [other.name]);
    assert.match(kept.tags.join(), /^berth-replaced:[0-9a-f]{12}$/);
    await harness().delete(other.name);
    // The second has one that others remove: the next commit finds out.
    const foreign = await docker.createContainer({ Image: made });
    await again();
    await foreign.remove({ v: true });
    const third = await again();
    const left = await images();
    assert(!left.some(({ id }) => [first, second].includes(id)), JSON.stringify(left));
    // What somebody else made and gave that name stays.
    const theirs = (await succeed('docker', ['import', '-', made], { input: Buffer.alloc(1024) })).trim();
    tidy.push(await again());
    await Promise.all([theirs, third].map((image) => docker.getImage(image).remove()));
    // What older versions have left is listed, and removed by its id.
    const container = await docker.createContainer({ Image: made });
    const { Id: nameless } = (await container.commit()) as { Id: string };
    await container.remove({ v: true });
    assert((await images()).some(({ id, tags }) => id === nameless && tags.length === 0));
    await client.call('images.remove', { body: { image: nameless.replace('sha256:', '').slice(0, 12) } });
    assert(!(await images()).some(({ id }) => id === nameless));
  });

  it('is what another workspace begins with, without volumes and secrets', async () => {
    const other = await harness().create({ image: made });
    const { name } = other;
    const look = (script: string) => harness().exec(name, ['sh', '-c', script], { user: 'root' });
    assert.equal(await look('cat /marker'), 'changed');
    assert.equal(await look('stat -c "%a %u %g" /made'), '700 5 6');
    assert.equal(await look('stat -c "%a %h" /made/tool'), '4755 2');
    assert.equal(await look('cat /made/soft'), 'x');
    assert.equal(await look('test -e /home/workspace/in-home || echo none'), 'none');
    assert.equal(await look('test -e /etc/token || echo none'), 'none');
    assert.equal(await look('echo "$OF_IMAGE$TOKEN"'), 'yes');
    assert.match((await failure(remove(), 'in_use')).message, new RegExp(name));
    await harness().delete(name);
  });

  const remove = () => harness().client.call('images.remove', { body: { image: made } });

  it('runs with docker after it was saved, pushed and pulled', async () => {
    const { client, folder, docker } = harness();
    const path = join(folder, 'made.tar');
    await harness().done(await client.call('images.save', { body: { image: made, path } }));
    await failure(saveAgain(path), 'path_exists');
    await harness().done(await client.call('images.push', { body: { image: made } }));
    const run = () => succeed('docker', ['run', '--rm', '--network', 'none', made], { timeoutMs: 60_000 });
    await docker
      .getImage(made)
      .remove({ force: true })
      .catch(() => undefined);
    assert.match(await succeed('docker', ['load', '-i', path], { timeoutMs: 120_000 }), /Loaded/);
    assert.equal(await run(), 'changed');
    await docker.getImage(made).remove({ force: true });
    await succeed('docker', ['pull', '-q', made], { timeoutMs: 120_000 });
    assert.equal(await run(), 'changed');
    const { Config: config } = (await docker.getImage(made).inspect()) as { Config: { Env: string[] } };
    assert(!JSON.stringify(config).includes('hunter'));
    const everything = ['run', '--rm', '--network', 'none', made, 'sh', '-c', 'cat /etc/* 2>/dev/null; env'];
    const said = await succeed('docker', everything, { timeoutMs: 60_000 });
    assert(!said.includes('hunter'), said);
  });

  it('makes no workspace of a container that others start from it', async () => {
    const { docker, client } = harness();
    const foreign = await docker.createContainer({ Image: made, name: `${harness().prefix}-foreign` });
    try {
      const adoptable = await client.call('adoptable.list', {});
      const orphans = await client.call('engine.orphans', {});
      assert(!JSON.stringify([adoptable, orphans]).includes(harness().prefix + '-foreign'));
    } finally {
      await foreign.remove({ force: true });
    }
  });

  const saveAgain = async (path: string) =>
    harness().done(await harness().client.call('images.save', { body: { image: made, path } }));

  it('is removed when no workspace is made of it', async () => {
    // The microVMs' own first: the engine's of that name came from the registry.
    await remove();
    await harness()
      .docker.getImage(made)
      .remove({ force: true })
      .catch(() => undefined);
    await remove().catch(() => undefined);
    assert(!(await images()).some(({ tags }) => tags.includes(made)));
    const gone = () => harness().client.call('images.remove', { body: { image: made } });
    await failure(gone(), 'image_missing');
  });
});
