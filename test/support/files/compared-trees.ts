/** Trees that differ in ways nobody would think of, and what programs that are not ours say of the two. */
import { execFileSync } from 'node:child_process';
import { agentDir } from '../../unit/backend/files/agent/harness';

const mutate = String.raw`
import os, random, shutil, stat, sys
root, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.umask(0)
pick = random.Random(seed)
names = ["a", "b", "ä", "x" * 200, os.fsdecode(b"\xff"), os.fsdecode(b"\xee\xbe\x85"), os.fsdecode(b"e\xee\xbe"), "\U0001f600", "\uffee", " ", "-n", "q\nr"]
def change():
    folders = [folder for folder, _, _ in os.walk(root)]
    files = [os.path.join(folder, name) for folder, _, some in os.walk(root) for name in some]
    folder = pick.choice(folders)
    name = os.path.join(folder, pick.choice(names) + pick.choice(["", "", "1"]))
    path = pick.choice(files) if files else None
    kind = pick.randrange(14)
    is_file = path is not None and stat.S_ISREG(os.lstat(path).st_mode)
    if kind < 3:
        if os.path.isdir(name) and not os.path.islink(name):
            shutil.rmtree(name)
        elif os.path.lexists(name):
            os.unlink(name)
        with open(name, "wb") as file:
            file.seek(pick.choice([0, 0, 5000, 300000]))
            file.write(pick.randbytes(pick.choice([0, 1, 4096, 200000])))
    elif kind < 5 and is_file:
        # The same size and times: only the content tells.
        status = os.lstat(path)
        if status.st_size:
            with open(path, "r+b") as file:
                at = pick.randrange(status.st_size)
                old = os.pread(file.fileno(), 1, at)
                os.pwrite(file.fileno(), bytes([(old[0] + 1) % 256]), at)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif kind == 5:
        if os.path.lexists(name) and not os.path.isdir(name):
            os.unlink(name)
        if not os.path.lexists(name):
            os.mkdir(name)
    elif kind == 6 and path:
        os.rename(path, name) if not os.path.isdir(name) else None
    elif kind == 7 and path:
        os.unlink(path)
    elif kind == 8 and len(folders) > 1:
        shutil.rmtree(pick.choice(folders[1:]))
    elif kind == 9:
        if os.path.lexists(name) and not os.path.isdir(name):
            os.unlink(name)
        if not os.path.lexists(name):
            os.symlink(pick.choice(["/etc/passwd", "..", os.fsdecode(b"no\xffne")]), name)
    elif kind == 10 and is_file:
        os.chmod(path, pick.choice([0o600, 0o4755, 0o444]))
    elif kind == 11 and is_file:
        os.setxattr(path, "user.x", pick.randbytes(pick.choice([0, 3])))
    elif kind == 12:
        os.setxattr(folder, "user.y", b"1") if pick.random() < .5 else os.chmod(folder, 0o750)
    elif kind == 13 and is_file:
        # Only the time.
        os.utime(path, ns=(5, pick.randrange(10**18)))
for _ in range(count):
    try:
        change()
    except OSError:
        pass
`;

const judge = String.raw`
import hashlib, json, os, stat, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from names import to_wire
def facts(root):
    found = {}
    for folder, folders, files in os.walk(root):
        for path in [folder, *(os.path.join(folder, name) for name in [*files, *(n for n in folders if os.path.islink(os.path.join(folder, n)))])]:
            s = os.lstat(path)
            content = None
            if stat.S_ISREG(s.st_mode):
                with open(path, "rb") as file:
                    content = hashlib.file_digest(file, "md5").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.md5(file.read()).hexdigest()
            elif stat.S_ISLNK(s.st_mode):
                content = os.readlink(path)
            extra = [] if stat.S_ISLNK(s.st_mode) else sorted((k, os.getxattr(path, k).hex()) for k in os.listxattr(path) if k.startswith(("user.", "system.")))
            found["/" + os.path.relpath(path, root) if path != root else "/"] = (stat.S_IFMT(s.st_mode), content, [stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid, extra])
    return found
one, other = facts(sys.argv[2]), facts(sys.argv[3])
said = {}
for path in {*one, *other}:
    a, b = one.get(path), other.get(path)
    kind = "added" if a is None else "removed" if b is None else "type" if a[0] != b[0] else "changed" if a[1] != b[1] else "metadata" if a[2] != b[2] else None
    if kind:
        said[to_wire(path)] = kind
json.dump(said, sys.stdout)
`;

function python(script: string, ...args: string[]): string {
  return execFileSync('python3', ['-I', '-c', script, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Changes a tree in so many ways, drawn by `seed`. */
export function mutateTree(root: string, seed: number, count: number): void {
  python(mutate, root, String(seed), String(count));
}

/** By path, in the words of a `Change`: what a reading of all files by another program finds. */
export function expectedChanges(before: string, after: string): Record<string, string> {
  return JSON.parse(python(judge, agentDir, before, after)) as Record<string, string>;
}

/** How many files there are whose content rsync would send, or that it would delete: names are its own. */
export function rsyncCount(before: string, after: string): { sent: number; deleted: number } {
  const options = ['-nrclpgoD', '--delete', '--out-format=%i', '--no-times', '--itemize-changes'];
  const text = execFileSync('rsync', [...options, `${after}/`, `${before}/`], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const lines = text.split('\n').filter((line) => line !== '');
  return {
    sent: lines.filter((line) => /^>f(?:c|\+)|^>f.s/.test(line)).length,
    deleted: lines.filter((line) => line.startsWith('*deleting')).length,
  };
}

/** A copy that cp makes, with all that files have. */
export function copyTree(from: string, to: string): void {
  execFileSync('cp', ['-a', `${from}/.`, to]);
}
