/** Trees as nobody would make them by hand, and what there is to say of a tree: by Python, which can see all of it. */
import { execFileSync } from 'node:child_process';

const generate = `
import os, random, sys
root, seed, with_lists = os.fsencode(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == 'lists'
rnd = random.Random(seed)
os.umask(0)
os.makedirs(root, exist_ok=True)
names = [b'plain', b'two\\nlines', b'\\xff\\xfe', b'sp ace', b'-dash', 'u\\u00e9'.encode(), b'\\xee\\xbe\\x80', b'a' * 200, b'%n', b'q"uote', b'back\\\\slash', b'tab\\t']
folders, files = [root], []
for i in range(8):
    path = os.path.join(rnd.choice(folders), b'd%d-' % i + rnd.choice(names))
    os.mkdir(path)
    folders.append(path)
def attributes(path):
    for k in range(rnd.randrange(3)):
        os.setxattr(path, b'user.k%d' % k, rnd.randbytes(rnd.choice([0, 1, 40, 900])))
    if rnd.random() < .3:
        os.setxattr(path, b'user.od=d%3D name', b'x')
acl = bytes.fromhex('02000000' '01000700ffffffff' '0200040039300000' '04000400ffffffff' '10000600ffffffff' '20000000ffffffff')
for i in range(40):
    path = os.path.join(rnd.choice(folders), b'f%d-' % i + rnd.choice(names))
    kind = rnd.random()
    with open(path, 'wb') as f:
        if kind < .4:
            f.write(rnd.randbytes(rnd.choice([0, 1, 511, 512, 4096, 70000])))
        elif kind < .7:
            size = rnd.choice([1 << 20, 5 * 1024 * 1024 + 77, 1 << 32])
            for j in range(rnd.randrange(4)):
                f.seek(rnd.randrange(size - 9000))
                f.write(rnd.randbytes(rnd.randrange(1, 9000)))
            f.truncate(size)
        else:
            f.write(rnd.randbytes(1 << 20) * rnd.choice([1, 2]) + b'end')
    if rnd.random() < .4:
        attributes(path)
    if with_lists and rnd.random() < .2:
        os.setxattr(path, 'system.posix_acl_access', acl)
    else:
        # Only root copies what its owner may not read.
        closed = 0o000 if os.geteuid() == 0 else 0o400
        os.chmod(path, rnd.choice([0o644, 0o755, 0o444, 0o600, 0o777, closed, 0o640]))
    files.append(path)
    if rnd.random() < .3:
        other = os.path.join(rnd.choice(folders), b'l%d' % i)
        os.link(path, other)
        files.append(other)
for i in range(6):
    os.symlink(rnd.choice([b'f', b'two\\nlines/\\xff', b'x' * 150]), os.path.join(rnd.choice(folders), b's%d' % i))
for path in files:
    os.utime(path, ns=(1, rnd.randrange(10**9, 2 * 10**18)))
for path in reversed(folders):
    if rnd.random() < .5:
        attributes(path)
    if path != root:
        os.chmod(path, rnd.choice([0o755, 0o700, 0o777, 0o555, 0o711]))
    os.utime(path, ns=(1, rnd.randrange(10**9, 2 * 10**18)))
`;

const census = `
import hashlib, json, os, stat, sys
root = os.fsencode(sys.argv[1])
seen, links = {}, {}
def facts(path, name):
    s = os.lstat(path)
    kind = stat.S_IFMT(s.st_mode)
    row = {'kind': oct(kind), 'mode': oct(s.st_mode & 0o777) if kind != stat.S_IFLNK else '', 'time': str(s.st_mtime_ns) if kind != stat.S_IFLNK else ''}
    if kind == stat.S_IFLNK:
        row['target'] = os.readlink(path).hex()
    else:
        row['xattrs'] = {k: os.getxattr(path, k).hex() for k in sorted(os.listxattr(path)) if k.startswith(('user.', 'system.posix_acl'))}
    if kind == stat.S_IFREG:
        row['same'] = links.setdefault((s.st_dev, s.st_ino), name)
        row['size'] = s.st_size
        digest, at, data = hashlib.sha256(), 0, 0
        with open(path, 'rb') as f:
            while at < s.st_size:
                try:
                    start = os.lseek(f.fileno(), at, os.SEEK_DATA)
                except OSError:
                    break
                end = min(s.st_size, os.lseek(f.fileno(), start, os.SEEK_HOLE))
                data += end - start
                for block in range(start // 4096 * 4096, end, 4096):
                    piece = os.pread(f.fileno(), 4096, block)
                    if piece.strip(b'\\0'):
                        digest.update(b'%d' % block + piece)
                at = end
        row['sha'] = digest.hexdigest()
        row['data'] = data
    seen[name] = row
def walk(path, name):
    facts(path, name)
    if os.path.isdir(path) and not os.path.islink(path):
        for child in sorted(os.listdir(path)):
            walk(os.path.join(path, child), name + '/' + child.hex())
walk(root, '')
json.dump(seen, sys.stdout)
`;

function python(script: string, ...args: string[]): string {
  return execFileSync('python3', ['-I', '-S', '-c', script, ...args], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
}

export function generateTree(path: string, seed: number, options: { lists?: boolean } = {}): void {
  python(generate, path, String(seed), options.lists === false ? '' : 'lists');
}

export interface TreeRow {
  kind: string;
  mode: string;
  time: string;
  target?: string;
  xattrs?: Record<string, string>;
  /** The first name of the same file. */
  same?: string;
  size?: number;
  sha?: string;
  /** Bytes that take room. */
  data?: number;
}

/** All there is to say of a tree, by path in hexadecimal. */
export function factsOf(path: string): Record<string, TreeRow> {
  return JSON.parse(python(census, path)) as Record<string, TreeRow>;
}

/** What differs, holes apart: of those, that a copy has about as many. */
export function differences(original: Record<string, TreeRow>, copy: Record<string, TreeRow>): string[] {
  const found: string[] = [];
  for (const name of new Set([...Object.keys(original), ...Object.keys(copy)])) {
    const [{ data: there = 0, ...a }, { data: here = 0, ...b }] = [
      original[name] ?? { kind: 'missing' },
      copy[name] ?? { kind: 'missing' },
    ];
    if (JSON.stringify(a) !== JSON.stringify(b)) {
      found.push(
        `${Buffer.from(name, 'hex').toString('latin1')}: ${JSON.stringify(a)} is ${JSON.stringify(b)}`,
      );
    }
    if (here > there + 256 * 1024) {
      found.push(`${name}: ${there} bytes of data are ${here}`);
    }
  }
  return found;
}
