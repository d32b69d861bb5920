import assert from 'node:assert/strict';
import { noteOpened, sortRecent } from '../../../src/ui/recents';
import { TestMemory } from '../../support/vscode/memory';
import { workspace } from '../providers/fixtures';

describe('the workspaces that were opened last', () => {
  const used = (name: string, day: string) => workspace(name, { lastUsedAt: `2026-03-${day}T00:00:00.000Z` });
  const names = (memory: TestMemory, ...all: ReturnType<typeof used>[]) =>
    sortRecent(memory, all).map(({ workspace: { name }, wasOpened }) => `${name} ${wasOpened}`);

  it('come first, whether they were opened in a window or used without one', async () => {
    const memory = new TestMemory();
    await noteOpened(memory, 'old', new Date('2026-03-05T00:00:00Z'));
    await noteOpened(memory, 'busy', new Date('2026-03-02T00:00:00Z'));
    const all = [used('never', '01'), used('busy', '04'), used('old', '01')];
    assert.deepEqual(names(memory, ...all), ['old true', 'busy false', 'never false']);
    await noteOpened(memory, 'never', new Date('2026-03-06T00:00:00Z'));
    assert.deepEqual(names(memory, ...all)[0], 'never true');
  });

  it('are kept in a bounded number, the newest ones', async () => {
    const memory = new TestMemory();
    for (let n = 0; n < 150; n += 1) {
      await noteOpened(memory, `w${n}`, new Date(Date.UTC(2026, 4, 1, 0, n)));
    }
    const kept = memory.get('berth.recentWorkspaces');
    assert.ok(typeof kept === 'object' && kept !== null);
    assert.equal(Object.keys(kept).length, 100);
    assert.ok('w149' in kept && !('w49' in kept));
  });

  it('take what is kept for nothing where it is something else', () => {
    const memory = new TestMemory();
    for (const kept of [undefined, null, 'text', { a: 7 }]) {
      void memory.update('berth.recentWorkspaces', kept);
      assert.deepEqual(names(memory, used('a', '01')), ['a false']);
    }
  });
});
