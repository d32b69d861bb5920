/** The program that makes snapshots, on made-up trees: each one is held against `cp -a`, and against a kill in the middle. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { succeed } from '../../../../support/programs';
import { times } from '../../../../support/soak';
import { agentDir } from './harness';

const rounds = times(6, 15);
const kills = 25;

/** Arguments: where the agent is, an empty folder, a seed, rounds, kills. Prints how many kills met something under way. */
const script = String.raw`
import hashlib, json, os, random, shutil, signal, stat, subprocess, sys, time
sys.dont_write_bytecode = True
agent, top, seed, rounds, kills = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
sys.path.insert(0, agent)
import swapping
pick = random.Random(seed)
live, store, kept = (os.path.join(top, name) for name in ("live", "store", "kept"))
for path in (live, store, kept):
    os.mkdir(path)
program = [sys.executable, "-B", "-c", "import sys; sys.path.insert(0, sys.argv[1]); import snapshots; snapshots.main(*sys.argv[2:])", agent]

def facts(root, times=True):
    found, groups = {}, {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in [b"."] + folders + files:
            path = os.path.join(folder, name) if name != b"." else folder
            status = os.lstat(path)
            content = None
            if stat.S_ISREG(status.st_mode):
                content = hashlib.md5(open(path, "rb").read()).hexdigest()
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            relative = os.path.relpath(path, os.fsencode(root))
            extra = {key: os.getxattr(path, key, follow_symlinks=False) for key in os.listxattr(path, follow_symlinks=False)}
            found[relative] = (status.st_mode, status.st_uid, status.st_gid, times and status.st_mtime_ns, extra, content)
            if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
                groups.setdefault(status.st_ino, set()).add(relative)
    return found, sorted(sorted(group) for group in groups.values() if len(group) > 1)

def same(one, other, what, links=True):
    (a, groups), (b, others) = one, other
    odd = [(key, a.get(key), b.get(key)) for key in {*a, *b} if a.get(key) != b.get(key)]
    assert not odd, (what, odd[:3])
    assert not links or groups == others, (what, groups, others)

def change():
    folders = [folder for folder, _, _ in os.walk(live)]
    files = [os.path.join(folder, name) for folder, _, names in os.walk(live) for name in names]
    folder = pick.choice(folders)
    name = os.path.join(folder, pick.choice(["a", "b", "c", "ä", "x" * 200, os.fsdecode(b"\xff"), " ", "-n", "a\nb"]) + str(pick.randrange(4)))
    kind = pick.randrange(12)
    try:
        if kind < 3 and not os.path.lexists(name):
            with open(name, "wb") as file:
                file.seek(pick.choice([0, 0, 5000, 300000]))
                file.write(pick.randbytes(pick.choice([0, 1, 4096, 200000])))
        elif kind == 3:
            os.mkdir(name)
        elif kind == 4 and files:
            os.link(pick.choice(files), name, follow_symlinks=False)
        elif kind == 5 and files:
            # The same size and time as before: only the time of the change tells.
            path = pick.choice(files)
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and status.st_size:
                with open(path, "r+b") as file:
                    file.write(pick.randbytes(1))
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        elif kind == 6 and files:
            os.rename(pick.choice(files), name)
        elif kind == 7 and files:
            os.unlink(pick.choice(files))
        elif kind == 8 and len(folders) > 1:
            path = pick.choice(folders[1:])
            shutil.rmtree(path) if pick.random() < 0.3 else os.rename(path, name)
        elif kind == 9:
            os.symlink(pick.choice(["/etc/passwd", "..", "none"]), name)
        elif kind == 10 and files:
            os.chmod(pick.choice([path for path in files if not os.path.islink(path)] or [live]), pick.choice([0o600, 0o4755, 0o444]))
        else:
            os.mkfifo(name) if pick.random() < 0.3 else os.setxattr(folder, "user.x", pick.randbytes(3))
    except (FileExistsError, OSError):
        pass

def ask(*lines, kill_after=None, between=None):
    child = subprocess.Popen([*program, live, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if kill_after is not None:
        child.stdin.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        child.stdin.flush()
        time.sleep(kill_after)
        child.send_signal(signal.SIGKILL)
        out, _ = child.communicate()
        return b'"done"' in out
    answer = None
    for line in lines:
        child.stdin.write(json.dumps(line).encode() + b"\n")
        child.stdin.flush()
        wanted = {"create": "filled", "again": "filled", "restore": "filled", "settle": "settled"}.get(line["op"], "done")
        while wanted not in (answer := json.loads(child.stdout.readline())):
            assert "error" not in answer, answer
        if between is not None and line["op"] in ("create", "again"):
            between()
    child.stdin.close()
    child.wait()
    return answer["done"]

def create(id_, between=None):
    again = [{"op": "again"}] * pick.randrange(2)
    return ask({"op": "create", "id": id_, "volume": "v"}, *again, {"op": "settle"}, {"op": "finish"}, between=between)

def tree(id_):
    return os.path.join(store, id_, "tree")

def changes(count):
    for _ in range(pick.randrange(count)):
        change()

known = []
for number in range(rounds):
    changes(60)
    if known and pick.random() < 0.3:
        id_ = pick.choice(known)
        ask({"op": "restore", "id": id_, "volume": "v"}, {"op": "swap"})
        same(facts(live), facts(os.path.join(kept, id_)), "restored " + id_)
    id_ = "%012d" % number
    create(id_, between=lambda: changes(30))
    subprocess.run(["cp", "-a", live, os.path.join(kept, id_)], check=True)
    known.append(id_)
    same(facts(tree(id_)), facts(live), "made " + id_)
    if len(known) > 5:
        ask({"op": "remove", "id": known.pop(pick.randrange(len(known)))})
    for each in known:
        same(facts(tree(each)), facts(os.path.join(kept, each)), "kept " + each)
met = 0
root = os.open(live, os.O_RDONLY)
for number in range(kills):
    changes(40)
    before = facts(live, times=False)
    id_ = pick.choice(known)
    met += not ask({"op": "restore", "id": id_, "volume": "v"}, {"op": "swap"}, kill_after=pick.uniform(0.05, 0.25))
    swaps = swapping.sweep(root)
    for name in [name for name in os.listdir(live) if name.startswith(".berth-stage-")]:
        shutil.rmtree(os.path.join(live, name))
    now, after = facts(live, times=False), facts(os.path.join(kept, id_), times=False)
    if now not in (before, after):
        same(now, before if swaps == 0 else after, "neither before nor after, swaps: %d" % swaps)
    for each in known:
        same(facts(tree(each)), facts(os.path.join(kept, each)), "kept " + each)
print(met)
`;

describe('the program that makes snapshots', function () {
  this.timeout(240_000);
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'berth-snapshots-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('makes what `cp -a` makes, and puts it back, also over a kill in the middle', async () => {
    const seed = Math.floor(Math.random() * 1e9);
    const argv = [agentDir, folder, seed, rounds, kills].map(String);
    const options = { timeoutMs: 220_000 };
    const met = await succeed('python3', ['-c', script, ...argv], options).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
    console.log(`        ${kills} kills, ${met.trim()} of them in the middle, seed ${seed}`);
  });

  it('swaps nothing for a folder that somebody else has made look like one of a swap', async () => {
    const live = join(folder, 'live');
    const swap = join(live, '.berth-swap-0123456789abcdef');
    for (const path of [live, swap, join(swap, 'old'), join(swap, 'new')]) {
      mkdirSync(path, { mode: 0o755 });
    }
    writeFileSync(join(live, 'file'), 'mine');
    const plan = { old: ['../../victim', 'file'], new: [], root: [0, 0, 0o777, 0, 0] };
    writeFileSync(join(swap, 'plan'), JSON.stringify(plan));
    writeFileSync(join(folder, 'victim'), 'theirs');
    const sweep =
      'import os, sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, sys.argv[1])\nimport swapping\n' +
      'root = os.open(sys.argv[2], os.O_RDONLY)\n' +
      'try:\n  print(swapping.sweep(root))\nexcept Exception as error:\n  print(error.detail)';
    const run = (): Promise<string> => succeed('python3', ['-c', sweep, agentDir, live]);
    await succeed('chmod', ['755', swap]);
    assert.equal((await run()).trim(), '0');
    await succeed('chmod', ['700', swap]);
    assert.equal((await run()).trim(), '0');
    await succeed('rm', [join(swap, 'plan')]);
    await succeed('mkfifo', [join(swap, 'plan')]);
    assert.equal((await run()).trim(), '0', 'nobody waits for who writes into it');
    assert.deepEqual(readdirSync(live).sort(), ['.berth-swap-0123456789abcdef', 'file']);
    assert.deepEqual(readdirSync(folder).sort(), ['live', 'victim']);
  });
});
