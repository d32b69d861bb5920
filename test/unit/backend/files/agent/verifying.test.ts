/** Snapshots that somebody has damaged behind the back of the program that made them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { succeed } from '../../../../support/programs';
import { removeTree } from '../../../../support/temp';
import { agentDir } from './harness';

const script = String.raw`
import json, os, random, subprocess, sys, time
sys.dont_write_bytecode = True
agent, top, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
pick = random.Random(seed)
live, store = os.path.join(top, "live"), os.path.join(top, "store")
program = [sys.executable, "-B", "-c", "import sys; sys.path.insert(0, sys.argv[1]); import snapshots; snapshots.main(*sys.argv[2:])", agent]
names = ["a", "ä", os.fsdecode(b"\xff"), "b c", "d"]

def ask(*lines):
    child = subprocess.Popen([*program, live, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for line in lines:
        child.stdin.write(json.dumps(line).encode() + b"\n")
        child.stdin.flush()
        wanted = {"create": "filled", "settle": "settled"}.get(line["op"], "done")
        while wanted not in (answer := json.loads(child.stdout.readline())):
            assert "error" not in answer, answer
    child.stdin.close()
    child.wait()
    return answer["done"]

def create(id_):
    ask({"op": "create", "id": id_, "volume": "v"}, {"op": "settle"}, {"op": "finish"})

def verify(id_, full=False):
    return ask({"op": "verify", "id": id_, "full": full})

def put(path, content):
    with open(path, "wb") as file:
        file.write(content)

files = []
for folder in names:
    os.mkdir(os.path.join(live, folder))
    for name in names:
        path = os.path.join(folder, name)
        put(os.path.join(live, path), pick.randbytes(pick.choice([1, 5000, 300_000])))
        files.append(path)
with open(os.path.join(live, "holes"), "wb") as file:
    file.truncate(1 << 30)
os.symlink("nowhere", os.path.join(live, "link"))
# What has just changed is not shared with the next one.
time.sleep(1.5)
create("a" * 12)
tree = os.path.join(store, "a" * 12, "tree")
time.sleep(1.5)
first = verify("a" * 12)
assert (first["damaged"], first["problems"]) == (0, []) and first["read"] == len(files) + 1, first
again = verify("a" * 12)
assert (again["damaged"], again["read"], again["checked"]) == (0, 0, first["checked"]), again
assert verify("a" * 12, True)["read"] == first["read"]

# A byte, with size and times as they were.
flipped = pick.choice(files)
path = os.path.join(tree, flipped)
status = os.lstat(path)
with open(path, "r+b") as file:
    at = pick.randrange(status.st_size)
    old = os.pread(file.fileno(), 1, at)
    os.pwrite(file.fileno(), bytes([old[0] ^ 1 << pick.randrange(8)]), at)
os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
found = verify("a" * 12)
sys.path.insert(0, agent)
from names import to_wire
assert (found["damaged"], found["problems"], found["read"]) == (1, [["/" + to_wire(flipped), "has another content"]], 1), found
assert verify("a" * 12)["damaged"] == 1, "also the next time"

# What the next snapshot shares with it is damaged there, too.
create("b" * 12)
assert [name for name, _ in verify("b" * 12)["problems"]] == ["/" + to_wire(flipped)]

# What was read by way of one, and rots without another time of change, is found by way of the other, and no check after it
# takes the word of the first for it: here the second has not been read, then all of it, and then none.
ask({"op": "create", "id": "c" * 12, "volume": "w"}, {"op": "settle"}, {"op": "finish"})
for id_ in ("d" * 12, "e" * 12):
    ask({"op": "create", "id": id_, "volume": "w"}, {"op": "settle"}, {"op": "finish"})
time.sleep(1.5)
shared = pick.choice([name for name in files if name != flipped])
one, other = (os.path.join(store, id_ * 12, "tree", shared) for id_ in "de")
assert os.lstat(one).st_ino == os.lstat(other).st_ino, "they share it"
assert verify("d" * 12)["damaged"] == 0 and verify("d" * 12)["read"] == 0
clock = os.lstat(one).st_ctime_ns
status = os.lstat(one)
with open(one, "r+b") as file:
    byte = file.read(1)
    file.seek(0)
    file.write(bytes([byte[0] ^ 1]))
os.utime(one, ns=(status.st_atime_ns, status.st_mtime_ns))
# As if it had not changed: the notes of the first have the time that it has now.
sys.path.insert(0, agent)
import verified
from manifest import Reader
with open(os.path.join(store, "d" * 12, "manifest")) as file:
    digest = next(found[os.path.basename(shared)][1] for parts, _, found in Reader(file).lines() if list(parts) == [os.path.dirname(shared)])
folder = os.open(os.path.join(store, "d" * 12), os.O_RDONLY)
verified.forget(folder, {status.st_ino})
with open(os.path.join(store, "d" * 12, "verified"), "a") as file:
    file.write(f"{status.st_ino} {verified.mark_of(os.lstat(one).st_ctime_ns, digest).hex()}\n")
assert verify("d" * 12)["damaged"] == 0 and verify("e" * 12)["damaged"] == 0, "nobody has read it since"
assert [name for name, _ in verify("e" * 12, True)["problems"]] == ["/" + to_wire(shared)]
for id_ in "edc":
    assert [name for name, _ in verify(id_ * 12)["problems"]] == ["/" + to_wire(shared)], id_
assert not [name for id_ in "abcde" for name in os.listdir(os.path.join(store, id_ * 12)) if name.startswith("verified") and name != "verified"]

gone, cut, moded = pick.sample([name for name in files if name not in (flipped, shared)], 3)
os.unlink(os.path.join(tree, gone))
os.truncate(os.path.join(tree, cut), 0)
os.chmod(os.path.join(tree, moded), 0o777)
put(os.path.join(tree, "more"), b"x")
inside = os.path.join(tree, pick.choice(names), "folder")
for folder in (os.path.join(tree, "folder"), os.path.join(tree, "zz"), inside):
    os.makedirs(os.path.join(folder, "below"))
extra = {"/" + to_wire(os.path.relpath(folder, tree)) for folder in (os.path.join(tree, "folder"), os.path.join(tree, "zz"), inside)}
said = dict(verify("a" * 12)["problems"])
assert set(said) == {"/" + to_wire(name) for name in (flipped, gone, cut, moded, "more")} | extra, said
assert all(said[name] == "is not of the snapshot" for name in extra), said
assert said["/" + to_wire(gone)] == "missing" and said["/more"] == "is not of the snapshot", said
assert "bytes instead of" in said["/" + to_wire(cut)] and said["/" + to_wire(moded)] == "has another mode or owner", said
print("fine", end="")
`;

describe('verifying snapshots', function () {
  this.timeout(60_000);
  let top: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'berth-verify-'));
    ['live', 'store'].forEach((name) => mkdirSync(join(top, name), { mode: 0o755 }));
  });
  afterEach(() => removeTree(top));

  it('names what is damaged, reads nothing twice, and finds a single bit', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const said = await succeed('python3', ['-c', script, agentDir, top, String(seed)]).catch(
      (error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error });
      },
    );
    assert.equal(said, 'fine');
  });
});
