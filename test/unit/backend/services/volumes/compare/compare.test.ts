import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Change, CompareEnd, CompareFailure } from '../../../../../../src/api/files/compare';
import { AgentFiles } from '../../../../../../src/backend/files/agent/agent-files';
import type { AgentAccess } from '../../../../../../src/backend/files/agent/access';
import type { VolumeFiles } from '../../../../../../src/backend/files/volume-files';
import { Comparison, type Compared } from '../../../../../../src/backend/services/volumes/compare/compare';
import {
  copyTree,
  expectedChanges,
  mutateTree,
  rsyncCount,
} from '../../../../../support/files/compared-trees';
import { removeTree } from '../../../../../support/temp';
import { succeed } from '../../../../../support/programs';
import { times } from '../../../../../support/soak';
import { agentDir, startAgent, type Agent } from '../../../files/agent/harness';
import { TestDisk } from '../../../files/disk/harness';

const rounds = times(3, 6);

interface Said {
  changes: Change[];
  failed: CompareFailure[];
  end: CompareEnd;
}

async function compare(compared: Compared): Promise<Said> {
  const said: Partial<Said> & Pick<Said, 'changes' | 'failed'> = { changes: [], failed: [] };
  const report = (event: object): Promise<void> => {
    if ('changes' in event) said.changes.push(...(event.changes as Change[]));
    if ('failed' in event) said.failed.push(...(event.failed as CompareFailure[]));
    if ('end' in event) said.end = event.end as CompareEnd;
    return Promise.resolve();
  };
  await new Comparison(compared, report, new AbortController().signal).run();
  assert.ok(said.end !== undefined);
  return { ...said, end: said.end };
}

function kindsOf(changes: readonly Change[]): Record<string, string> {
  const paths = changes.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length, 'each path once');
  return Object.fromEntries(changes.map(({ path, kind }) => [path, kind]));
}

describe('comparing trees', function () {
  this.timeout(240_000);
  let top: string;
  const ends: (() => Promise<void> | void)[] = [];

  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'berth-compare-'));
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    removeTree(top);
  });

  async function open(root: string, hasManifest = false): Promise<VolumeFiles> {
    const agent: Agent = await startAgent(root);
    const access: AgentAccess = {
      ...{ volume: 'test', hasManifest },
      channel: () => Promise.resolve(agent.channel),
      hold: () => () => undefined,
    };
    ends.push(() => agent.channel.end());
    return new AgentFiles(access);
  }

  async function disk(root: string, name: string): Promise<VolumeFiles> {
    mkdirSync(join(top, name));
    const made = await TestDisk.create(join(top, name), { sizeMiB: 256 });
    ends.push(() => made.dispose());
    const tar = execFileSync('tar', ['-C', root, '--xattrs', '--sparse', '--format=pax', '-cf', '-', '.'], {
      maxBuffer: 512 * 1024 * 1024,
    });
    const stage = await made.files.stage();
    await made.files.putTar(stage, Readable.from([tar]), undefined, { keepRights: true });
    const { failed } = await made.files.merge(stage, '/', 'overwrite');
    assert.deepEqual(failed, []);
    return made.files;
  }

  /** A snapshot, by the program that makes those of Docker volumes. */
  async function snapshot(live: string, store: string, id: string): Promise<string> {
    const run =
      'import sys; sys.path.insert(0, sys.argv[1]); sys.dont_write_bytecode = True; import snapshots; snapshots.main(*sys.argv[2:])';
    const requests = [{ op: 'create', id, volume: 'v' }, { op: 'settle' }, { op: 'finish' }];
    const talk = `
import json, subprocess, sys
child = subprocess.Popen([sys.executable, "-B", "-c", sys.argv[1], *sys.argv[2:5]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
for line, wanted in zip(json.loads(sys.argv[5]), ("filled", "settled", "done")):
    child.stdin.write(json.dumps(line).encode() + b"\\n")
    child.stdin.flush()
    while wanted not in (answer := json.loads(child.stdout.readline())):
        assert "error" not in answer, answer
child.stdin.close()
child.wait()
`;
    const argv = ['-c', talk, run, agentDir, live, store, JSON.stringify(requests)];
    await succeed('python3', argv, { timeoutMs: 120_000 });
    return join(store, id, 'tree');
  }

  function twoTrees(seed: number): { one: string; other: string } {
    const [one, other] = [join(top, 'one'), join(top, 'other')];
    [one, other].forEach((path) => mkdirSync(path));
    mutateTree(one, seed + 1, 150);
    copyTree(one, other);
    mutateTree(other, seed + 2, 25);
    return { one, other };
  }

  for (let round = 0; round < rounds; round++) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    it(`says of made-up folders what reading them says (${seed})`, async () => {
      const { one, other } = twoTrees(seed);
      const [before, after] = [await open(one), await open(other)];
      const said = await compare({
        before: { files: before, path: '/' },
        after: { files: after, path: '/' },
        isOneVolume: false,
      });
      const expected = expectedChanges(one, other);
      assert.deepEqual(kindsOf(said.changes), expected);
      assert.deepEqual(said.failed, []);
      const count = (...kinds: string[]): number =>
        Object.values(expected).filter((kind) => kinds.includes(kind)).length;
      const { added, removed, changed, metadata } = said.end;
      assert.deepEqual(
        { added, removed, changed, metadata },
        {
          ...{ added: count('added'), removed: count('removed') },
          ...{ changed: count('changed', 'type'), metadata: count('metadata') },
        },
      );
      const files = said.changes.filter(
        ({ kind, after: is, what }) =>
          is?.type === 'file' && (kind === 'added' || kind === 'type' || what?.includes('content') === true),
      );
      assert.equal(files.length, rsyncCount(one, other).sent);
    });
  }

  for (let round = 0; round < rounds / 3; round++) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    it(`says the same of a disk and a folder, and of two disks (${seed})`, async () => {
      const { one, other } = twoTrees(seed);
      const expected = expectedChanges(one, other);
      const [first, second] = [await disk(one, 'd1'), await disk(other, 'd2')];
      const folder = await open(other);
      for (const after of [folder, second]) {
        const said = await compare({
          before: { files: first, path: '/' },
          after: { files: after, path: '/' },
          isOneVolume: false,
        });
        const kinds = kindsOf(said.changes);
        // The root of a disk is its own.
        const { '/': _own, ...rest } = kinds;
        const { '/': _folder, ...wanted } = expected;
        assert.deepEqual(rest, wanted);
      }
    });

    it(`says it of a snapshot and now, and of two snapshots, by their manifests (${seed})`, async () => {
      const [live, store, copy] = [join(top, 'live'), join(top, 'store'), join(top, 'copy')];
      [live, store, copy].forEach((path) => mkdirSync(path));
      mutateTree(live, seed + 1, 150);
      const first = await snapshot(live, store, 'a'.repeat(12));
      copyTree(live, copy);
      mutateTree(live, seed + 2, 25);
      const wanted = expectedChanges(copy, live);
      const [old, now] = [await open(first, true), await open(live)];
      const withNow = await compare({
        before: { files: old, path: '/' },
        after: { files: now, path: '/' },
        isOneVolume: true,
      });
      assert.deepEqual(kindsOf(withNow.changes), wanted);
      const second = await open(await snapshot(live, store, 'b'.repeat(12)), true);
      for (const isOneVolume of [true, false]) {
        const said = await compare({
          before: { files: old, path: '/' },
          after: { files: second, path: '/' },
          isOneVolume,
        });
        assert.deepEqual(kindsOf(said.changes), wanted);
      }
    });
  }

  it('compares 20,000 files with their snapshot in a second', async () => {
    const [live, store] = [join(top, 'live'), join(top, 'store')];
    [live, store].forEach((path) => mkdirSync(path));
    for (let folder = 0; folder < 200; folder++) {
      mkdirSync(join(live, `folder${folder}`));
      for (let file = 0; file < 100; file++) {
        writeFileSync(join(live, `folder${folder}`, `file${file}`), `${folder} ${file}\n`);
      }
    }
    const old = await open(await snapshot(live, store, 'c'.repeat(12)), true);
    const now = await open(live);
    writeFileSync(join(live, 'folder7', 'file7'), '7 8\n');
    const compared = {
      before: { files: old, path: '/' },
      after: { files: now, path: '/' },
      isOneVolume: true,
    };
    const began = performance.now();
    const said = await compare(compared);
    const took = performance.now() - began;
    assert.deepEqual(kindsOf(said.changes), { '/folder7/file7': 'changed' });
    if (process.env.BERTH_TEST_SHOW !== undefined) console.log(`        ${Math.round(took)} ms`);
    assert.ok(took < 3000, `${took} ms, on a machine that may be busy`);
  });

  it('leaves out what .gitignore files of either side name, on request, and counts it', async () => {
    const trees = { before: join(top, 'before'), after: join(top, 'after') };
    for (const [side, root] of Object.entries(trees)) {
      for (const folder of ['.git', 'dist', 'src/tmp']) mkdirSync(join(root, folder), { recursive: true });
      for (const file of ['.git/index', 'dist/a.js', 'dist/b.js', 'src/a.ts', 'src/tmp/x', 'src/kept.log'])
        writeFileSync(join(root, file), side);
    }
    writeFileSync(join(trees.before, '.gitignore'), 'dist/\n*.log\n');
    writeFileSync(join(trees.before, 'src/.gitignore'), '!kept.log\n');
    writeFileSync(join(trees.after, '.gitignore'), '*.log\n');
    writeFileSync(join(trees.after, 'src/.gitignore'), 'tmp\n!kept.log\n');
    const files = { before: await open(trees.before), after: await disk(trees.after, 'disk') };
    const compared = {
      ...{ before: { files: files.before, path: '/' }, after: { files: files.after, path: '/' } },
      isOneVolume: false,
    };
    const whole = await compare(compared);
    assert.equal(whole.end.ignored, undefined);
    const { changes, end } = await compare({ ...compared, gitignore: true });
    const left = ['/.gitignore', '/src/.gitignore', '/src/a.ts', '/src/kept.log'];
    const contents = changes.filter(({ kind }) => kind !== 'metadata').map(({ path }) => path);
    assert.deepEqual(contents.sort(), left);
    assert.ok(whole.changes.length > changes.length + 3, JSON.stringify(whole.changes));
    assert.ok((end.ignored ?? 0) >= 7, JSON.stringify(end));
  });
});
