import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeContainer } from '../../../src/backend/drivers/containers/engine/remove-container';
import { Transfers } from '../../../src/backend/services/transfers/transfers';
import { DownloadDrafts } from '../../../src/backend/store/download-drafts';
import type { OperationContext } from '../../../src/backend/services/operations/operation-context';
import { describeContainers } from '../../support/runtimes/columns';
import { hasCode } from '../../unit/backend/files/agent/harness';
import { busybox, Engine } from './harness';

describeContainers('keepers', 'transfers into and out of docker volumes', function () {
  this.timeout(120_000);
  let engine: Engine;
  let transfers: Transfers;
  let local: string;
  const at = (...path: string[]): string => join(local, ...path);
  const context = (
    signal = new AbortController().signal,
    progress = (): void => undefined,
  ): OperationContext => ({
    signal,
    progress,
    warn: (text) => assert.fail(text),
    step: (_name, _title, run) => run(),
  });

  beforeEach(() => {
    engine = new Engine();
    local = mkdtempSync(join(tmpdir(), 'berth-transfer-'));
    transfers = new Transfers({
      openFiles: (volume) => engine.keepers.files(volume),
      drafts: new DownloadDrafts(at('records')),
    });
  });
  afterEach(async function () {
    // Docker removes the files one by one, on a disk that others use as well.
    this.timeout(600_000);
    await engine.dispose();
    rmSync(local, { recursive: true, force: true });
  });

  it('carry 10,000 files there and back', async function () {
    this.timeout(300_000);
    const volume = await engine.volume();
    for (let folder = 0; folder < 100; folder++) {
      mkdirSync(at('many', `d${folder}`), { recursive: true });
      for (let file = 0; file < 100; file++) {
        writeFileSync(at('many', `d${folder}`, `f${file}`), `${folder}/${file}`);
      }
    }
    const up = await transfers.run({ from: { local: [at('many')] }, to: { volume, path: '/' } }, context());
    assert.equal(up.files, 10_000);
    const down = await transfers.run(
      { from: { volume, paths: ['/many'] }, to: { local: at('back') }, exact: true },
      context(),
    );
    assert.equal(down.files, 10_000);
    assert.equal(readFileSync(at('back/d42/f17'), 'utf8'), '42/17');
    assert.equal(readdirSync(at('back')).length, 100);
  });

  it('give files to the owner of the home volume, and keep names that are not UTF-8', async () => {
    const volume = await engine.volume();
    const holder = await engine.holder(volume);
    await engine.run(holder, busybox, 'chown', '1000:1000', '/home/workspace');
    mkdirSync(at('odd'));
    writeFileSync(Buffer.concat([Buffer.from(at('odd/')), Buffer.from([0x61, 0xff])]), 'odd');
    await transfers.run({ from: { local: [at('odd')] }, to: { volume, path: '/' } }, context());
    assert.equal(
      await engine.run(holder, busybox, 'stat', '-c', '%u:%g', '/home/workspace/odd'),
      '1000:1000',
    );
    const files = await engine.keepers.files(volume);
    assert.deepEqual(
      (await files.list('/odd')).entries.map(({ name }) => name),
      ['a\uEFFF'],
    );
    await files.rename('/odd', '/odd\uEFFE', { overwrite: false });
    await transfers.run(
      { from: { volume, paths: ['/odd\uEFFE'] }, to: { local: at('back') }, exact: true },
      context(),
    );
    const names = readdirSync(at('back'), { encoding: 'buffer' });
    assert.deepEqual(names, [Buffer.from([0x61, 0xff])]);
  });

  it('pipe from one volume to another', async () => {
    const [one, two] = [await engine.volume('one'), await engine.volume('two')];
    const files = await engine.keepers.files(one);
    await files.mkdir('/d/e', { parents: true });
    await files.write('/d/e/f', Buffer.alloc(3_000_000, 'x'), { create: true, overwrite: false });
    await transfers.run({ from: { volume: one, paths: ['/d'] }, to: { volume: two, path: '/' } }, context());
    await transfers.run(
      { from: { volume: one, paths: ['/'] }, to: { volume: two, path: '/all' }, exact: true },
      context(),
    );
    const copy = await engine.keepers.files(two);
    assert.equal((await copy.stat('/d/e/f')).size, 3_000_000);
    assert.equal((await copy.stat('/all/d/e/f')).size, 3_000_000);
  });

  it('leave nothing when the volume is full', async () => {
    const volume = await engine.volume('full', { type: 'tmpfs', device: 'tmpfs', o: 'size=8m' });
    const files = await engine.keepers.files(volume);
    const stop = await files.watch('/', { recursive: false }, () => undefined);
    writeFileSync(at('large'), Buffer.alloc(60_000_000, 1));
    const request = { from: { local: [at('large')] }, to: { volume, path: '/' } };
    await assert.rejects(transfers.run(request, context()), hasCode('no_space'));
    assert.deepEqual((await files.list('/')).entries, []);
    await files.write('/room', Buffer.alloc(6_000_000), { create: true, overwrite: false });
    stop();
  });

  it('leave nothing when they are cancelled', async () => {
    const volume = await engine.volume();
    const holder = await engine.holder(volume);
    writeFileSync(at('large'), Buffer.alloc(300_000_000, 1));
    const up = new AbortController();
    const request = { from: { local: [at('large')] }, to: { volume, path: '/' } };
    await assert.rejects(
      transfers.run(
        request,
        context(up.signal, () => up.abort()),
      ),
      hasCode('cancelled'),
    );
    await sleep(500);
    assert.equal(await engine.run(holder, busybox, 'ls', '-A', '/home/workspace'), '');
    await transfers.run(request, context());
    const down = new AbortController();
    mkdirSync(at('to'));
    const back = { from: { volume, paths: ['/large'] }, to: { local: at('to') } };
    await assert.rejects(
      transfers.run(
        back,
        context(down.signal, () => down.abort()),
      ),
      hasCode('cancelled'),
    );
    assert.deepEqual(readdirSync(at('to')), []);
    assert.equal((await (await engine.keepers.files(volume)).stat('/large')).size, 300_000_000);
  });

  it('are whole or not there at all when the keeper is removed under them, and work again', async () => {
    const volume = await engine.volume();
    writeFileSync(at('large'), Buffer.alloc(200_000_000, 1));
    let removed: Promise<void> | undefined;
    const remove = (): void => {
      removed ??= engine.keeperIds(volume).then(([id]) => removeContainer(engine.docker.getContainer(id!)));
    };
    const request = { from: { local: [at('large')] }, to: { volume, path: '/' } };
    // The daemon may finish what it is at before it removes the container: then all is there.
    const codes = ['gone', 'runtime_unavailable', 'path_not_found', 'not_found', 'internal'];
    await transfers.run(request, context(undefined, remove)).catch((error: unknown) => {
      assert.ok(
        codes.some((code) => hasCode(code)(error)),
        String(error),
      );
    });
    await removed;
    const again = await transfers.run({ ...request, conflict: 'overwrite' }, context());
    assert.equal(again.files, 1);
    const files = await engine.keepers.files(volume);
    assert.deepEqual(
      (await files.list('/')).entries.map(({ name }) => name),
      ['large'],
    );
  });
});
