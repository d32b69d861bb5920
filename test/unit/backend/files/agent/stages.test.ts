import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, startAgent, TestVolume } from './harness';

describe('uploads into a volume', function () {
  this.timeout(20_000);
  let volume: TestVolume;
  const at = (...path: string[]): string => join(volume.root, ...path);
  const put = (path: string, text: string): void => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  };

  beforeEach(async () => {
    volume = await TestVolume.create();
    put(at('t/a.txt'), 'old');
    put(at('t/d/b'), 'old');
  });
  afterEach(() => volume.dispose());

  async function staged(): Promise<string> {
    const stage = await volume.files.stage();
    put(at(stage, 'a.txt'), 'new');
    put(at(stage, 'd/b'), 'new');
    put(at(stage, 'd/c'), 'new');
    return stage;
  }

  it('ends where nothing can be made: the folder of the volume was removed', async () => {
    await volume.files.list('/');
    rmSync(volume.root, { recursive: true });
    await assert.rejects(volume.files.stage(), hasCode('path_not_found'));
    assert.equal(volume.held, 0);
  });

  it('sweeps what a dead upload left, and no living one', async () => {
    const stage = await staged();
    const other = await startAgent(volume.root);
    try {
      mkdirSync(at('.berth-stage-00000000000000ad/deep'), { recursive: true });
      const { ok } = await other.channel.request('sweep');
      assert.equal(ok.swept, 1);
      assert.ok(existsSync(at(stage, 'a.txt')));
      assert.ok(!existsSync(at('.berth-stage-00000000000000ad')));
    } finally {
      other.channel.end();
    }
    await volume.kill();
    await assert.rejects(volume.files.merge(stage, '/t', 'overwrite'), hasCode('gone'));
    const { ok } = await (await volume.channel()).request('sweep');
    assert.equal(ok.swept, 1);
  });
});
