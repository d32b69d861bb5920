/** What stays of the snapshots of a volume, by the built program. */
import assert from 'node:assert/strict';
import type { Snapshot } from '../../../src/api';
import type { PruneResult } from '../../../src/api/snapshots/schemas';
import { Berth } from './harness';

describe('berth snapshot prune', function () {
  this.timeout(120_000);
  const berth = new Berth();
  const volume = `${berth.prefix}-data`;
  let ids: string[] = [];

  before(async () => {
    await berth.ok('volume', 'create', volume, '--kind', 'disk', '--size', '32m');
    await berth.ok('snapshot', 'create', volume, '--name', 'first');
    for (let number = 0; number < 4; number += 1) {
      await berth.ok('snapshot', 'create', volume);
    }
    ids = (await list()).map(({ id }) => id);
  });
  after(() => berth.dispose());

  const list = (): Promise<Snapshot[]> => berth.json<Snapshot[]>('snapshot', 'list', volume);

  it('says what would go and why the others stay, and removes nothing', async () => {
    await berth.ok('snapshot', 'protect', volume, ids[3] ?? '');
    const shown = await berth.ok('snapshot', 'prune', volume, '--keep-last', '1', '--dry-run');
    assert.match(shown, new RegExp(`^${ids[0]} +- .* stays: last$`, 'm'));
    assert.match(shown, new RegExp(`^${ids[1]} +- .* goes$`, 'm'));
    assert.match(shown, new RegExp(`^${ids[3]} +- .* stays: protected$`, 'm'));
    assert.match(shown, new RegExp(`^${ids[4]} +first .* stays: has a name$`, 'm'));
    assert.match(shown, /^2 snapshots would go, 3 stay\.$/m);
    assert.equal((await list()).length, 5);
  });

  it('asks first, and then removes those that it named', async () => {
    const alone = await berth.run(['snapshot', 'prune', volume, '--keep-last', '1']);
    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /Delete 2 snapshots of .*\? No terminal to confirm on/);
    const done = await berth.json<PruneResult>('snapshot', 'prune', volume, '--keep-last', '1', '--yes');
    assert.deepEqual(done.removed, [ids[1], ids[2]]);
    assert.deepEqual(
      (await list()).map(({ id }) => id),
      [ids[0], ids[3], ids[4]],
    );
    assert.match(
      await berth.ok('snapshot', 'prune', volume, '--keep-within', '1h', '--yes'),
      /0 snapshots would go, 3 stay/,
    );
  });

  it('refuses to delete what is protected, until it is not', async () => {
    const refused = await berth.run(['snapshot', 'delete', volume, ids[3] ?? '', '--yes']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, new RegExp(`is protected[^]*berth snapshot unprotect ${volume} ${ids[3]}`));
    assert.match(
      await berth.ok('snapshot', 'show', volume, ids[3] ?? ''),
      /^protected +from delete and prune$/m,
    );
    await berth.ok('snapshot', 'unprotect', volume, ids[3] ?? '');
    await berth.ok('snapshot', 'delete', volume, ids[3] ?? '', '--yes');
  });

  it('wants a rule, and one that can be kept', async () => {
    for (const [argv, message] of [
      [[], /No rule says which snapshots stay[^]*--keep-last/],
      [['--keep-last', '0'], /keepLast|keep-last/],
      [['--keep-daily', '1.5'], /whole number/],
      [['--keep-within', 'soon'], /48h/],
    ] as const) {
      const { code, stderr } = await berth.run(['snapshot', 'prune', volume, ...argv, '--yes']);
      assert.notEqual(code, 0, argv.join(' '));
      assert.match(stderr, message, argv.join(' '));
    }
    assert.equal((await list()).length, 2);
  });
});
