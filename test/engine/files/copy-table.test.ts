/** What `berth cp` plans and a real engine does, in a workspace of either kind, against GNU `cp -r`: a sample of the table. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { resultOf } from '../../../src/api/rules/results';
import { planCopy } from '../../../src/cli/copy/plan';
import { TypedPaths } from '../../../src/cli/typed-paths';
import { casesOf, layAround, things, tree, type Case } from '../../support/files/copy-table';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { describeMostlyOfEngine, testTimeoutMs } from '../../support/runtimes/columns';
import { skipWithout } from '../../support/skip';

/** So many cases apart; no number of spellings, targets or namings has a part in common with it. */
const stride = 29;
const rows: readonly Case[] = Object.keys(things)
  .flatMap((thing) => casesOf(thing))
  .filter((_, index) => index % stride === 0);

describeMostlyOfEngine('files: berth cp in a workspace, held against GNU cp -r', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;
  let local: string;

  before(async function () {
    if (!spawnSync('cp', ['--version'], { encoding: 'utf8' }).stdout.includes('GNU')) {
      skipWithout(this, 'GNU cp');
    }
    ({ name } = await harness().create());
    local = join(harness().folder, 'table');
    for (const side of ['gnu', 'up', 'down']) {
      rows.forEach(([thing, , target], index) => {
        const root = join(local, side, `c${index}`);
        mkdirSync(root, { recursive: true });
        things[thing]?.(layAround(root, target));
      });
    }
    const packed = spawnSync('tar', ['-cz', '-C', local, 'up', 'down']).stdout.toString('base64');
    await harness().sh(name, `cd && printf %s '${packed}' | base64 -d | gzip -d | tar -x`);
  });

  /** Whether all of a copy arrived. */
  async function copied(sources: readonly string[], target: string): Promise<boolean> {
    const { client } = harness();
    const words = { cwd: local, paths: new TypedPaths() };
    const { requests, makeFolder, failed } = await planCopy(client, sources, target, words);
    if (makeFolder !== undefined && 'local' in makeFolder) {
      mkdirSync(makeFolder.local);
    } else if (makeFolder !== undefined) {
      const { volume, path } = makeFolder;
      await client.call('files.mkdir', { params: { volume }, body: { path } });
    }
    let lost = failed.length;
    for (const request of requests) {
      const begun = await client.call('transfers.create', { body: { ...request, conflict: 'overwrite' } });
      lost += resultOf(await harness().done(begun), 'transfer').failed.length;
    }
    return lost === 0;
  }

  function byGnu([, spelling, , naming]: Case, index: number): string[] {
    const root = join(local, 'gnu', `c${index}`);
    const { status } = spawnSync('cp', ['-r', ...spelling.split(' '), naming], { cwd: root });
    return [status === 0 ? 'well' : 'with errors', ...tree(join(root, 't'))];
  }

  it('lays the same as cp -r, up and down', async () => {
    const wells = { up: new Map<number, boolean>(), down: new Map<number, boolean>() };
    for (const [index, [, spelling, , naming]] of rows.entries()) {
      for (const [side, from, to] of [
        ['up', '', `${name}:`],
        ['down', `${name}:`, ''],
      ] as const) {
        const sources = spelling.split(' ').map((each) => `${from}${side}/c${index}/${each}`);
        const isWell = await copied(sources, `${to}${side}/c${index}/${naming}`).catch(() => false);
        wells[side].set(index, isWell);
      }
    }
    const packed = await harness().sh(name, 'cd && tar -c up | gzip | base64');
    const seen = join(local, 'seen');
    mkdirSync(seen);
    spawnSync('tar', ['-xz', '-C', seen], { input: Buffer.from(packed, 'base64') });
    const wrong = rows.flatMap((row, index) => {
      const expected = byGnu(row, index);
      return ([['up', seen] as const, ['down', local] as const] as const).flatMap(([side, root]) => {
        const isWell = wells[side].get(index) === true;
        const actual = [isWell ? 'well' : 'with errors', ...tree(join(root, side, `c${index}`, 't'))];
        const isSame = JSON.stringify(actual) === JSON.stringify(expected);
        return isSame ? [] : [{ case: [side, ...row].join(' | '), expected, actual }];
      });
    });
    assert.deepEqual(wrong, []);
    assert.ok(rows.length > 30, `${rows.length} rows`);
  });

  itLeavesNothing(harness);
});
