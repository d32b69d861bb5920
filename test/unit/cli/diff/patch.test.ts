/** Held against those who apply patches: git and GNU patch make of one tree the other. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hunksOf, linesOf } from '../../../../src/cli/diff/lines';
import { patchOf, type PatchSide } from '../../../../src/cli/diff/patch';
import { removeTree } from '../../../support/temp';

const rounds = 25;

interface Made {
  type: 'file' | 'symlink';
  mode: number;
  content: Buffer;
}
type Tree = Map<string, Made>;

/** Drawn anew each time; a failure names the tree. */
function pick<T>(...choices: readonly T[]): T {
  return choices[Math.floor(Math.random() * choices.length)]!;
}

function text(): Buffer {
  const lines = Array.from({ length: pick(0, 1, 2, 5, 40, 300) }, () =>
    pick(
      'same',
      'other',
      '',
      ' indented',
      'tab\there',
      '-- x',
      '++ y',
      'diff --git a/x b/x',
      '\\ No newline',
      'ä',
    ),
  );
  return Buffer.from(lines.join('\n') + (lines.length > 0 ? pick('\n', '\n', '') : ''));
}

function changed(content: Buffer): Buffer {
  const lines = content.toString('latin1').split('\n');
  for (let times = pick(1, 2, 6); times > 0; times--) {
    lines.splice(
      Math.floor(Math.random() * lines.length),
      pick(0, 1, 1, 4),
      ...pick([], ['new'], ['two', 'lines']),
    );
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}

const names = [
  'a',
  'sub/b',
  'sub/c d',
  'ä',
  'q"uote',
  'back\\slash',
  'tab\tname',
  'sub/deep/x',
  '-dash',
  'link',
];

function trees(): { before: Tree; after: Tree } {
  const before: Tree = new Map();
  const after: Tree = new Map();
  for (const name of names) {
    const make = (): Made =>
      Math.random() < 0.2
        ? { type: 'symlink', mode: 0o777, content: Buffer.from(pick('target', 'other target', '/x')) }
        : { type: 'file', mode: pick(0o644, 0o755), content: text() };
    const was = Math.random() < 0.8 ? make() : undefined;
    const is =
      Math.random() < 0.2
        ? undefined
        : was?.type === 'file' && Math.random() < 0.7
          ? { ...was, content: changed(was.content), mode: pick(was.mode, was.mode, 0o755) }
          : Math.random() < 0.3
            ? was
            : make();
    if (was) before.set(name, was);
    if (is) after.set(name, is);
  }
  return { before, after };
}

function write(root: string, tree: Tree): void {
  for (const [name, { type, mode, content }] of tree) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    if (type === 'symlink') {
      symlinkSync(content, path);
    } else {
      writeFileSync(path, content);
      chmodSync(path, mode);
    }
  }
}

function read(root: string, below = ''): string[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .flatMap((entry) => {
      const name = join(below, entry.name);
      const path = join(root, name);
      if (entry.isDirectory()) return entry.name === '.git' ? [] : read(root, name);
      return entry.isSymbolicLink()
        ? [`${name} -> ${readlinkSync(path)}`]
        : [`${name} ${lstatSync(path).mode & 0o100} ${readFileSync(path, 'latin1')}`];
    })
    .sort();
}

const sideOf = (made: Made | undefined): PatchSide | undefined =>
  made && {
    content: made.content,
    file: { type: made.type, mode: made.mode, size: made.content.length, uid: 0, gid: 0, mtimeMs: 0 },
  };

const side = (content: string, mode = 0o644): PatchSide => ({
  content: Buffer.from(content),
  file: { type: 'file', mode, size: content.length, uid: 0, gid: 0, mtimeMs: 0 },
});

describe('a patch', function () {
  this.timeout(60_000);
  let top: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'berth-patch-'));
  });
  afterEach(() => removeTree(top));

  it('makes of one tree the other, by git and by GNU patch', () => {
    for (let round = 0; round < rounds; round++) {
      const root = join(top, String(round));
      const { before, after } = trees();
      const all = [...new Set([...before.keys(), ...after.keys()])].sort();
      const patch = all
        .map((name) => [name, sideOf(before.get(name)), sideOf(after.get(name))] as const)
        .filter(([, was, is]) => JSON.stringify(was) !== JSON.stringify(is))
        .map(([name, was, is]) => patchOf(`/${name}`, was, is).text)
        .join('');
      const [was, is] = [join(root, 'was'), join(root, 'is')];
      [was, is].forEach((path) => mkdirSync(path, { recursive: true }));
      write(was, before);
      write(is, after);
      const file = join(root, 'patch');
      writeFileSync(file, Buffer.from(patch, 'latin1'));
      const byPatch = join(root, 'by-patch');
      cpSync(was, byPatch, { recursive: true, verbatimSymlinks: true });
      if (patch !== '') {
        execFileSync('git', ['init', '-q', was]);
        execFileSync('git', ['apply', '--whitespace=nowarn', file], { cwd: was });
        const { status, stdout } = spawnSync('patch', ['-p1', '-s', '-i', file], {
          cwd: byPatch,
          encoding: 'utf8',
        });
        assert.equal(status, 0, `${stdout}\n${patch}`);
      }
      assert.deepEqual(read(was), read(is), 'git apply');
      assert.deepEqual(read(byPatch), read(is), 'patch');
    }
  });

  it('is applied beside binary files, whatever comes before and after them', () => {
    const binary = (content: string): PatchSide => side(`${content}\0`);
    const sections: Record<string, [PatchSide | undefined, PatchSide | undefined]> = {
      mode: [side('same\n'), side('same\n', 0o755)],
      empty: [undefined, side('')],
      emptied: [side(''), undefined],
      text: [side('x\n'), side('y\n')],
      // Binary.
      changed: [binary('a'), binary('b')],
      both: [binary('a'), { ...binary('b'), file: { ...binary('b').file, mode: 0o755 } }],
      added: [undefined, binary('a')],
      removed: [binary('a'), undefined],
      typed: [binary('a'), { ...side('target'), file: { ...side('target').file, type: 'symlink' } }],
      mixed: [side('text\n'), binary('b')],
    };
    const names = Object.keys(sections);
    const cut = names.filter((name) => patchOf(`/${name}`, ...sections[name]!).isCut);
    assert.deepEqual(cut, ['changed', 'both', 'added', 'removed', 'typed', 'mixed']);
    for (const [at, first] of names.entries()) {
      for (const second of names.slice(at + 1)) {
        const root = join(top, `${first}-${second}`);
        mkdirSync(root);
        for (const name of [first, second]) {
          const [was] = sections[name]!;
          if (was !== undefined) writeFileSync(join(root, name), was.content!, { mode: was.file.mode });
        }
        const patch = [first, second].map((name) => patchOf(`/${name}`, ...sections[name]!).text).join('');
        if (patch === '') continue;
        const file = join(top, 'pair');
        writeFileSync(file, patch, 'latin1');
        const env = { ...process.env, GIT_DIR: join(top, 'none') };
        execFileSync('git', ['apply', '--check', file], { cwd: root, env });
        const byPatch = spawnSync('patch', ['-p1', '-s', '--dry-run', '-i', file], {
          cwd: root,
          encoding: 'utf8',
        });
        assert.equal(byPatch.status, 0, `${first} ${second}: ${byPatch.stdout}${patch}`);
      }
    }
  });

  it('replaces what has nothing in common, however long it is', () => {
    const before = linesOf(Array.from({ length: 5000 }, (_, at) => `a${at}\n`).join(''));
    const after = linesOf(Array.from({ length: 5000 }, (_, at) => `b${at}\n`).join(''));
    const [hunk, ...others] = hunksOf(before, after);
    assert.equal(others.length, 0);
    assert.equal(hunk?.lines.length, 10_000);
  });
});
