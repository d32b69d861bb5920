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

gone, cut, moded = pick.sample([name for name in files if name != flipped], 3)
os.unlink(os.path.join(tree, gone))
os.truncate(os.path.join(tree, cut), 0)
os.chmod(os.path.join(tree, moded), 0o777)
put(os.path.join(tree, "more"), b"x")
said = dict(verify("a" * 12)["problems"])
assert set(said) == {"/" + to_wire(name) for name in (flipped, gone, cut, moded, "more")}, said
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
