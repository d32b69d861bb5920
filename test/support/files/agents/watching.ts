import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileChange } from '../../../../src/api/files/schemas';
import { failure } from '../../errors';
import { until } from '../../wait';
import { Case, type Rooms } from './room';

/** Defines the cases of watching. */
export function watchCases(rooms: Rooms): void {
  const at = new Case(rooms);
  let seen: FileChange[] = [];
  const listen = (changes: FileChange[]): void => void seen.push(...changes);
  const sees = (type: string, path: string): Promise<boolean> =>
    until(`${type} ${path} is reported`, () =>
      seen.some((change) => change.type === type && change.path === path),
    );

  beforeEach(() => (seen = []));

  it('reports what is made, changed, renamed and removed, and nothing of its own', async () => {
    await at.files.mkdir('/t/d', { parents: true });
    await at.save('/t/a', 'old');
    const stop = await at.files.watch('/t', { recursive: true }, listen);
    await at.put('/t', [
      [{ name: 'a' }, 'new'],
      [{ name: 'd/c' }, 'new'],
    ]);
    await sees('created', '/t/d/c');
    await until('/t/a is reported', () => seen.some(({ path }) => path === '/t/a'));
    await at.files.mkdir('/t/new');
    await sees('created', '/t/new');
    await at.save('/t/new/x', 'x');
    await sees('created', '/t/new/x');
    await at.files.rename('/t/new', '/t/moved', { overwrite: false });
    await sees('deleted', '/t/new');
    await sees('created', '/t/moved');
    await at.files.copy('/t/a', '/t/copy', { overwrite: false });
    await sees('created', '/t/copy');
    seen = [];
    await at.files.chmod('/t/a', 0o600);
    await sees('changed', '/t/a');
    await at.files.remove('/t/moved', { recursive: true });
    await sees('deleted', '/t/moved');
    assert.ok(!seen.some(({ path }) => path.includes('.berth-')), JSON.stringify(seen));
    stop();
    seen = [];
    await at.save('/t/after', '');
    await sleep(150);
    assert.deepEqual(seen, []);
  });

  it('watches one folder without those in it, or one file by its name', async () => {
    await at.files.mkdir('/d/in', { parents: true });
    await at.save('/f', '');
    const stops = [
      await at.files.watch('/d', { recursive: false }, listen),
      await at.files.watch('/f', { recursive: false }, listen),
    ];
    await at.save('/d/in/deep', 'x');
    await at.save('/other', 'x');
    await at.save('/f', 'new');
    await at.save('/d/a', 'x');
    await sees('created', '/d/a');
    await until('/f is reported', () => seen.some(({ path }) => path === '/f'));
    assert.ok(!seen.some(({ path }) => ['/d/in/deep', '/other'].includes(path)), JSON.stringify(seen));
    stops.forEach((stop) => stop());
  });

  it('ends when what it watches is removed; there must be something', async () => {
    await failure(at.files.watch('/none', { recursive: false }, listen), 'path_not_found');
    await at.files.mkdir('/d');
    await at.files.watch('/d', { recursive: true }, listen);
    await at.files.remove('/d', { recursive: true });
    await sees('deleted', '/d');
  });

  it('goes on with a new agent, and says that more may have changed', async () => {
    const stop = await at.files.watch('/', { recursive: true }, listen);
    await at.room.kill();
    await sees('changed', '/');
    await at.save('/after', '');
    await sees('created', '/after');
    stop();
  });
}
