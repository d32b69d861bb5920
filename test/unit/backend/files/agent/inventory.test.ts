/** What agents may answer an inventory with, and what they do. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentAccess } from '../../../../../src/backend/files/agent/access';
import type { AgentChannel } from '../../../../../src/backend/files/agent/channel';
import { openInventory } from '../../../../../src/backend/files/agent/inventory';
import type { InventoryFolder } from '../../../../../src/backend/files/inventory';
import { failure } from '../../../../support/errors';
import { succeed } from '../../../../support/programs';
import { removeTree } from '../../../../support/temp';
import { TestDisk } from '../disk/harness';
import { TestVolume } from './harness';

type Page = Record<string, unknown>;
const row = (name: string): unknown[] => [name, 0o100644, 0, 0, 1, 0, 0, null, null];
const own = [...row('')];

/** Answers with the pages of a list. */
function answering(pages: Iterable<Page>): AgentAccess {
  const left = pages[Symbol.iterator]();
  const channel = {
    request: (op: string) => {
      if (op === 'inventory_open') {
        return Promise.resolve({ ok: { handle: 1, root: own, real: '/' } });
      }
      const next = left.next();
      const page = next.done === true ? { end: true } : next.value;
      return Promise.resolve({ ok: { lines: [], failed: [], ...page } });
    },
  };
  return {
    volume: 'test',
    channel: () => Promise.resolve(channel as unknown as AgentChannel),
    hold: () => () => undefined,
  };
}

async function foldersOf(pages: Iterable<Page>): Promise<InventoryFolder[]> {
  const inventory = await openInventory(answering(pages), '/', {});
  const found: InventoryFolder[] = [];
  for await (const folder of inventory.folders(() => undefined)) found.push(folder);
  return found;
}

describe('what an agent answers an inventory with', function () {
  this.timeout(60_000);

  it('may be a folder in several pages, in order', async () => {
    const found = await foldersOf([
      { lines: [[[], own, [row('a'), row('b')]]] },
      {
        lines: [
          [[], null, [row('c')]],
          [['d'], own, []],
        ],
      },
    ]);
    assert.deepEqual(
      found.map(({ parts, rows }) => [parts, rows.map(({ name }) => name)]),
      [
        [[], ['a', 'b', 'c']],
        [['d'], []],
      ],
    );
  });

  it('is refused with names that none can be, in another order, and without a name more', async () => {
    const bad = ['', '.', '..', 'a/b', 'a\0b', 'x'.repeat(1025)];
    const answers: Page[][] = [
      ...bad.map((name) => [{ lines: [[[], own, [row(name)]]] }]),
      ...bad.map((name) => [
        {
          lines: [
            [[], own, []],
            [[name], own, []],
          ],
        },
      ]),
      [{ lines: [[[], own, [row('b'), row('a')]]] }],
      [{ lines: [[[], own, [row('b')]]] }, { lines: [[[], null, [row('a')]]] }],
      [{ lines: [[[], own, [row('b')]]] }, { lines: [[[], null, [row('b')]]] }],
      [{ lines: [[[], own, [row('b')]]] }, { lines: [[[], null, []]] }],
      [
        {
          lines: [
            [['b'], own, []],
            [['a'], own, []],
          ],
        },
      ],
      [
        {
          lines: [
            [['b'], own, []],
            [['b'], own, []],
          ],
        },
      ],
      [{ lines: [[[], null, [row('a')]]] }],
      [{ lines: [[[], own, [[...row('a').slice(0, 8), 'x'.repeat(129)]]]] }],
    ];
    for (const pages of answers) {
      await failure(foldersOf(pages), 'internal');
    }
  });

  it('is given up in a folder that never ends, and among failures that never do', async () => {
    function* endless(): Generator<Page> {
      yield { lines: [[[], own, []]] };
      for (let page = 0; ; page++) {
        const name = (at: number): string => String(page * 4000 + at).padStart(12, '0');
        yield { lines: [[[], null, Array.from({ length: 4000 }, (_, at) => row(name(at)))]] };
      }
    }
    const error = await failure(foldersOf(endless()), 'too_large');
    assert.match(error.message, /more than 1000000 names in one folder/);
    function* failing(): Generator<Page> {
      for (;;) yield { failed: Array.from({ length: 4000 }, () => ({ path: '/a', code: 'forbidden' })) };
    }
    await failure(foldersOf(failing()), 'too_large');
  });

  it('notices a name out of order before its folder ends', async () => {
    let asked = 0;
    function* pages(): Generator<Page> {
      yield { lines: [[[], own, [row('a')]]] };
      for (; asked < 100; asked++) yield { lines: [[[], null, [row('0')]]] };
    }
    await failure(foldersOf(pages()), 'internal');
    assert.ok(asked < 3, `${asked} pages`);
  });
});

describe('inventories of agents', function () {
  this.timeout(60_000);
  let top: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'berth-inventory-'));
  });
  afterEach(() => removeTree(top));

  /** Folders deep below others, each path long. */
  const make = `
import os, sys
os.chdir(sys.argv[1])
for depth in range(14):
    name = chr(97 + depth) * 250
    os.mkdir(name, 0o755)
    os.chdir(name)
for number in range(700):
    os.mkdir("%04d" % number, 0o755)
`;

  async function pagesOf(access: AgentAccess): Promise<{ longest: number; folders: number; pages: number }> {
    const channel = await access.channel();
    const { ok } = await channel.request('inventory_open', { path: '/', without: [] });
    const said = { longest: 0, folders: 0, pages: 0 };
    for (let ended = false; !ended;) {
      const page = (await channel.request('inventory_next', { handle: ok.handle })).ok;
      said.longest = Math.max(said.longest, JSON.stringify(page).length);
      said.folders += (page.lines as unknown[]).length;
      said.pages += 1;
      ended = page.end === true;
    }
    await channel.request('inventory_close', { handle: ok.handle });
    return said;
  }

  it('come in pages that are not long, however long the names are', async () => {
    const volume = await TestVolume.create();
    try {
      await succeed('python3', ['-c', make, volume.root]);
      const said = await pagesOf(volume);
      assert.equal(said.folders, 715);
      assert.ok(said.pages > 1 && said.longest < 2 * 1024 * 1024, JSON.stringify(said));
    } finally {
      await volume.dispose();
    }
  });

  it('of disks as well', async () => {
    mkdirSync(join(top, 'disk'));
    const disk = await TestDisk.create(join(top, 'disk'), { sizeMiB: 64 });
    try {
      const deep = Array.from({ length: 14 }, (_, at) => `/${String.fromCharCode(97 + at).repeat(250)}`);
      for (let depth = 1; depth <= deep.length; depth++) {
        await disk.files.mkdir(deep.slice(0, depth).join(''));
      }
      for (let number = 0; number < 500; number++) {
        await disk.files.mkdir(`${deep.join('')}/${String(number).padStart(4, '0')}`);
      }
      const said = await pagesOf(disk.access);
      assert.equal(said.folders, 515);
      assert.ok(said.pages > 1 && said.longest < 2 * 1024 * 1024, JSON.stringify(said));
    } finally {
      await disk.dispose();
    }
  });

  it('give no mark where a disk has times of whole seconds', async () => {
    for (const [size, isMarked] of [
      ['128', false],
      ['256', true],
    ] as const) {
      mkdirSync(join(top, size));
      const disk = await TestDisk.create(join(top, size), { sizeMiB: 32, mke2fs: ['-I', size] });
      try {
        await disk.files.write('/a', Buffer.from('a'), { create: true, overwrite: true });
        const inventory = await disk.files.inventory('/', {}, new AbortController().signal);
        const marks: (string | undefined)[] = [];
        for await (const { rows } of inventory.folders(() => undefined)) marks.push(rows[0]?.mark);
        await inventory.close();
        assert.deepEqual([marks.length, marks[0] !== undefined], [1, isMarked], size);
      } finally {
        await disk.dispose();
      }
    }
  });

  it('say what could not be read in pages as well, before what comes after it', async () => {
    const before = `
import os, re
real = os.scandir
def scandir(folder):
    if re.search("/f[0-9]{4}$", os.readlink("/proc/self/fd/%d" % folder)):
        raise PermissionError(13, "no")
    return real(folder)
os.scandir = scandir
`;
    const volume = await TestVolume.create('test', { before });
    try {
      for (let at = 0; at < 6000; at++) mkdirSync(join(volume.root, `f${String(at).padStart(4, '0')}`));
      mkdirSync(join(volume.root, 'z'));
      const inventory = await volume.files.inventory('/', {}, new AbortController().signal);
      let failed = 0;
      const found: [string, number][] = [];
      for await (const { parts } of inventory.folders(() => failed++)) found.push([parts.join('/'), failed]);
      await inventory.close();
      assert.deepEqual(found.at(-1), ['z', 6000]);
    } finally {
      await volume.dispose();
    }
  });

  it('are closed while they are read without keeping others waiting', async () => {
    const before = `
import os, time
real = os.scandir
def scandir(folder):
    time.sleep(1.5)
    return real(folder)
os.scandir = scandir
`;
    const volume = await TestVolume.create('test', { before });
    try {
      mkdirSync(join(volume.root, 'sub'));
      const channel = await volume.channel();
      const { ok } = await channel.request('inventory_open', { path: '/', without: [] });
      const next = channel.request('inventory_next', { handle: ok.handle });
      const closed = channel.request('inventory_close', { handle: ok.handle });
      let isClosed = false;
      void closed.then(() => (isClosed = true));
      await channel.request('stat', { path: '/' });
      assert.equal(isClosed, false, 'others are answered meanwhile');
      // It ends where it is: not after all that is left.
      await failure(next, 'cancelled');
      await closed;
    } finally {
      await volume.dispose();
    }
  });
});
