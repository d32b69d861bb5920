import assert from 'node:assert/strict';
import { Ext4, rootInode } from '../../../../../src/backend/ext4/file-system';
import { Merge } from '../../../../../src/backend/files/disk/agent/merge';
import { Batch } from '../../../../../src/backend/files/disk/agent/work';
import { useTempFolder } from '../../../../support/temp';
import { assertClean, makeImage } from './harness';

describe('files/disk: a merge', () => {
  const folder = useTempFolder();

  it('of many entries takes few transactions, whether they are new or take the place of others', function () {
    this.timeout(30_000);
    const count = 3_000;
    const image = makeImage(`${folder()}/test.ext4`);
    const fs = Ext4.open(image);
    const attributes = { mode: 0o755, uid: 0, gid: 0 };
    const [from, to] = fs.transact(() => [
      fs.makeDirectory(rootInode, 'from', attributes),
      fs.makeDirectory(rootInode, 'to', attributes),
    ]);
    let commits = 0;
    const commit = fs.commit.bind(fs);
    fs.commit = () => {
      commits += 1;
      commit();
    };
    for (const what of ['new', 'in place of others']) {
      fs.transact(() => {
        for (let index = 0; index < count; index += 1) {
          fs.makeFile(from, `file-${index}`, fs.newContent(), attributes);
        }
      });
      commits = 0;
      const batch = new Batch(fs);
      const merge = new Merge(fs, batch, 'overwrite', '/to', () => undefined);
      const work = merge.folder(from, to, '');
      while (work.next().done !== true);
      assert.equal([...batch.flush()].length, 1);
      assert.deepEqual([merge.result().files, merge.result().failed], [count, []], what);
      assert(commits <= count / 200, `${commits} transactions for ${count} entries, ${what}`);
      assert.equal(fs.names(from).size, 0);
    }
    assert.equal(fs.names(to).size, count);
    fs.close();
    assertClean(image);
  });
});
