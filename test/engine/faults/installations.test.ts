/** Two installations on one Docker: what one of them made is nothing that the other uses, changes or removes. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  EngineHarness,
  eventually,
  itLeavesNothing,
  useEngineHarness,
} from '../../support/engine/engine-harness';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { failure } from '../../support/errors';

const isOf = ({ home }: EngineHarness) =>
  new RegExp(`another installation of Berth \\(${home.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}, `);

describeContainers('foreign containers', 'faults: two installations on one daemon', function () {
  this.timeout(testTimeoutMs);
  const ours = useEngineHarness();
  let theirs: EngineHarness;
  let name: string;
  let whose: RegExp;

  before(async () => {
    theirs = new EngineHarness();
    await theirs.start();
    whose = isOf(ours());
    ({ name } = await ours().create());
    await ours().sh(name, 'echo precious >~/precious; sync ~/precious');
    await ours().verb('archive', name);
    // Nothing but its volume is left, as by a prune of containers.
    await ours()
      .container(name)
      .remove({ force: true })
      .catch(() => undefined);
  });
  after(() => theirs.close());

  it('a home is not used by the other one, by no door, and comes back with its files', async () => {
    const volume = `workspace-${name}`;
    const { client } = theirs;
    for (const refused of [
      () => theirs.beginCreate(name),
      () => client.call('volumes.delete', { params: { volume }, query: { force: true } }),
      () => client.call('files.list', { params: { volume }, query: { path: '/' } }),
      () => theirs.create({ volumes: [`${volume}:/data`] }),
      () => client.call('adoptable.adopt', { params: { name }, body: { volume, replaceContainer: true } }),
    ]) {
      assert.match((await failure(refused)).message, whose);
    }
    const found = await client.call('volumes.get', { params: { volume } });
    assert.deepEqual([found.managed, found.owner?.home, found.workspace], [false, ours().home, undefined]);
    assert.deepEqual(await client.call('workspaces.list', {}), []);
    await ours().verb('restore', name);
    assert.equal(await ours().sh(name, 'cat ~/precious'), 'precious');
    const { holders } = await client.call('volumes.get', { params: { volume } });
    assert.deepEqual(
      holders.map(({ workspace, owner }) => [workspace, owner?.home]),
      [[undefined, ours().home]],
    );
  });

  it('a container that has the name of ours is theirs: no event, no verb touches it', async () => {
    await ours().verb('archive', name);
    const container = ours().container(name);
    await container.remove({ force: true }).catch(() => undefined);
    const volume = ours().docker.getVolume(`workspace-${name}`);
    await volume.remove();
    await theirs.create({ name });
    await theirs.sh(name, 'echo other >~/other; sync ~/other');
    await container.restart({ t: 1 });
    await eventually('their SSH answers after a restart', async () => {
      const { code } = await theirs.trySsh(name, ['true']);
      return code === 0;
    });
    await theirs.untilState(name, 'running');
    assert.equal(await ours().state(name), 'archived');
    const operations = await ours().client.call('operations.list', {});
    assert(!operations.some(({ kind, workspace }) => kind === 'workspace.configure' && workspace === name));
    await failure(ours().verb('restore', name), 'exists');
    assert.equal(await ours().state(name), 'archived');
    // A delete of ours finds nothing of ours, and leaves what is theirs.
    await ours().delete(name);
    assert.equal(await theirs.ssh(name, ['cat', 'other']), 'other');
    assert.equal((await container.inspect()).State.Running, true);
    await theirs.delete(name);
  });

  it('a container that another tool made with the name of ours is left alone, and named', async () => {
    const { name: mine } = await ours().create({ start: false });
    const container = ours().container(mine);
    await container.remove();
    const theirsNow = await ours().docker.createContainer({
      ...{ name: `workspace-${mine}`, Image: 'workspace:latest' },
      ...{ Entrypoint: ['sleep', '300'], Cmd: [] },
    });
    await theirsNow.start();
    const { message, hint } = await failure(ours().verb('start', mine), 'exists');
    assert.match(message, new RegExp(`The container workspace-${mine} was made by another tool\\.`));
    assert.match(hint ?? '', /docker rename/);
    assert.equal(await ours().state(mine), 'stopped');
    await ours().delete(mine);
    assert.equal((await theirsNow.inspect()).State.Running, true);
    await theirsNow.remove({ force: true });
  });

  it("another one's keeper does not hold up a delete", async () => {
    const volume = await ours().makeVolume(`${ours().prefix}-kept`);
    const keeper = await ours().docker.createContainer({
      Image: 'workspace:latest',
      Cmd: ['sleep', '300'],
      Labels: { 'berth.keeper': 'true', 'berth.volume': volume, 'berth.engine': 'another' },
      HostConfig: { Mounts: [{ Type: 'volume', Source: volume, Target: '/volume' }], AutoRemove: true },
    });
    await keeper.start();
    await ours().client.call('volumes.delete', { params: { volume }, query: { force: false } });
    await assert.rejects(ours().docker.getVolume(volume).inspect(), { statusCode: 404 });
  });

  it('is taken over with a word of its own, and is ours to delete then', async () => {
    const { name: taken } = await theirs.create();
    await theirs.sh(taken, 'echo mine >~/mine; sync ~/mine');
    const volume = `workspace-${taken}`;
    const adopt = { params: { name: taken }, body: { volume, replaceContainer: true, takeOver: true } };
    await ours().done(await ours().client.call('adoptable.adopt', adopt));
    assert.equal(await ours().sh(taken, 'cat ~/mine'), 'mine');
    await theirs.untilState(taken, 'stopped');
    await failure(theirs.verb('start', taken), 'exists');
    await ours().killAndRestart();
    await ours().verb('restart', taken);
    assert.equal(await ours().sh(taken, 'cat ~/mine'), 'mine');
    await ours().delete(taken);
    await assert.rejects(ours().docker.getVolume(volume).inspect(), { statusCode: 404 });
    await theirs.delete(taken);
  });

  it('a named volume of an installation that is lost is taken over, used and deleted', async () => {
    const volume = `${ours().prefix}-lost`;
    const labels = { 'berth.installation': 'lost', 'berth.home': '/gone', 'berth.volume': 'true' };
    await ours().docker.createVolume({ Name: volume, Labels: labels });
    const { client } = ours();
    const refused = await failure(ours().create({ volumes: [`${volume}:/data`] }));
    assert.match(refused.hint ?? '', new RegExp(`berth volume adopt ${volume} --take-over`));
    const adopt = (body: { takeOver?: boolean }) =>
      client.call('volumes.adopt', { params: { volume }, body });
    await failure(adopt({}), 'in_use');
    const adopted = await adopt({ takeOver: true });
    assert.deepEqual([adopted.managed, adopted.owner], [true, undefined]);
    await ours().killAndRestart();
    const { name: user } = await ours().create({ volumes: [`${volume}:/data`] });
    await ours().sh(user, 'echo kept | sudo tee /data/kept');
    const { entries } = await client.call('files.list', { params: { volume }, query: { path: '/' } });
    assert.deepEqual(
      entries.map((entry) => entry.name),
      ['kept'],
    );
    await ours().delete(user);
    await client.call('volumes.delete', { params: { volume }, query: { force: false } });
    // Another one of that name is not taken for it.
    await ours().docker.createVolume({ Name: volume, Labels: { ...labels, 'berth.nonce': 'another' } });
    assert.equal((await client.call('volumes.get', { params: { volume } })).owner?.installation, 'lost');
    await ours().docker.getVolume(volume).remove();
  });

  it("what another tool made is the one's that took it over first, until it gives it away", async () => {
    const volume = `workspace-${ours().name()}`;
    const name = volume.slice('workspace-'.length);
    await ours().docker.createVolume({ Name: volume });
    const both = [ours(), theirs].map(({ client }) => client);
    const adopting = both.map((client) => client.call('volumes.adopt', { params: { volume }, body: {} }));
    const results = await Promise.allSettled(adopting);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const isFirst = results[0]?.status === 'fulfilled';
    const [first, second] = isFirst ? [ours(), theirs] : [theirs, ours()];
    const found = await second.client.call('volumes.get', { params: { volume } });
    assert.deepEqual([found.managed, found.owner?.home, found.holders], [false, first.home, []]);
    for (const refused of [
      () => second.client.call('volumes.delete', { params: { volume }, query: { force: true } }),
      () => second.client.call('files.list', { params: { volume }, query: { path: '/' } }),
      () => second.create({ volumes: [`${volume}:/data`] }),
      () => second.client.call('adoptable.adopt', { params: { name }, body: { volume } }),
    ]) {
      assert.match((await failure(refused)).message, isOf(first));
    }
    const takeOver = { params: { volume }, body: { takeOver: true } };
    await second.client.call('volumes.adopt', takeOver);
    const lost = await first.client.call('volumes.get', { params: { volume } });
    assert.deepEqual([lost.managed, lost.owner?.home], [false, second.home]);
    // What marks it may be removed by hand: the next engine of its owner marks it again.
    await ours().docker.getContainer(`berth-claim-${volume}`).remove();
    await second.killAndRestart();
    await eventually('it is marked again', async () => {
      const { owner } = await first.client.call('volumes.get', { params: { volume } });
      return owner?.home === second.home;
    });
    await second.client.call('volumes.delete', { params: { volume }, query: { force: false } });
    await assert.rejects(ours().docker.getVolume(volume).inspect(), { statusCode: 404 });
    const images = await first.client.call('images.list', {});
    assert(!images.some(({ tags }) => tags.some((tag) => tag.includes('berth-claim'))));
  });

  it("another tool's volume is that tool's again when its workspace is deleted without it", async () => {
    const { docker, client } = ours();
    const name = ours().name();
    const volume = `workspace-${name}`;
    await docker.createVolume({ Name: volume });
    await ours().done(await client.call('adoptable.adopt', { params: { name }, body: { volume } }));
    await assert.rejects(docker.getVolume(volume).remove(), { statusCode: 409 });
    await ours().done(
      await client.call('workspaces.delete', { params: { name }, query: { keepVolumes: true } }),
    );
    assert.equal((await client.call('volumes.get', { params: { volume } })).managed, false);
    await docker.getVolume(volume).remove();
  });

  it('the mark of a volume that nobody has here any more goes with the next start', async () => {
    const { docker, client } = ours();
    const volume = `${ours().prefix}-marked`;
    await docker.createVolume({ Name: volume });
    await client.call('volumes.adopt', { params: { volume }, body: {} });
    // As an engine leaves it that is killed while it gives the volume back.
    await rm(join(ours().home, 'adopted.json'));
    await assert.rejects(docker.getVolume(volume).remove(), { statusCode: 409 });
    await ours().killAndRestart();
    await eventually('other tools can remove it', () =>
      docker
        .getVolume(volume)
        .remove()
        .then(() => true)
        .catch(() => false),
    );
  });

  it("a volume that has a name like those of the tools is its user's", async () => {
    const volume = `berth-tools-${ours().prefix}`;
    await failure(ours().client.call('volumes.create', { body: { name: volume } }), 'forbidden');
    await failure(ours().create({ volumes: [`${volume}:/data`] }), 'forbidden');
    await ours().docker.createVolume({ Name: volume });
    const found = await ours().client.call('volumes.get', { params: { volume } });
    assert.deepEqual([found.role, found.managed], ['foreign', false]);
    await ours().client.call('volumes.delete', { params: { volume }, query: { force: true } });
  });

  itLeavesNothing(ours);
});
