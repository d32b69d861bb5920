/** The end of a move out of a volume whose agent is not the one any more that has read the files. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransferCreate } from '../../../../../src/api/files/schemas';
import { Transfers } from '../../../../../src/backend/services/transfers/transfers';
import { DownloadDrafts } from '../../../../../src/backend/store/download-drafts';
import { removeTree } from '../../../../support/temp';
import { TestContext } from '../../../../support/test-context';
import { hasCode, TestVolume } from '../../files/agent/harness';

describe('a move out of a volume', function () {
  this.timeout(20_000);
  let local: string;
  let one: TestVolume;
  let two: TestVolume;

  beforeEach(async () => {
    local = mkdtempSync(join(tmpdir(), 'berth-move-out-'));
    [one, two] = [await TestVolume.create('one'), await TestVolume.create('two')];
    mkdirSync(join(one.root, 'd/sub'), { recursive: true });
    ['d/a', 'd/sub/b'].forEach((path) => writeFileSync(join(one.root, path), path));
  });
  afterEach(async () => {
    await one.dispose();
    await two.dispose();
    removeTree(local);
  });

  const transfersOf = (): Transfers =>
    new Transfers({
      openFiles: (volume) => Promise.resolve((volume === 'one' ? one : two).files),
      drafts: new DownloadDrafts(join(local, 'records')),
    });

  for (const [where, to] of [
    ['to this machine', (): TransferCreate['to'] => ({ local })],
    ['to another volume', (): TransferCreate['to'] => ({ volume: 'two', path: '/' })],
  ] as const) {
    const move = async (context: TestContext) => {
      const request = { from: { volume: 'one', paths: ['/d', '/e'] }, to: to(), move: true };
      return transfersOf().run(request, context);
    };
    const arrived = (path: string): string =>
      readFileSync(join('local' in to() ? local : two.root, path), 'utf8');

    it(`${where} keeps the originals when the agent ends on the way, and says why`, async () => {
      writeFileSync(join(one.root, 'e'), 'e');
      const context = new TestContext();
      context.onStep = (step) => void (step === 'place' && one.kill());
      const { failed, files } = await move(context);
      assert.equal(files, 3);
      assert.deepEqual(
        failed.map(({ path }) => path),
        ['/d', '/e'],
      );
      for (const { reason } of failed) {
        assert.match(reason, /^copied, but not removed: .*(broke|not known any more)/);
      }
      assert.deepEqual(readdirSync(join(one.root, 'd'), { recursive: true }).sort(), ['a', 'sub', 'sub/b']);
      assert.equal(arrived('d/sub/b') + arrived('e'), 'd/sub/be');
      assert.equal(one.held, 0);
    });

    it(`${where} removes all that it has copied, and lets go of the agent`, async () => {
      writeFileSync(join(one.root, 'e'), 'e');
      const { failed } = await move(new TestContext());
      assert.deepEqual(
        [failed, existsSync(join(one.root, 'd')), existsSync(join(one.root, 'e'))],
        [[], false, false],
      );
      assert.equal(arrived('d/a'), 'd/a');
      assert.equal(one.held, 0);
    });
  }

  it('keeps the originals when the folder of this machine goes on the way, and says so', async () => {
    const to = join(local, 'to');
    mkdirSync(to);
    const context = new TestContext();
    context.onProgress = () => rmSync(to, { recursive: true, force: true, maxRetries: 9 });
    const request = { from: { volume: 'one', paths: ['/d'] }, to: { local: to }, move: true };
    await assert.rejects(transfersOf().run(request, context), hasCode('not_found'));
    assert.deepEqual(readdirSync(join(one.root, 'd')).sort(), ['a', 'sub']);
    assert.deepEqual([existsSync(to), readdirSync(join(local, 'records'))], [false, []]);
  });

  it('puts nothing over what came there on the way', async () => {
    const context = new TestContext();
    context.onProgress = () => {
      mkdirSync(join(local, 'd'), { recursive: true });
      writeFileSync(join(local, 'd/a'), 'mine');
    };
    const request = { from: { volume: 'one', paths: ['/d'] }, to: { local }, move: true };
    await assert.rejects(transfersOf().run(request, context), hasCode('path_exists'));
    assert.equal(readFileSync(join(local, 'd/a'), 'utf8'), 'mine');
    assert.deepEqual(readdirSync(join(one.root, 'd')).sort(), ['a', 'sub']);
  });
});
