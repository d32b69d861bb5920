/** Deletes as operations, on the real agent of a folder. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileChange } from '../../../../../src/api/files/schemas';
import { checkRemoval, removalTitle, runRemoval } from '../../../../../src/backend/services/volumes/removals';
import { publishedFiles } from '../../../../../src/backend/services/volumes/published-files';
import { TestContext } from '../../../../support/test-context';
import { hasCode, TestVolume } from '../../files/agent/harness';

describe('services/volumes/removals', function () {
  this.timeout(60_000);
  let volume: TestVolume;
  let changes: FileChange[] = [];
  const at = (...path: string[]): string => join(volume.root, ...path);

  beforeEach(async () => {
    volume = await TestVolume.create();
    changes = [];
  });
  afterEach(() => volume.dispose());

  const run = (paths: string[], context: TestContext) =>
    runRemoval(
      { volume: 'v', paths },
      {
        openFiles: () =>
          Promise.resolve(publishedFiles(volume.files, (published) => changes.push(...published))),
      },
      context,
    );

  function makeTree(name: string, folders: number, files: number): void {
    for (let folder = 0; folder < folders; folder++) {
      mkdirSync(at(name, `d${folder}`), { recursive: true });
      for (let file = 0; file < files; file++) {
        writeFileSync(at(name, `d${folder}`, `f${file}`), '');
      }
    }
  }

  it('deletes files and trees, and counts all that is gone', async () => {
    makeTree('tree', 3, 4);
    writeFileSync(at('file'), 'x');
    const context = new TestContext();
    assert.deepEqual(await run(['/tree', '/file'], context), { removed: 17, failed: [] });
    assert.deepEqual(context.steps, ['measure', 'remove']);
    assert.deepEqual(context.reported[0], { unit: 'files', done: 0, total: 17, current: 'tree' });
    assert.deepEqual(readdirSync(at()), []);
    assert.deepEqual(changes, [
      { type: 'deleted', path: '/tree' },
      { type: 'deleted', path: '/file' },
    ]);
  });

  it('goes on after what can not be deleted, and names it', async () => {
    writeFileSync(at('file'), 'x');
    const warnings: string[] = [];
    const result = await run(['/none', '/file'], new TestContext(warnings));
    assert.equal(result.removed, 1);
    assert.deepEqual(
      result.failed.map(({ path }) => path),
      ['/none'],
    );
    assert.match(warnings.join(), /^\/none was not deleted: /);
    assert(!existsSync(at('file')));
    await assert.rejects(run(['/none', '/file'], new TestContext()), hasCode('path_not_found'));
  });

  it('tells how far it is, and stops when it is cancelled', async () => {
    makeTree('many', 40, 1_000);
    const context = new TestContext();
    context.onProgress = () => {
      if ((context.reported.at(-1)?.done ?? 0) > 0) {
        context.cancelling.abort();
      }
    };
    await assert.rejects(run(['/many'], context), (error: Error) => {
      assert.match(
        error.message,
        /^Cancelled\. [1-9]\d* files and folders were deleted, the rest is still there\.$/,
      );
      return hasCode('cancelled')(error);
    });
    assert(existsSync(at('many')));
    assert.deepEqual(changes, [{ type: 'changed', path: '/many' }]);
    assert.equal(context.reported[0]?.total, 40_041);
  });

  it('refuses the root, and has a title for people', () => {
    for (const root of ['/', '//', '/./']) {
      assert.throws(() => checkRemoval({ volume: 'v', paths: ['/a', root] }), /The root of a volume stays/);
    }
    assert.equal(removalTitle({ volume: 'data', paths: ['/a/b'] }), 'Delete b of data');
    assert.equal(removalTitle({ volume: 'rootfs@demo', paths: ['/a', '/b'] }), 'Delete 2 items of demo');
  });
});
