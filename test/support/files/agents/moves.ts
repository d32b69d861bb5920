import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { keptReasons, type Kept } from '../../../../src/backend/files/kept';
import { failure } from '../../errors';
import { bytesOf, Case, type Member, type Rooms } from './room';

const tree: Member[] = [
  [{ name: 'd/a' }, 'a'],
  [{ name: 'd/deep/er/b', mode: 0o600 }, 'b'],
  [{ name: 'd/deep/er/same', type: 'link', linkname: 'd/a' }],
  [{ name: 'd/empty', type: 'directory' }],
  [{ name: 'd/link', type: 'symlink', linkname: 'a' }],
  [{ name: 'd/pipe', type: 'fifo' }],
  [{ name: 'd/sub/c' }, 'c'],
  [{ name: 'outside', type: 'link', linkname: 'd/a' }],
];

/** Defines the cases of the end of a move: what was read goes, and nothing else. */
export function moveCases(rooms: Rooms): void {
  const at = new Case(rooms);

  async function read(note: string, path = '/d'): Promise<void> {
    await bytesOf(await at.files.getTar(path, undefined, undefined, note));
  }

  /** The paths of what stays, and which of the reasons. */
  function rows(kept: readonly Kept[]): string[][] {
    const words = new Map<string, string>(Object.entries(keptReasons).map(([why, words]) => [words, why]));
    return kept.map(({ path, reason }) => [path, words.get(reason) ?? reason]).sort();
  }

  beforeEach(() => at.put('/', tree));

  it('removes all that was read, whatever it is, and no other name of it', async () => {
    const note = await at.files.noteCopied();
    await read(note);
    assert.deepEqual(await at.files.removeCopied(note, '/d'), []);
    assert.deepEqual(await at.names(), ['outside']);
    assert.equal(await at.text('/outside'), 'a');
    assert.deepEqual(await at.files.removeCopied(note, '/d'), []);
    await at.files.forgetCopied(note);
  });

  it('removes one file, and a link itself', async () => {
    const note = await at.files.noteCopied();
    for (const path of ['/d/a', '/d/link']) {
      await read(note, path);
      assert.deepEqual(await at.files.removeCopied(note, path), []);
    }
    assert.deepEqual(await at.names('/d'), ['deep', 'empty', 'pipe', 'sub']);
    await at.files.forgetCopied(note);
  });

  it('keeps what has come or changed since it was read, and the folders around it, and names them', async () => {
    const note = await at.files.noteCopied();
    await read(note);
    await at.save('/d/sub/new', 'new');
    await at.files.mkdir('/d/later/below', { parents: true });
    await at.save('/d/later/below/f', 'new');
    await at.files.chmod('/d/deep/er/b', 0o640);
    await at.files.rename('/d/empty', '/d/renamed', { overwrite: false });
    assert.deepEqual(rows(await at.files.removeCopied(note, '/d')), [
      ['/d/deep/er/b', 'changed'],
      ['/d/later', 'came'],
      ['/d/sub/new', 'came'],
    ]);
    assert.deepEqual(await at.names('/d'), ['deep', 'later', 'sub']);
    assert.deepEqual([await at.names('/d/deep'), await at.names('/d/deep/er')], [['er'], ['b']]);
    assert.equal((await at.text('/d/sub/new')) + (await at.text('/d/later/below/f')), 'newnew');
    await at.files.forgetCopied(note);
  });

  it('keeps a file that was saved, replaced or became another kind of thing', async () => {
    const note = await at.files.noteCopied();
    await read(note);
    await at.save('/d/sub/c', 'saved');
    await at.save('/d/deep/new', 'replaced');
    await at.files.rename('/d/deep/new', '/d/deep/er/b', { overwrite: true });
    await at.files.remove('/d/link', { recursive: false });
    await at.files.mkdir('/d/link');
    await at.files.remove('/d/empty', { recursive: false });
    await at.save('/d/empty', 'a file now');
    const kept = await at.files.removeCopied(note, '/d');
    assert.deepEqual(
      kept.map(({ path }) => path).sort(),
      ['/d/deep/er/b', '/d/empty', '/d/link', '/d/sub/c'],
      JSON.stringify(kept),
    );
    assert.equal((await at.text('/d/sub/c')) + (await at.text('/d/deep/er/b')), 'savedreplaced');
    assert.equal(await at.text('/d/empty'), 'a file now');
    await at.files.forgetCopied(note);
  });

  it('keeps every name of a file that has changed', async () => {
    const note = await at.files.noteCopied();
    await read(note);
    await at.save('/outside', 'changed');
    assert.deepEqual(rows(await at.files.removeCopied(note, '/d')), [
      ['/d/a', 'changed'],
      ['/d/deep/er/same', 'changed'],
    ]);
    assert.equal((await at.text('/d/a')) + (await at.text('/d/deep/er/same')), 'changedchanged');
    await at.files.forgetCopied(note);
  });

  it('notes what a copy inside the volume reads', async () => {
    const note = await at.files.noteCopied();
    await at.files.remove('/d/pipe', { recursive: false });
    await at.files.copy('/d', '/e', { overwrite: false, note });
    await at.save('/d/sub/new', 'new');
    assert.deepEqual(rows(await at.files.removeCopied(note, '/d')), [['/d/sub/new', 'came']]);
    assert.deepEqual([await at.names('/d'), await at.names('/e/sub')], [['sub'], ['c']]);
    await at.files.forgetCopied(note);
  });

  it('removes nothing that was not read for this move', async () => {
    const [note, other] = [await at.files.noteCopied(), await at.files.noteCopied()];
    await read(note, '/d/sub');
    await read(other);
    await bytesOf(await at.files.getTar('/d'));
    assert.deepEqual(rows(await at.files.removeCopied(note, '/d')), [['/d', 'came']]);
    assert.deepEqual(rows(await at.files.removeCopied(note, '/outside')), [['/outside', 'came']]);
    await failure(at.files.removeCopied(note, '/'), 'bad_request');
    assert.equal((await at.files.usage('/')).files, 7);
    await at.files.forgetCopied(note);
    await failure(at.files.removeCopied(note, '/d'), 'gone');
    assert.deepEqual(await at.files.removeCopied(other, '/d'), []);
    await at.files.forgetCopied(other);
  });

  it('removes nothing once the agent is another one', async () => {
    for (const end of [() => at.room.restart(), () => at.room.kill()]) {
      const note = await at.files.noteCopied();
      await read(note);
      await end();
      await failure(at.files.removeCopied(note, '/d'), 'gone');
      await read(note);
      await failure(at.files.removeCopied(note, '/d'), 'gone');
      assert.equal((await at.files.usage('/d')).files, 6);
      await at.files.forgetCopied(note);
    }
  });

  it('removes nothing of a move that was too large to note, and says so', async () => {
    const whole = await at.files.usage('/d');
    // Files of several names count once.
    const inodes = 10;
    for (const [max, kept] of [
      [inodes - 1, [['/d', 'many']]],
      [inodes, []],
    ] as const) {
      assert.deepEqual(await at.files.usage('/d'), whole);
      const note = randomUUID();
      await at.ask('note_copied', { note, max });
      await read(note);
      await read(note);
      assert.deepEqual(rows(await at.files.removeCopied(note, '/d')), kept);
      await at.files.forgetCopied(note);
    }
    assert.deepEqual(await at.names(), ['outside']);
  });

  it('takes no more of many files than of few, and none of their room is left', async () => {
    const count = 3000;
    const before = (await at.files.usage('/')).allocated;
    await at.put(
      '/',
      Array.from({ length: count }, (_, n): Member => [{ name: `many/${n % 11}/f${n}` }, `${n}`]),
    );
    const note = await at.files.noteCopied();
    await read(note, '/many');
    await at.save('/many/3/new', 'new');
    assert.deepEqual(rows(await at.files.removeCopied(note, '/many')), [['/many/3/new', 'came']]);
    assert.deepEqual([await at.names('/many'), await at.names('/many/3')], [['3'], ['new']]);
    await at.files.remove('/many', { recursive: true });
    assert.ok((await at.files.usage('/')).allocated <= before);
    await at.files.forgetCopied(note);
  });
}
