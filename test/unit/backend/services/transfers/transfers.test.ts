import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransferCreate } from '../../../../../src/api/files/schemas';
import { Transfers } from '../../../../../src/backend/services/transfers/transfers';
import { DownloadDrafts } from '../../../../../src/backend/store/download-drafts';
import { attributesAt, setAttribute } from '../../../../support/files/file-facts';
import { hasCode, TestVolume } from '../../files/agent/harness';
import { isRoot, needsRoot } from '../../../../support/skip';
import { TestContext as Context } from '../../../../support/test-context';
import { removeTree } from '../../../../support/temp';

describe('transfers', function () {
  this.timeout(30_000);
  let one: TestVolume;
  let two: TestVolume;
  let local: string;
  let records: string;
  let transfers: Transfers;
  const at = (...path: string[]): string => join(local, ...path);
  const text = (path: string): string => readFileSync(path, 'utf8');
  const run = (request: TransferCreate, context = new Context()) => transfers.run(request, context);
  const put = (path: string, content: string | Buffer = 'x'): void => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
  };
  const leftovers = (folder: string): string[] =>
    readdirSync(folder).filter((name) => name.startsWith('.berth-'));

  beforeEach(async () => {
    one = await TestVolume.create('one');
    two = await TestVolume.create('two');
    local = mkdtempSync(join(tmpdir(), 'berth-local-'));
    records = mkdtempSync(join(tmpdir(), 'berth-downloads-'));
    transfers = new Transfers({
      openFiles: (volume) => Promise.resolve(volume === 'one' ? one.files : two.files),
      drafts: new DownloadDrafts(records),
    });
    put(at('src/a.txt'), 'from here');
    put(at('src/sub/b'), Buffer.alloc(200_000, 'b'));
    symlinkSync('sub/b', at('src/link'));
  });
  afterEach(async () => {
    assert.equal(one.held + two.held, 0, 'nothing is held after a transfer');
    assert.deepEqual([...leftovers(one.root), ...leftovers(two.root), ...leftovers(local)], []);
    await one.dispose();
    await two.dispose();
    assert.deepEqual(readdirSync(records), []);
    removeTree(local);
    rmSync(records, { recursive: true });
  });

  describe('into a volume', () => {
    const request = (more: Partial<TransferCreate> = {}): TransferCreate => ({
      from: { local: [at('src')] },
      to: { volume: 'one', path: '/' },
      ...more,
    });

    it('copies a tree, measures first, tells progress and result', async () => {
      const context = new Context();
      const result = await run(request(), context);
      assert.deepEqual(result, { files: 3, bytes: 200_009, skipped: [], renamed: [], failed: [] });
      assert.equal(text(join(one.root, 'src/a.txt')), 'from here');
      assert.equal((await one.files.stat('/src/link')).linkTarget, 'sub/b');
      assert.deepEqual(context.steps, ['measure', 'copy', 'place']);
      const last = context.reported.at(-1)!;
      assert.deepEqual([last.done, last.total, last.unit], [200_009, 200_009, 'bytes']);
    });

    it('gives what it brings to the owner of the folder', async function () {
      needsRoot(this, 'gives files to others');
      mkdirSync(join(one.root, 'home'));
      await (await one.channel()).request('stat', { path: '/' });
      const { chownSync } = await import('node:fs');
      chownSync(join(one.root, 'home'), 1000, 1000);
      await run(request({ to: { volume: 'one', path: '/home' } }));
      const status = statSync(join(one.root, 'home/src/sub/b'));
      assert.deepEqual([status.uid, status.gid], [1000, 1000]);
    });

    it('takes the exact name, and a link that was named as a link', async () => {
      symlinkSync('src', at('alias'));
      await run(
        request({ from: { local: [at('alias')] }, to: { volume: 'one', path: '/renamed' }, exact: true }),
      );
      assert.equal(readlinkSync(join(one.root, 'renamed')), 'src');
    });

    it('takes a link that leads nowhere as it is, with all that is copied beside it', async () => {
      symlinkSync('missing', at('dangling'));
      await run(request({ from: { local: [at('dangling'), at('src')] } }));
      assert.equal(readlinkSync(join(one.root, 'dangling')), 'missing');
      assert.equal(text(join(one.root, 'src/a.txt')), 'from here');
    });

    it('finds conflicts, and changes nothing with "fail"', async () => {
      put(join(one.root, 'src/a.txt'), 'there');
      put(join(one.root, 'src/other'), 'there');
      const { conflicts, total } = await transfers.conflicts(request());
      const [{ path, type, there, coming } = assert.fail('none')] = conflicts;
      assert.deepEqual([total, path, type], [1, '/src/a.txt', 'file']);
      assert.deepEqual([there?.size, coming?.size, typeof there?.mtimeMs], [5, 9, 'number']);
      await assert.rejects(run(request()), hasCode('path_exists'));
      assert.deepEqual(readdirSync(join(one.root, 'src')).sort(), ['a.txt', 'other']);
      assert.equal(text(join(one.root, 'src/a.txt')), 'there');
    });

    it('overwrites, skips or renames', async () => {
      put(join(one.root, 'src/a.txt'), 'there');
      const skipped = await run(request({ conflict: 'skip' }));
      assert.deepEqual(skipped.skipped, [{ path: '/src/a.txt', reason: 'it is there already' }]);
      assert.equal(text(join(one.root, 'src/a.txt')), 'there');
      await run(request({ conflict: 'overwrite' }));
      assert.equal(text(join(one.root, 'src/a.txt')), 'from here');
      const renamed = await run(request({ conflict: 'rename' }));
      assert.deepEqual(renamed.renamed, [{ from: '/src', to: '/src (2)' }]);
      assert.equal(text(join(one.root, 'src (2)/a.txt')), 'from here');
    });

    it('leaves nothing when it is cancelled on the way', async () => {
      put(at('src/big'), Buffer.alloc(60_000_000));
      const context = new Context();
      context.onProgress = () => context.cancelling.abort();
      await assert.rejects(run(request(), context), hasCode('cancelled'));
      assert.deepEqual(readdirSync(one.root), []);
    });

    it('brings the rest when a part can not be read', async () => {
      const { execFileSync } = await import('node:child_process');
      execFileSync('mkfifo', [at('src/pipe')]);
      const context = new Context([]);
      const result = await run(request({ move: true }), context);
      assert.deepEqual(
        result.failed.map(({ path }) => path),
        [at('src/pipe')],
      );
      assert.deepEqual([result.files, context.steps.includes('remove')], [3, false]);
      assert.ok(existsSync(at('src/a.txt')), 'what did not arrive as a whole is not removed');
    });

    it('moves', async () => {
      await run(request({ move: true }));
      assert.ok(!existsSync(at('src')));
      assert.ok(existsSync(join(one.root, 'src/sub/b')));
    });

    it('says what is missing', async () => {
      await assert.rejects(run(request({ from: { local: [at('none')] } })), hasCode('not_found'));
      await assert.rejects(run(request({ to: { volume: 'one', path: '/none' } })), hasCode('path_not_found'));
    });
  });

  describe('out of a volume', () => {
    const request = (more: Partial<TransferCreate> = {}): TransferCreate => ({
      from: { volume: 'one', paths: ['/data'] },
      to: { local },
      ...more,
    });

    beforeEach(() => {
      put(join(one.root, 'data/a.txt'), 'from volume');
      put(join(one.root, 'data/sub/big'), Buffer.alloc(3_000_000, 'c'));
      chmodSync(join(one.root, 'data/a.txt'), 0o755);
      symlinkSync('a.txt', join(one.root, 'data/link'));
    });

    it('copies a tree with modes and links', async () => {
      const context = new Context();
      const result = await run(request(), context);
      assert.deepEqual(result, { files: 3, bytes: 3_000_011, skipped: [], renamed: [], failed: [] });
      assert.equal(text(at('data/a.txt')), 'from volume');
      assert.equal(statSync(at('data/a.txt')).mode & 0o777, 0o755);
      assert.ok(lstatSync(at('data/link')).isSymbolicLink());
      assert.equal(statSync(at('data/sub/big')).size, 3_000_000);
      assert.equal(context.reported.at(-1)?.done, 3_000_011);
    });

    it('keeps the sticky bit in both directions, and another name of a link as a link', async () => {
      mkdirSync(at('shared/drop'), { recursive: true });
      chmodSync(at('shared/drop'), 0o1777);
      await run({ from: { local: [at('shared')] }, to: { volume: 'one', path: '/' } });
      assert.equal(statSync(join(one.root, 'shared/drop')).mode & 0o7777, 0o1777);
      symlinkSync('a', join(one.root, 'shared/link'));
      linkSync(join(one.root, 'shared/link'), join(one.root, 'shared/name'));
      linkSync(join(one.root, 'shared/link'), join(one.root, 'shared/drop/name'));
      const from = { volume: 'one', paths: ['/shared'] };
      const result = await run({ from, to: { local: at('back') }, exact: true });
      assert.deepEqual([result.files, result.failed], [3, []]);
      assert.equal(statSync(at('back/drop')).mode & 0o7777, 0o1777);
      for (const name of ['link', 'name', 'drop/name']) assert.equal(readlinkSync(at('back', name)), 'a');
    });

    // Under 777 nobody but root makes a folder that is of use.
    for (const umask of [0o000, 0o022, 0o077, ...(isRoot ? [0o777] : [])]) {
      it(`keeps the permission bits of files and folders under a umask of ${umask.toString(8)}`, async () => {
        // Nobody but root reads a file of mode 0.
        const modes = [0o755, 0o644, 0o444, isRoot ? 0o000 : 0o400, 0o777, 0o640, 0o711, 0o4755, 0o2755];
        for (const mode of modes) {
          put(join(one.root, 'modes', `f${mode}`));
          put(join(one.root, 'modes', `d${mode}`, 'inside'));
          chmodSync(join(one.root, 'modes', `f${mode}`), mode);
          chmodSync(join(one.root, 'modes', `d${mode}`), mode);
        }
        const warnings: string[] = [];
        const before = process.umask(umask);
        try {
          await run(
            { from: { volume: 'one', paths: ['/modes'] }, to: { local: at() } },
            new Context(warnings),
          );
        } finally {
          process.umask(before);
        }
        const modeOf = (name: string): number => statSync(at('modes', name)).mode & 0o7777;
        assert.deepEqual(
          modes.map((mode) => [modeOf(`f${mode}`), modeOf(`d${mode}`)]),
          modes.map((mode) => [mode & 0o777, mode & 0o777]),
        );
        assert.equal(warnings.length, 1);
        assert.match(warnings[0]!, /^2 files were copied without: set-user-ID and set-group-ID bits/);
      });
    }

    it('names once what a file is not given, with a count, and carries the rest', async function () {
      needsRoot(this, 'gives capabilities to programs');
      const rights = Buffer.from(`0000000200040000${'00'.repeat(12)}`, 'hex');
      for (const name of ['a.txt', 'sub/big']) {
        setAttribute(join(one.root, 'data', name), 'security.capability', rights);
        setAttribute(join(one.root, 'data', name), 'user.kept', name);
      }
      const warnings: string[] = [];
      const { failed } = await run(request(), new Context(warnings));
      assert.deepEqual(failed, []);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /^2 files were copied without: file capabilities \(the first is "/);
      assert.deepEqual(attributesAt(at('data/sub/big')), {
        'user.kept': Buffer.from('sub/big').toString('hex'),
      });
    });

    it('takes the whole volume under its name, and one file under an exact one', async () => {
      await run(request({ from: { volume: 'one', paths: ['/'] } }));
      assert.equal(text(at('one/data/a.txt')), 'from volume');
      await run(
        request({ from: { volume: 'one', paths: ['/data/a.txt'] }, to: { local: at('copy') }, exact: true }),
      );
      assert.equal(text(at('copy')), 'from volume');
    });

    it('leaves links that lead out, and says so', async () => {
      symlinkSync('/etc/passwd', join(one.root, 'data/evil'));
      const { failed } = await run(request());
      assert.deepEqual(
        failed.map(({ path }) => path),
        [at('data/evil')],
      );
      assert.deepEqual(readdirSync(at('data')).sort(), ['a.txt', 'link', 'sub']);
    });

    it('treats conflicts as asked', async () => {
      put(at('data/a.txt'), 'mine');
      assert.equal((await transfers.conflicts(request())).total, 1);
      await assert.rejects(run(request()), hasCode('path_exists'));
      assert.deepEqual((await run(request({ conflict: 'skip' }))).skipped.length, 1);
      assert.equal(text(at('data/a.txt')), 'mine');
      assert.deepEqual((await run(request({ conflict: 'rename' }))).renamed, [
        { from: at('data'), to: at('data (2)') },
      ]);
      await run(request({ conflict: 'overwrite' }));
      assert.equal(text(at('data/a.txt')), 'from volume');
    });

    it('leaves nothing when it is cancelled, and touches nothing that is not its own', async () => {
      put(join(one.root, 'data/huge'), Buffer.alloc(80_000_000));
      mkdirSync(at('.berth-part-999999999-x'));
      const context = new Context();
      context.onProgress = () => context.cancelling.abort();
      await assert.rejects(run(request(), context), hasCode('cancelled'));
      assert.deepEqual(readdirSync(local).sort(), ['.berth-part-999999999-x', 'src']);
      rmSync(at('.berth-part-999999999-x'), { recursive: true });
    });

    it('moves', async () => {
      await run(request({ move: true }));
      assert.deepEqual(readdirSync(one.root), []);
      assert.equal(text(at('data/a.txt')), 'from volume');
    });

    it('needs a folder to put it into', async () => {
      await assert.rejects(run(request({ to: { local: at('none') } })), hasCode('not_found'));
    });
  });

  describe('between volumes', () => {
    beforeEach(() => put(join(one.root, 'd/f'), 'content'));

    it('pipes from one to the other, also under another name and as a whole', async () => {
      await run({ from: { volume: 'one', paths: ['/d'] }, to: { volume: 'two', path: '/' } });
      await run({ from: { volume: 'one', paths: ['/d'] }, to: { volume: 'two', path: '/e' }, exact: true });
      await run({ from: { volume: 'one', paths: ['/'] }, to: { volume: 'two', path: '/' } });
      for (const path of ['d/f', 'e/f', 'one/d/f']) {
        assert.equal(text(join(two.root, path)), 'content', path);
      }
    });

    it('moves to the other, and keeps what was skipped', async () => {
      put(join(two.root, 'd/f'), 'there');
      put(join(one.root, 'd/g'), 'new');
      const request: TransferCreate = {
        from: { volume: 'one', paths: ['/d'] },
        to: { volume: 'two', path: '/' },
        move: true,
      };
      const warnings: string[] = [];
      const { skipped } = await run({ ...request, conflict: 'skip' }, new Context(warnings));
      assert.equal(skipped.length, 1);
      assert.deepEqual(warnings, ['Not all of "d" was copied: all originals of it stay, also of what was.']);
      assert.ok(existsSync(join(one.root, 'd/f')));
      await run({ ...request, conflict: 'overwrite' });
      assert.ok(!existsSync(join(one.root, 'd')));
      assert.equal(text(join(two.root, 'd/f')), 'content');
    });

    it('copies beside the original under a new name, and moves within by renaming', async () => {
      await run({ from: { volume: 'one', paths: ['/d'] }, to: { volume: 'one', path: '/' } });
      assert.equal(text(join(one.root, 'd copy/f')), 'content');
      mkdirSync(join(one.root, 'folder'));
      const inode = statSync(join(one.root, 'd/f')).ino;
      const moved = await run({
        from: { volume: 'one', paths: ['/d'] },
        to: { volume: 'one', path: '/folder' },
        move: true,
      });
      assert.deepEqual([moved.files, moved.bytes], [1, 7]);
      assert.equal(statSync(join(one.root, 'folder/d/f')).ino, inode);
      await run({
        from: { volume: 'one', paths: ['/folder/d'] },
        to: { volume: 'one', path: '/folder' },
        move: true,
      });
      assert.ok(existsSync(join(one.root, 'folder/d/f')));
    });

    it('names what lost its set-user-ID bit by where it is, not by the stage it went through', async () => {
      chmodSync(join(one.root, 'd/f'), 0o4755);
      const warnings: string[] = [];
      const context = Object.assign(new Context(), { warn: (line: string) => void warnings.push(line) });
      await run({ from: { volume: 'one', paths: ['/d/f'] }, to: { volume: 'one', path: '/' } }, context);
      assert.deepEqual(warnings, ['"/d/f" was copied without: set-user-ID and set-group-ID bits.']);
    });

    it('merges within a volume as asked', async () => {
      put(join(one.root, 'folder/d/f'), 'there');
      const request: TransferCreate = {
        from: { volume: 'one', paths: ['/d'] },
        to: { volume: 'one', path: '/folder' },
      };
      await assert.rejects(run(request), hasCode('path_exists'));
      await run({ ...request, conflict: 'overwrite', move: true });
      assert.equal(text(join(one.root, 'folder/d/f')), 'content');
      assert.ok(!existsSync(join(one.root, 'd')));
    });
  });

  it('refuses what can never work, naming the field', () => {
    const bad = (request: TransferCreate, field: string): void => {
      assert.throws(
        () => transfers.check(request),
        (error) => hasCode('bad_request')(error) && (error as { field?: string }).field === field,
      );
    };
    bad({ from: { local: ['/a'] }, to: { local: '/b' } }, 'to');
    bad({ from: { local: ['relative'] }, to: { volume: 'one', path: '/' } }, 'from.local');
    bad({ from: { local: ['/a/x', '/b/x'] }, to: { volume: 'one', path: '/' } }, 'from');
    bad({ from: { local: ['/a', '/b'] }, to: { volume: 'one', path: '/c' }, exact: true }, 'exact');
    bad({ from: { volume: 'one', paths: ['/d'] }, to: { volume: 'one', path: '/d/sub' } }, 'to');
    bad({ from: { volume: 'one', paths: ['/'] }, to: { local: '/tmp' }, move: true }, 'move');
    bad({ from: { local: ['/'] }, to: { volume: 'one', path: '/x' }, exact: true, move: true }, 'move');
    assert.throws(
      () => transfers.check({ from: { volume: 'one', paths: ['/../x'] }, to: { local: '/tmp' } }),
      hasCode('path_escapes'),
    );
  });
});
