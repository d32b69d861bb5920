/** What every way into, through and out of a volume keeps of files. `cp -a` and GNU tar are the measure. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TransferCreate } from '../../../src/api/files/schemas';
import type { TransferResult } from '../../../src/api/operations/schemas';
import { keptReasons } from '../../../src/backend/files/kept';
import type { VolumeFiles } from '../../../src/backend/files/volume-files';
import type { OperationContext } from '../../../src/backend/services/operations/operation-context';
import { DownloadDrafts } from '../../../src/backend/store/download-drafts';
import { Transfers } from '../../../src/backend/services/transfers/transfers';
import { accessList, attributesAt, setAttribute } from './file-facts';
import { differences, factsOf, generateTree } from './generated-tree';
import { removeTree } from '../temp';

class Context implements OperationContext {
  readonly signal = new AbortController().signal;
  readonly warnings: string[] = [];
  /** Done before a step of that name. */
  constructor(private readonly before: Readonly<Record<string, () => Promise<void>>> = {}) {}
  progress(): void {
    // nobody looks
  }
  warn(text: string): void {
    this.warnings.push(text);
  }
  async step<T>(name: string, _title: string, run: () => Promise<T>): Promise<T> {
    await this.before[name]?.();
    return run();
  }
}

export interface Door {
  files: () => Promise<VolumeFiles>;
  /** How many generated trees go through. */
  seeds: readonly number[];
}

/** Defines the tests of one door; the volume is the caller's. */
export function filesKeepWhatTheyAre(door: Door): void {
  let local: string;
  const at = (...path: string[]): string => join(local, ...path);

  const transfer = async (request: TransferCreate, context: Context): Promise<TransferResult> => {
    const files = await door.files();
    const transfers = new Transfers({
      openFiles: () => Promise.resolve(files),
      drafts: new DownloadDrafts(at('records')),
    });
    return transfers.run(request, context);
  };
  const run = async (request: TransferCreate): Promise<string[]> => {
    const context = new Context();
    const result = await transfer(request, context);
    assert.deepEqual([result.failed, result.skipped], [[], []]);
    return context.warnings;
  };

  beforeEach(() => {
    local = mkdtempSync(join(tmpdir(), 'berth-conformance-'));
  });
  afterEach(() => removeTree(local));

  for (const seed of door.seeds) {
    it(`up, inside and down again a tree is as \`cp -a\` leaves it (seed ${seed})`, async () => {
      const before = process.umask([0o000, 0o022, 0o077][seed % 3] ?? 0);
      try {
        generateTree(at('tree'), seed);
        mkdirSync(at('yardstick'));
        execFileSync('cp', ['-a', at('tree'), at('yardstick')]);
        const name = `tree-${seed}`;
        const warnings = [
          ...(await run({
            from: { local: [at('tree')] },
            to: { volume: 'v', path: `/${name}` },
            exact: true,
          })),
          ...(await run({
            from: { volume: 'v', paths: [`/${name}`] },
            to: { volume: 'v', path: `/${name}-copy` },
            exact: true,
          })),
          ...(await run({
            from: { volume: 'v', paths: [`/${name}-copy`] },
            to: { local: at('back') },
            exact: true,
          })),
        ];
        assert.deepEqual(warnings, []);
        const [expected, found] = [factsOf(at('yardstick/tree')), factsOf(at('back'))];
        assert.deepEqual(differences(factsOf(at('tree')), expected), [], 'cp -a itself');
        assert.deepEqual(differences(expected, found), []);
      } finally {
        process.umask(before);
        const files = await door.files();
        for (const path of [`/tree-${seed}`, `/tree-${seed}-copy`]) {
          await files.remove(path, { recursive: true }).catch(() => undefined);
        }
      }
    });
  }

  it('a save keeps names, attributes and access lists of a file, and says which rights went', async () => {
    mkdirSync(at('saved'));
    for (const name of ['linked', 'listed', 'own']) {
      writeFileSync(at('saved', name), 'old', { mode: 0o640 });
      setAttribute(at('saved', name), 'user.kept', 'value');
    }
    linkSync(at('saved/linked'), at('saved/other'));
    setAttribute(at('saved/listed'), 'system.posix_acl_access', accessList);
    const lists = attributesAt(at('saved/listed'));
    await run({ from: { local: [at('saved')] }, to: { volume: 'v', path: '/' } });
    const files = await door.files();
    try {
      const large = randomBytes(3_000_000);
      const over = { create: false, overwrite: true };
      await files.write('/saved/linked', Readable.from([large]), over);
      await files.write('/saved/listed', Buffer.from('new'), over);
      await files.chmod('/saved/own', 0o4750);
      assert.deepEqual((await files.write('/saved/own', Buffer.from('new'), over)).dropped, ['setuid']);
      assert.equal((await files.write('/saved/own', Buffer.from('newer'), over)).dropped, undefined);
      await run({ from: { volume: 'v', paths: ['/saved'] }, to: { local: at('back') }, exact: true });
      assert.deepEqual(readFileSync(at('back/linked')), large);
      assert.equal(statSync(at('back/other')).ino, statSync(at('back/linked')).ino);
      assert.equal(readFileSync(at('back/listed'), 'utf8'), 'new');
      assert.equal(readFileSync(at('back/own'), 'utf8'), 'newer');
      assert.equal(statSync(at('back/own')).mode & 0o7777, 0o750);
      for (const name of ['linked', 'own']) {
        assert.deepEqual(attributesAt(at('back', name)), attributesAt(at('saved', name)), name);
      }
      assert.deepEqual(attributesAt(at('back/listed')), lists);
    } finally {
      await files.remove('/saved', { recursive: true });
    }
  });

  it('a move out or over a folder removes what was copied, not what came or changed meanwhile', async () => {
    const files = await door.files();
    const change = async (): Promise<void> => {
      await files.write('/moved/sub/new', Buffer.from('new'), { create: true, overwrite: false });
      await files.chmod('/moved/deep/er/b', 0o640);
    };
    try {
      for (const to of [{ local }, { volume: 'v', path: '/there' }]) {
        for (const name of ['tree/a', 'tree/deep/er/b', 'tree/sub/c']) {
          mkdirSync(join(at(name), '..'), { recursive: true });
          writeFileSync(at(name), name, { mode: 0o600 });
        }
        mkdirSync(at('tree/empty'), { recursive: true });
        await files.mkdir('/there/moved', { parents: true });
        await run({ from: { local: [at('tree')] }, to: { volume: 'v', path: '/moved' }, exact: true });
        const { failed } = await transfer(
          { from: { volume: 'v', paths: ['/moved'] }, to, move: true, conflict: 'overwrite' },
          new Context({ place: change }),
        );
        assert.deepEqual(failed.map(({ path, reason }) => [path, reason]).sort(), [
          ['/moved/deep/er/b', keptReasons.changed],
          ['/moved/sub/new', keptReasons.came],
        ]);
        const names = (await files.list('/moved')).entries.map(({ name }) => name);
        assert.deepEqual([names, (await files.usage('/moved')).files], [['deep', 'sub'], 2]);
        await files.remove('/moved', { recursive: true });
      }
      assert.equal(readFileSync(at('moved/deep/er/b'), 'utf8'), 'tree/deep/er/b');
      assert.equal((await files.usage('/there')).files, 3);
    } finally {
      await files.remove('/there', { recursive: true });
    }
  });

  it('a file of 20 GiB without data takes neither time nor room, up, inside and down', async () => {
    execFileSync('truncate', ['-s', '20G', at('hole')]);
    const began = Date.now();
    await run({ from: { local: [at('hole')] }, to: { volume: 'v', path: '/' } });
    await run({
      from: { volume: 'v', paths: ['/hole'] },
      to: { volume: 'v', path: '/hole-copy' },
      exact: true,
    });
    await run({ from: { volume: 'v', paths: ['/hole-copy'] }, to: { local: at('back') }, exact: true });
    const [row] = Object.values(factsOf(at('back')));
    assert.deepEqual([row?.size, row?.data], [20 * 1024 ** 3, 0]);
    const files = await door.files();
    assert.ok((await files.usage('/hole-copy')).allocated < 100_000);
    await files.remove('/hole', { recursive: false });
    await files.remove('/hole-copy', { recursive: false });
    assert.ok(Date.now() - began < 60_000, `it took ${Date.now() - began} ms`);
  });
}
