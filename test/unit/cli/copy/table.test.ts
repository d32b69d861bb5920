/** `berth cp` against GNU `cp -r`: every kind of source, in every spelling, to every kind of target, in every direction. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planCopy } from '../../../../src/cli/copy/plan';
import { TypedPaths } from '../../../../src/cli/typed-paths';
import { casesOf, layAround, spellings, things, tree, type Case } from '../../../support/files/copy-table';
import { SmallEngine } from '../../../support/engine/small-engine';
import { isRoot, ordinaryUser, skipWithout } from '../../../support/skip';
import { times } from '../../../support/soak';
import { TestVolume } from '../../backend/files/agent/harness';
import { removeTree } from '../../../support/temp';

/** What not every way can carry; `left`: in which directions, and how `cp` shows what stays behind. */
const oddThings: Record<string, { make: (at: string) => void; left?: Partial<Record<Direction, string>> }> = {
  'folder with a fifo': {
    make: (at) => execFileSync('mkfifo', [join(at, 'odd')]),
    left: { up: 'odd is a fifo', down: 'odd is a fifo' },
  },
  'folder with a socket': {
    make: (at) => linkSync(join(socketFolder, 'socket'), join(at, 'odd')),
    left: { up: 'odd is a socket', down: 'odd is a socket', across: 'odd is a socket' },
  },
  'folder with a link that leads out': {
    make: (at) => symlinkSync('../../../../out', join(at, 'odd')),
    left: { down: 'odd -> ../../../../out' },
  },
  'deep tree': {
    make: (at) =>
      mkdirSync(join(at, ...Array.from({ length: 60 }, () => 'level-by-level-by-level')), {
        recursive: true,
      }),
  },
};
const makeSocket = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';
/** Has one, which is the same under all its names. */
let socketFolder = '';
const directions = ['up', 'down', 'across'] as const;
type Direction = (typeof directions)[number];

const isPlain = ([, spelling, , naming]: Case): boolean =>
  spellings.indexOf(spelling) < 3 && naming === 't/to';

/** The plain spellings in every direction, the others in one after the other. */
const directionsOf = (each: Case, index: number): readonly Direction[] =>
  isPlain(each) ? directions : directions.slice(Math.floor(index / 3) % 3).slice(0, 1);

/** Of the others a third for each thing, another one for the next thing; all of them in a soak. */
const isTaken = (each: Case, index: number): boolean =>
  isPlain(each) || (index + Object.keys(things).indexOf(each[0])) % times(3, 1) === 0;

function lay(root: string, thing: string, target: string): void {
  const src = layAround(root, target);
  const odd = oddThings[thing];
  if (odd !== undefined) {
    mkdirSync(src);
    writeFileSync(join(src, 'beside'), 'beside');
    odd.make(src);
  } else if (thing === unreadable) {
    mkdirSync(join(src, 'secret'), { recursive: true });
    writeFileSync(join(src, 'secret', 'f'), 'f');
    writeFileSync(join(src, 'beside'), 'beside');
    chmodSync(join(src, 'secret'), 0);
  } else {
    things[thing]!(src);
  }
}

const unreadable = 'folder with one that nobody may read';

/** What `cp` leaves, without what Berth can't carry that way. */
function expectedOf(gnu: string[], thing: string, direction: Direction): string[] {
  const left = oddThings[thing]?.left?.[direction];
  return left === undefined || !gnu.some((line) => line.endsWith(left))
    ? gnu
    : ['with errors', ...gnu.slice(1).filter((line) => !line.endsWith(left))];
}

function compare(title: string, tables: Readonly<Record<string, () => Iterable<Row>>>, uid?: number): void {
  describe(title, function () {
    this.timeout(300_000);
    let one: TestVolume;
    let two: TestVolume;
    let local: string;
    let engine: SmallEngine;
    let made = 0;

    before(async function () {
      if (!spawnSync('cp', ['--version'], { encoding: 'utf8' }).stdout.includes('GNU')) {
        skipWithout(this, 'GNU cp');
      }
      local = mkdtempSync(join(tmpdir(), 'berth-table-'));
      mkdirSync(join(local, 'records'));
      chmodSync(local, 0o755);
      one = await TestVolume.create('one', { uid });
      two = await TestVolume.create('two', { uid });
      engine = new SmallEngine({ w: 'one', v: 'two' }, { one, two }, join(local, 'records'));
    });
    after(async () => {
      await one.dispose();
      await two.dispose();
      removeTree(local);
    });

    function layFor(root: string, thing: string, target: string): void {
      lay(root, thing, target);
      if (uid !== undefined && isRoot) {
        execFileSync('chown', ['-Rh', String(uid), root]);
      }
    }

    /** What there is afterwards, and whether all was well. */
    async function byBerth(direction: Direction, [thing, spelling, target, naming]: Case): Promise<string[]> {
      const at = `c${(made += 1)}`;
      const [from, to] = {
        up: [local, one.root],
        down: [one.root, local],
        across: [one.root, two.root],
      }[direction] as [string, string];
      for (const root of new Set([from, to])) {
        layFor(join(root, at), thing, target);
      }
      const [fromName, toName] = { up: ['', 'w:'], down: ['w:', ''], across: ['w:', 'v:'] }[direction] as [
        string,
        string,
      ];
      const sources = spelling.split(' ').map((each) => `${fromName}${at}/${each}`);
      const isWell = await copied(sources, `${toName}${at}/${naming}`).catch(() => false);
      return [isWell ? 'well' : 'with errors', ...tree(join(to, at, 't'))];
    }

    async function copied(sources: readonly string[], target: string): Promise<boolean> {
      const { requests, makeFolder, failed } = await planCopy(engine.client, sources, target, {
        cwd: local,
        paths: new TypedPaths(),
      });
      if (makeFolder !== undefined) {
        await ('local' in makeFolder
          ? mkdir(makeFolder.local)
          : (makeFolder.volume === 'one' ? one : two).files.mkdir(makeFolder.path));
      }
      const all = failed.map(({ message }) => message);
      for (const request of requests) {
        const result = await engine.run({ ...request, conflict: 'overwrite' });
        all.push(...result.failed.map(({ path }) => path));
      }
      return all.length === 0;
    }

    function byGnu([thing, spelling, target, naming]: Case): string[] {
      const root = join(local, `gnu${(made += 1)}`);
      layFor(root, thing, target);
      const { status } = spawnSync('cp', ['-r', ...spelling.split(' '), naming], {
        cwd: root,
        ...(uid !== undefined && { uid }),
      });
      return [status === 0 ? 'well' : 'with errors', ...tree(join(root, 't'))];
    }

    for (const [name, rows] of Object.entries(tables)) {
      it(name, async () => {
        const wrong: unknown[] = [];
        const queue = [...rows()];
        const work = async (): Promise<void> => {
          for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
            const { each, ways } = next;
            const gnu = byGnu(each);
            for (const direction of ways) {
              const expected = expectedOf(gnu, each[0], direction);
              const actual = await byBerth(direction, each);
              if (JSON.stringify(actual) !== JSON.stringify(expected)) {
                wrong.push({ case: [direction, ...each].join(' | '), expected, actual });
              }
            }
          }
        };
        await Promise.all(Array.from({ length: 8 }, work));
        assert.deepEqual(wrong, []);
      });
    }
  });
}

interface Row {
  each: Case;
  ways: readonly Direction[];
}

function rowsOf(thing: string): Row[] {
  const rows = casesOf(thing).map((each, index) => ({ each, index }));
  return rows
    .filter(({ each, index }) => isTaken(each, index))
    .map(({ each, index }) => ({ each, ways: directionsOf(each, index) }));
}

/** The plain cases: what the thing is made of is the matter here. */
function plainRowsOf(thing: string, ways: readonly Direction[] = directions): Row[] {
  return ['s/src', 's/src/.', 's/f s/src'].flatMap((spelling) =>
    ['nothing', 'folder', 'folder with a folder of that name'].map((target) => ({
      each: [thing, spelling, target, 't/to'] as const,
      ways,
    })),
  );
}

before(() => {
  socketFolder = mkdtempSync(join(tmpdir(), 'berth-socket-'));
  execFileSync('python3', ['-c', makeSocket, join(socketFolder, 'socket')]);
});
after(() => rmSync(socketFolder, { recursive: true, force: true }));

compare('berth cp, held against GNU cp -r', {
  ...Object.fromEntries(Object.keys(things).map((thing) => [`copies a ${thing}`, () => rowsOf(thing)])),
  ...Object.fromEntries(
    Object.keys(oddThings).map((thing) => [`copies what it can of a ${thing}`, () => plainRowsOf(thing)]),
  ),
});
compare(
  'berth cp of an ordinary user, held against GNU cp -r',
  {
    // This process, which reads what goes up, may be root's.
    [`copies what it can of a ${unreadable}`]: () =>
      plainRowsOf(unreadable, isRoot ? ['down', 'across'] : directions),
  },
  ordinaryUser,
);
