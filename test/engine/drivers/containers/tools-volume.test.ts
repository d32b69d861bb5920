import assert from 'node:assert/strict';
import { Endpoint } from '../../../../src/backend/drivers/containers/engine/endpoint';
import { toolsVolumeName } from '../../../../src/backend/drivers/containers/engine/labels';
import { archiveOf } from '../../../../src/backend/tar/archive';
import { fillerOwner } from '../../../../src/backend/drivers/containers/tools/filler-lock';
import { scriptsVersion } from '../../../../src/backend/drivers/containers/tools/tools-scripts';
import { ToolsVolume } from '../../../../src/backend/drivers/containers/tools/tools-volume';
import { fastest } from '../../../support/fastest';
import { Bench, quiet } from './support';

describe('the volume of the tools', function () {
  this.timeout(120_000);
  let bench: Bench;
  let image: string;
  let volume: string;
  const tag = (): string => image.split(':')[1] ?? '';
  const nameNow = async (): Promise<string> =>
    toolsVolumeName(tag(), (await bench.docker.getImage(image).inspect()).Id, scriptsVersion);

  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());
  beforeEach(async () => {
    image = `berth-tools:${bench.name()}`;
    await bench.docker.getImage('berth-tools:1').tag({ repo: 'berth-tools', tag: tag() });
    volume = await nameNow();
    bench.forget(image);
  });
  afterEach(async () => {
    for (const name of [`${volume}-fill`, `${volume}-user`]) {
      await bench.docker
        .getContainer(name)
        .remove({ force: true })
        .catch(() => undefined);
    }
    await bench.docker
      .getVolume(volume)
      .remove()
      .catch(() => undefined);
  });

  /** As an engine of its own would have it. */
  const tools = (): ToolsVolume => {
    const environment = { env: {}, home: '/', platform: process.platform, uid: 0 };
    const endpoint = new Endpoint({ dockerHost: () => undefined, environment: environment, log: quiet });
    return new ToolsVolume(endpoint, { image: () => image, log: quiet });
  };
  const isWhole = async (): Promise<boolean> => {
    const container = await bench.docker.createContainer({
      Image: image,
      Entrypoint: [
        '/mnt/bin/busybox',
        'sh',
        '-c',
        'ls /mnt/libexec/sftp-server /mnt/scripts/*/init /mnt/.complete',
      ],
      HostConfig: { NetworkMode: 'none', Binds: [`${volume}:/mnt:ro`] },
    });
    try {
      await container.start();
      return ((await container.wait()) as { StatusCode: number }).StatusCode === 0;
    } finally {
      await container.remove({ force: true });
    }
  };

  it('is filled once, by whichever of several engines is first, and is whole for all', async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => tools().ensure()));
    assert.deepEqual([...new Set(made.map((one) => one.volume))], [volume]);
    assert.ok(await isWhole());
    const filled = await bench.docker.listContainers({ all: true, filters: { name: [`${volume}-fill`] } });
    assert.deepEqual(filled, []);
  });

  it('is checked once per engine, and made again when somebody removed it', async () => {
    const mine = tools();
    await mine.ensure();
    assert.ok((await fastest(5, () => mine.ensure())) < 100);
    await bench.docker.getVolume(volume).remove();
    await mine.ensure();
    assert.ok(await isWhole());
  });

  it('is filled anew when an engine died while it was filled', async () => {
    await bench.docker.createVolume({ Name: volume });
    const half = await bench.docker.createContainer({
      name: `${volume}-user`,
      Image: image,
      HostConfig: { Mounts: [{ Type: 'volume', Source: volume, Target: '/mnt' }] },
    });
    await half.putArchive(await archiveOf([{ name: 'half', mode: 0o644, content: 'x' }]), { path: '/mnt' });
    await half.remove();
    // The clock of volumes has whole seconds: a half-filled one is older than that.
    await new Promise((wake) => setTimeout(wake, 1100));
    await tools().ensure();
    assert.ok(await isWhole());
  });

  it('is another one for other tools, beside the one that older workspaces use', async () => {
    const old = (await tools().ensure()).volume;
    const user = await bench.docker.createContainer({
      name: `${volume}-user`,
      Image: image,
      HostConfig: { Mounts: [{ Type: 'volume', Source: volume, Target: '/mnt' }] },
    });
    const rebuilt = await bench.docker.createContainer({ Image: image, Cmd: ['/none'] });
    await rebuilt.commit({ repo: 'berth-tools', tag: tag(), changes: 'LABEL rebuilt=yes' });
    await rebuilt.remove();
    const { volume: next } = await tools().ensure();
    assert.notEqual(next, old);
    assert.ok(await isWhole(), 'the old one is as it was');
    volume = next;
    assert.ok(await isWhole(), 'the new one is there as well');
    await user.remove();
    await bench.docker.getVolume(old).remove();
  });

  it('waits for who fills it', async () => {
    const lock = await bench.docker.createContainer({ name: `${volume}-fill`, Image: image, Cmd: ['/none'] });
    setTimeout(() => void lock.remove({ force: true }), 400);
    const begin = performance.now();
    await tools().ensure();
    assert.ok(performance.now() - begin > 300, 'it waited for the lock');
    assert.ok(await isWhole());
  });

  it('does not wait for an engine that died while it filled it', async () => {
    const dead = { ...fillerOwner('another'), pid: 4_000_000, startTime: '1' };
    await bench.docker.createContainer({
      name: `${volume}-fill`,
      Image: image,
      Labels: { 'berth.filler': JSON.stringify(dead) },
      Cmd: ['/none'],
    });
    const begin = performance.now();
    await tools().ensure();
    assert.ok(performance.now() - begin < 20_000, 'not a minute');
    assert.ok(await isWhole());
  });

  it('says how to build the image when it is not there', async () => {
    await bench.docker.getImage(image).remove();
    await assert.rejects(tools().ensure(), { code: 'image_missing', hint: /berth image build/ });
  });
});
