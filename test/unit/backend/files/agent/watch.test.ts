import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileChange } from '../../../../../src/api/files/schemas';
import { TestVolume } from './harness';

describe('watching a volume', function () {
  this.timeout(20_000);
  let volume: TestVolume;
  let seen: FileChange[];
  const at = (...path: string[]): string => join(volume.root, ...path);
  const listen = (changes: FileChange[]): void => {
    seen.push(...changes);
  };
  const sees = async (type: string, path: string): Promise<void> => {
    const end = Date.now() + 3000;
    while (Date.now() < end) {
      await sleep(10);
      if (seen.some((change) => change.type === type && change.path === path)) {
        return;
      }
    }
    assert.fail(`no ${type} of ${path} in ${JSON.stringify(seen)}`);
  };

  beforeEach(async () => {
    volume = await TestVolume.create();
    seen = [];
  });
  afterEach(() => volume.dispose());

  it('tells of what is made, changed, renamed and removed, also in new folders', async () => {
    mkdirSync(at('old'));
    const stop = await volume.files.watch('/', { recursive: true }, listen);
    writeFileSync(at('old/a'), '1');
    await sees('created', '/old/a');
    seen = [];
    appendFileSync(at('old/a'), '2');
    await sees('changed', '/old/a');
    mkdirSync(at('new/deep'), { recursive: true });
    writeFileSync(at('new/deep/b'), '');
    await sees('created', '/new/deep/b');
    renameSync(at('new'), at('moved'));
    await sees('deleted', '/new');
    await sees('created', '/moved');
    writeFileSync(at('moved/deep/c'), '');
    await sees('created', '/moved/deep/c');
    rmSync(at('old'), { recursive: true });
    await sees('deleted', '/old');
    stop();
    assert.equal(volume.held, 0);
  });

  it('tells more than it can name as one change of the folder', async () => {
    mkdirSync(at('d'));
    mkdirSync(at('aside'));
    for (let n = 0; n < 3000; n++) {
      writeFileSync(at('aside', `f${n}`), '');
    }
    const stop = await volume.files.watch('/d', { recursive: true }, listen);
    renameSync(at('aside'), at('d/in'));
    await sees('changed', '/d');
    stop();
  });
});
