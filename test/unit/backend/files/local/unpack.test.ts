import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { LocalThread } from '../../../../../src/backend/files/local/thread';
import { unpackTar, type UnpackReport } from '../../../../../src/backend/files/local/unpack/unpack';
import { isRoot } from '../../../../support/skip';
import { removeTree } from '../../../../support/temp';
import { times } from '../../../../support/soak';
import { encodeHeader, paddingOf, type TarEntry } from '../../../../../src/backend/tar/header';

const never = new AbortController().signal;
const plain: TarEntry = {
  name: 'f',
  type: 'file',
  size: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeMs: 1e12,
  linkName: '',
};
const quiet: UnpackReport = { received() {}, failed() {}, lost() {} };

type Member = Partial<TarEntry> & { name: string; content?: string };

function tarOf(members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ content = '', ...entry }) => {
    const bytes = Buffer.from(content);
    // A folder of mode 644 could not be entered by its owner.
    const mode = entry.type === 'directory' ? 0o755 : plain.mode;
    const header = encodeHeader({ ...plain, mode, ...entry, size: bytes.length });
    return [header, bytes, Buffer.alloc(paddingOf(bytes.length))];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

const thread = new LocalThread();
const unpack = (tar: Buffer, folder: string, report = quiet): Promise<number> =>
  unpackTar(
    async (take) => {
      const step = tar.length > 1e6 ? 65_536 : 1000;
      for (let at = 0; at < tar.length; at += step) await take(tar.subarray(at, at + step));
    },
    { folder, renaming: { drop: 0, prefix: [] } },
    { report, signal: never, thread },
  );

function below(folder: string): string[] {
  // An access list of a tar may close a folder to its owner.
  if (!isRoot && (lstatSync(folder).mode & 0o500) !== 0o500) chmodSync(folder, 0o700);
  return readdirSync(folder, { withFileTypes: true }).flatMap((each) => {
    const path = join(folder, each.name);
    return each.isDirectory() ? [path, ...below(path)] : [path];
  });
}

/** Whatever is done to a file, its attributes and links included, gives it another time of change. */
function census(home: string, except: string): string[] {
  return [home, ...below(home)]
    .filter((path) => path !== except && !path.startsWith(`${except}/`))
    .map((path) => {
      const { ino, mode, nlink, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
      return [path, ino, mode, nlink, size, mtimeNs, ctimeNs].join(' ');
    });
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** Where a link leads, a component at a time as the kernel goes; undefined: out of the folder on its way. */
function follow(link: string, root: string): string | undefined {
  const rest = readlinkSync(link).split('/');
  if (rest[0] === '') return undefined;
  let at = dirname(link);
  for (let links = 0; rest.length > 0;) {
    const next = resolve(at, rest.shift() ?? '.');
    const status = statusOf(next);
    if (status?.isSymbolicLink() === true) {
      if (links++ > 40) return root; // nobody gets anywhere by it
      rest.unshift(...readlinkSync(next).split('/'));
      if (rest[0] === '') return undefined;
    } else {
      at = next;
    }
    if (at !== root && !at.startsWith(`${root}/`)) return undefined;
  }
  return at;
}

/** The same numbers each time (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % limit;
  };
}

describe('unpacking a tar on this machine', function () {
  this.timeout(180_000);
  let home: string;
  let stage: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'berth-unpack-'));
    stage = join(home, 'Downloads', 'part');
    mkdirSync(join(home, '.ssh'), { mode: 0o700 });
    writeFileSync(join(home, '.ssh/id_rsa'), 'SECRET', { mode: 0o600 });
    mkdirSync(join(home, 'Downloads/a/z'), { recursive: true });
    writeFileSync(join(home, 'Downloads/a/f'), 'mine');
    mkdirSync(stage);
  });
  afterEach(() => removeTree(home));

  const accessList = '0200000001000600ffffffff04000400ffffffff20000400ffffffff';
  const touching: Partial<TarEntry> = {
    type: 'symlink',
    linkName: '/etc',
    mtimeMs: 946684800000,
    mtimeNs: 946684800000000001n,
    xattrs: new Map([
      ['user.planted', Buffer.from('x')],
      ['system.posix_acl_access', Buffer.from(accessList, 'hex')],
    ]),
  };

  const hostile: Record<string, Member[][]> = {
    'a link where a folder is expected': [
      [
        { name: 'a/', type: 'directory' },
        { name: 'a/x', type: 'symlink', linkName: '.' },
        { name: 'a/x/x/x/z', type: 'symlink', linkName: '../../..' },
        { name: 'a/z/.ssh/id_rsa', ...touching },
      ],
    ],
    'a new folder below a link': [
      [
        { name: 'a/x', type: 'symlink', linkName: '.' },
        { name: 'a/x/n/z', type: 'symlink', linkName: '../../..' },
        { name: 'a/n/z/.ssh/id_rsa', ...touching },
        { name: 'up', type: 'symlink', linkName: '.' },
        { name: 'up/m/q/r', type: 'symlink', linkName: '../../..' },
      ],
    ],
    'links of an earlier item': [
      [
        { name: 'a/up', type: 'symlink', linkName: '..' },
        { name: 'a/x', type: 'symlink', linkName: '.' },
        { name: 'a/x/up/b', type: 'symlink', linkName: '../..' },
        { name: 'a/x/n/b', type: 'symlink', linkName: '../../..' },
      ],
      [
        { name: 'b/.ssh/authorized_keys', content: 'EVIL' },
        { name: 'a/up/c/d', content: 'EVIL' },
        { name: 'a/n/b/new/', type: 'directory' },
        { name: 'a/n/b/.ssh/id_rsa', ...touching },
        { name: 'a/n/b/hard', type: 'link', linkName: 'a/n/b/.ssh/id_rsa' },
      ],
    ],
    'a hard link through a link': [
      [{ name: 'a/l', type: 'symlink', linkName: '.' }],
      [
        { name: 'a/l/id', type: 'link', linkName: 'a/l/../../../.ssh/id_rsa' },
        { name: 'a/l/f', type: 'link', linkName: 'a/f' },
      ],
    ],
  };
  for (const [what, tars] of Object.entries(hostile)) {
    it(`makes and changes nothing outside of the folder: ${what}`, async () => {
      const before = census(home, stage);
      for (const members of tars) await unpack(tarOf(members), stage);
      assert.deepEqual(census(home, stage), before);
      for (const path of below(stage)) {
        assert.ok(!lstatSync(path).isSymbolicLink() || follow(path, stage) !== undefined, path);
      }
    });
  }

  it('makes and changes nothing outside of the folder, whatever the tar', async () => {
    const names = ['a', 'b', 'x', 'y', 'z', '.ssh', 'id_rsa'];
    const targets = [
      ...['.', '.', '.', '..', '../..'],
      '../../..',
      'x',
      'x/..',
      '../a',
      '../../a/x',
      home,
      '/etc',
    ];
    let links = 0;
    const seeds = times(24, 64);
    for (let seed = 1; seed <= seeds; seed++) {
      const random = randomOf(seed);
      const hasFacts = seed % 8 === 0;
      const one = (from: readonly string[]): string => from[random(from.length)] ?? '.';
      const name = (): string => Array.from({ length: 1 + random(4) }, () => one(names)).join('/');
      const member = (): Member => {
        const type = (['directory', 'file', 'symlink', 'symlink', 'symlink', 'link'] as const)[random(6)];
        const linkName =
          type === 'link' ? name() : one([...targets, ...targets, name(), `../${name()}`, `${name()}/..`]);
        const { xattrs, mtimeNs } = touching;
        const facts = hasFacts && random(2) === 0 ? { xattrs, mtimeNs } : {};
        return {
          name: name(),
          type,
          linkName,
          mode: random(0o7777) | 0o700,
          ...facts,
          content: type === 'file' ? 'new' : '',
        };
      };
      mkdirSync(stage, { recursive: true });
      const before = census(home, stage);
      for (let item = 0; item < 2; item++) {
        await unpack(tarOf(Array.from({ length: 4 + random(25) }, member)), stage);
      }
      assert.deepEqual(census(home, stage), before, `seed ${seed}`);
      for (const path of below(stage).filter((each) => lstatSync(each).isSymbolicLink())) {
        links++;
        assert.ok(follow(path, stage) !== undefined, `seed ${seed}: ${path} -> ${readlinkSync(path)}`);
      }
      rmSync(stage, { recursive: true });
    }
    assert.ok(links > 2 * seeds, `only ${links} links were made`);
  });

  /** All that there is to know of a tree, but for owners and times of change. */
  function description(root: string): string[] {
    const first = new Map<bigint, string>();
    const script =
      'import os,sys,json;print(json.dumps([{k:os.getxattr(p,k,follow_symlinks=False).hex() for k in sorted(os.listxattr(p,follow_symlinks=False))} for p in json.load(sys.stdin)]))';
    const paths = [root, ...below(root).sort()];
    const xattrs = JSON.parse(
      execFileSync('python3', ['-c', script], { input: JSON.stringify(paths), encoding: 'utf8' }),
    ) as unknown[];
    return paths.map((path, index) => {
      const status = lstatSync(path, { bigint: true });
      const name = relative(root, path);
      const same = status.isDirectory() ? name : (first.get(status.ino) ?? name);
      first.set(status.ino, same);
      const content = status.isFile() ? createHash('md5').update(readFileSync(path)).digest('hex') : '';
      const target = status.isSymbolicLink() ? readlinkSync(path) : '';
      const time = path === root ? 0 : status.mtimeNs;
      return [
        name,
        same,
        path === root ? 0 : status.mode,
        time,
        content,
        target,
        JSON.stringify(xattrs[index]),
      ].join(' | ');
    });
  }

  it('makes of harmless tars what GNU tar makes', async () => {
    const source = join(home, 'source');
    const other = join(home, 'other');
    for (let seed = 1; seed <= 4; seed++) {
      const random = randomOf(seed);
      [source, other, stage].forEach((folder) => rmSync(folder, { recursive: true, force: true }));
      [source, other, stage].forEach((folder) => mkdirSync(folder));
      const folders = [source];
      const files: string[] = [];
      for (let index = 0; index < 40; index++) {
        const path = join(folders[random(folders.length)] ?? source, `n${index}`);
        const time = 1e9 + random(1e6) + random(1000) / 1000;
        const kind = random(6);
        if (kind === 0) {
          mkdirSync(path);
          folders.push(path);
        } else if (kind === 1 && files.length > 0) {
          linkSync(files[random(files.length)] ?? '', path);
        } else if (kind === 2) {
          symlinkSync(relative(dirname(path), files[random(files.length)] ?? folders[0] ?? '') || '.', path);
          lutimesSync(path, time, time);
        } else {
          writeFileSync(path, 'content'.repeat(random(2000)));
          chmodSync(path, 0o400 | random(0o777));
          utimesSync(path, time, time);
          files.push(path);
        }
      }
      folders.slice(1).forEach((folder) => chmodSync(folder, 0o500 | random(0o777)));
      const attributes =
        "import os,sys\nfor p in sys.argv[1:]: os.chmod(p, os.stat(p).st_mode | 0o200); os.setxattr(p,'user.kept',p.encode())";
      execFileSync('python3', ['-c', attributes, ...folders.slice(1, 3), ...files.slice(0, 3)]);
      const tar = execFileSync('tar', ['-C', source, '--xattrs', '--format=pax', '-cf', '-', '.'], {
        maxBuffer: 1e9,
      });
      execFileSync('tar', ['-C', other, '--xattrs', '--xattrs-include=*', '--no-same-owner', '-xpf', '-'], {
        input: tar,
      });
      const reported: string[] = [];
      const report = (name: string, what: string | readonly string[]): void =>
        void reported.push(`${name}: ${String(what)}`);
      await unpack(tar, stage, { received() {}, failed: report, lost: report });
      assert.deepEqual(reported, []);
      assert.deepEqual(description(stage), description(other), `seed ${seed}`);
      execFileSync('chmod', ['-R', 'u+rwx', source, other, stage]);
    }
  });

  it('gives attributes also to what is in folders that let nobody in, and to these', async () => {
    const xattrs = new Map([['user.kept', Buffer.from('x')]]);
    const lost: string[] = [];
    const members: Member[] = [
      { name: 'd/', type: 'directory', mode: 0o500, xattrs },
      { name: 'd/e/', type: 'directory', mode: 0, xattrs },
      { name: 'd/e/f', content: 'x', mode: 0o400, xattrs },
    ];
    await unpack(tarOf(members), stage, { ...quiet, lost: (name: string) => void lost.push(name) });
    assert.equal(statSync(join(stage, 'd/e')).mode & 0o777, 0);
    chmodSync(join(stage, 'd/e'), 0o700);
    const script = "import os,sys\nfor p in sys.argv[1:]: print(os.getxattr(p,'user.kept').decode())";
    const paths = ['d', 'd/e', 'd/e/f'].map((name) => join(stage, name));
    assert.equal(execFileSync('python3', ['-c', script, ...paths], { encoding: 'utf8' }), 'x\nx\nx\n');
    assert.deepEqual(lost, []);
  });

  it('refuses names that are longer than any path can be', async () => {
    const failed: string[] = [];
    const begun = Date.now();
    await unpack(
      tarOf([
        { name: 'a/'.repeat(200_000) + 'f', content: 'x' },
        { name: 'g', content: 'x' },
      ]),
      stage,
      { ...quiet, failed: (name: string) => void failed.push(name) },
    );
    assert.equal(failed.length, 1);
    assert.ok((failed[0] ?? '').length < 300 && Date.now() - begun < 5000);
    assert.deepEqual(readdirSync(stage), ['g']);
  });

  it('gives no rights, nor more attributes than a file or the memory can hold, and tells of them', async () => {
    const lost = new Map<string, string[]>();
    const big = Buffer.alloc(60_000, 'x');
    const members: Member[] = [
      { name: 'su', content: 'x', mode: 0o4755, xattrs: new Map([['trusted.x', Buffer.from('1')]]) },
      {
        name: 'long',
        content: 'x',
        xattrs: new Map([
          ['user.long', Buffer.alloc(65_537)],
          ['user.k', Buffer.from('v')],
        ]),
      },
      { name: 'many', content: 'x', xattrs: new Map(['a', 'b', 'c'].map((each) => [`user.${each}`, big])) },
      ...Array.from({ length: 1300 }, (_, index) => ({
        name: `n${index}`,
        xattrs: new Map([['user.a', big]]),
      })),
    ];
    const report = {
      ...quiet,
      lost: (name: string, names: readonly string[]) => void lost.set(name, [...names]),
    };
    await unpack(tarOf(members), stage, report);
    assert.deepEqual(lost.get('su'), ['trusted.x', 'set-user-ID and set-group-ID bits']);
    assert.deepEqual(lost.get('long'), ['user.long']);
    assert.ok(lost.get('many')?.includes('user.c'));
    assert.deepEqual(lost.get('n1299'), ['user.a']);
    assert.equal(statSync(join(stage, 'su')).mode & 0o7777, 0o755);
    assert.equal(readdirSync(stage).length, 1303);
  });
});
