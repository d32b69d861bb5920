/** `berth cp` against GNU `cp -r`: every kind of source, in every spelling, to every kind of target, in every direction. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planCopy } from '../../../../src/cli/copy/plan';
import { SmallEngine } from '../../../support/engine/small-engine';
import { skipWithout } from '../../../support/skip';
import { TestVolume } from '../../backend/files/agent/harness';

/** What `s/src` is; `s/f` and `s/d` are there for links, `s/e` to be copied with it. */
const things: Record<string, (at: string) => void> = {
  file: (at) => writeFileSync(at, 'new'),
  folder: (at) => {
    mkdirSync(join(at, 'sub'), { recursive: true });
    writeFileSync(join(at, 'sub', 'x'), 'x');
    symlinkSync('sub/x', join(at, 'l'));
  },
  'empty folder': (at) => mkdirSync(at),
  'link to a file': (at) => symlinkSync('f', at),
  'link to a folder': (at) => symlinkSync('d', at),
  'link to nothing': (at) => symlinkSync('nowhere', at),
  nothing: () => undefined,
};
const spellings = ['s/src', 's/src/', 's/src/.', 's/d/../src/.', 's/f s/src', 's/src/. s/e'];
/** What `t/to` is. */
const targets: Record<string, (at: string) => void> = {
  nothing: () => undefined,
  folder: (at) => mkdirSync(at),
  file: (at) => writeFileSync(at, 'old'),
  'link to a file': (at) => {
    writeFileSync(join(at, '..', 'f'), 'old');
    symlinkSync('f', at);
  },
  'link to a folder': (at) => {
    mkdirSync(join(at, '..', 'd'));
    symlinkSync('d', at);
  },
  'link to nothing': (at) => symlinkSync('nowhere', at),
  'folder with a file of that name': (at) => {
    mkdirSync(at);
    writeFileSync(join(at, 'src'), 'old');
  },
  'folder with a folder of that name': (at) => mkdirSync(join(at, 'src', 'old'), { recursive: true }),
};
const namings = ['t/to', 't/to/', 't/to/.', 't/none/to'];
const directions = ['up', 'down', 'across'] as const;

type Case = readonly [thing: string, spelling: string, target: string, naming: string];

/** The plain spellings in every direction, the others in one after the other. */
function directionsOf([, spelling, , naming]: Case, index: number): readonly (typeof directions)[number][] {
  return spellings.indexOf(spelling) < 3 && naming === 't/to'
    ? directions
    : directions.slice(index % 3).slice(0, 1);
}

function lay(root: string, thing: string, target: string): void {
  mkdirSync(join(root, 's', 'd'), { recursive: true });
  mkdirSync(join(root, 't'));
  mkdirSync(join(root, 's', 'e'));
  writeFileSync(join(root, 's', 'f'), 'f');
  writeFileSync(join(root, 's', 'd', 'in'), 'in');
  things[thing]!(join(root, 's', 'src'));
  targets[target]!(join(root, 't', 'to'));
}

/** All at and below a folder, as text. */
function tree(folder: string, name = ''): string[] {
  return readdirSync(join(folder, name))
    .sort()
    .flatMap((child) => {
      const path = join(name, child);
      const status = lstatSync(join(folder, path));
      if (status.isDirectory()) {
        return [`${path}/`, ...tree(folder, path)];
      }
      return status.isSymbolicLink()
        ? [`${path} -> ${readlinkSync(join(folder, path))}`]
        : [`${path}: ${readFileSync(join(folder, path), 'utf8')}`];
    });
}

describe('berth cp, held against GNU cp -r', function () {
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
    one = await TestVolume.create('one');
    two = await TestVolume.create('two');
    engine = new SmallEngine({ w: 'one', v: 'two' }, { one, two }, join(local, 'records'));
  });
  after(async () => {
    await one.dispose();
    await two.dispose();
    rmSync(local, { recursive: true, force: true });
  });

  /** What there is afterwards, and whether all was well. */
  async function byBerth(
    direction: (typeof directions)[number],
    [thing, spelling, target, naming]: Case,
  ): Promise<string[]> {
    const at = `c${(made += 1)}`;
    const [from, to] = {
      up: [local, one.root],
      down: [one.root, local],
      across: [one.root, two.root],
    }[direction] as [string, string];
    for (const root of new Set([from, to])) {
      lay(join(root, at), thing, target);
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
    const { requests, makeFolder, failed } = await planCopy(engine.client, sources, target, local);
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
    lay(root, thing, target);
    const { status } = spawnSync('cp', ['-r', ...spelling.split(' '), naming], { cwd: root });
    return [status === 0 ? 'well' : 'with errors', ...tree(join(root, 't'))];
  }

  for (const thing of Object.keys(things)) {
    it(`copies a ${thing}`, async () => {
      const cases = spellings.flatMap((spelling) =>
        Object.keys(targets).flatMap((target) =>
          namings
            .filter((naming) => !naming.includes('none') || target === 'nothing')
            .map((naming) => [thing, spelling, target, naming] as const),
        ),
      );
      const wrong: unknown[] = [];
      const queue = cases.map((each, index) => ({ each, index }));
      const work = async (): Promise<void> => {
        for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
          const { each, index } = next;
          const expected = byGnu(each);
          for (const direction of directionsOf(each, index)) {
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
