/** Snapshots of the engine's volumes: what they hold, what they take, and what becomes of those who write meanwhile. */
import assert from 'node:assert/strict';
import type { SnapshotJob } from '../../../../src/backend/drivers/contract/snapshots';
import type { RuntimePlan } from '../../../../src/backend/drivers/driver';
import { Bench, never } from './support';

const job = (): SnapshotJob => ({ signal: never(), report: () => undefined });
/** All of an entry that a snapshot is to keep; numbers of links tell names of one file. */
const facts =
  "find . -not -name '.berth-*' \\( -type d -printf '%p %y %m %U %G %T@\\n' -o -printf '%p %y %m %U %G %s %T@ %n %l\\n' \\) | sort";
const contents = "find . -type f -not -path './.berth-*' -print0 | sort -z | xargs -0 sha256sum";

describe('snapshots of volumes of the container engine', function () {
  this.timeout(300_000);
  let bench: Bench;
  let plan: RuntimePlan;
  before(async () => {
    bench = await Bench.open();
    plan = await bench.running();
  });
  after(() => bench.dispose());

  const id = (n: number): string => String(n).padStart(12, '0');
  const sh = async (script: string, user = 'root'): Promise<string> => {
    const { code, stdout, stderr } = await bench.exec(plan.name, { argv: ['sh', '-c', script], user });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const fingerprint = (): Promise<string> => sh(`cd /home/workspace && ${facts} && ${contents}`);

  it('hold what the volume held, and share what has not changed', async () => {
    await sh(`cd /home/workspace && mkdir -p deep/er && head -c 3000000 /dev/urandom >deep/er/large
      echo one >a && ln a deep/b && ln -s /nowhere link && mkfifo pipe && truncate -s 50M holes && chmod 4711 a
      mkdir closed && echo secret >closed/f && chmod 0 closed/f && chmod 0 closed
      : >"$(printf 'odd\\377\\n name')" && chown 1234:5678 deep && touch -d @1.123456789 deep/er; sleep 1.1`);
    const store = bench.driver.volumes.snapshots;
    const first = await store.create(plan.homeVolume, id(1), job());
    assert.deepEqual([first.kind, first.notes], ['docker', undefined]);
    const was = await fingerprint();
    await sh('sleep 1.1; cd /home/workspace && echo more >more');
    await store.create(plan.homeVolume, id(2), job());
    await store.create(plan.homeVolume, id(3), job());
    const held = await Promise.all([1, 2, 3].map((n) => store.heldBytes(id(n))));
    assert(
      held.every((bytes) => bytes !== undefined && bytes < 1_000_000),
      `the large file is shared by all: ${held.join(' ')}`,
    );
    await sh('cd /home/workspace && rm -rf deep a link pipe && echo changed >closed/f && mkdir a && : >a/b');
    await assert.rejects(store.restore(id(1), plan.homeVolume, job()), {
      code: 'in_use',
      message: new RegExp(`the workspace ${plan.workspace} \\(running\\)`),
    });
    await bench.driver.stop(plan.name, 1000);
    await store.restore(id(1), plan.homeVolume, job());
    await bench.driver.start(plan.name);
    assert.equal(await fingerprint(), was);
  });

  it('take nothing but changes after a volume was put back', async () => {
    const store = bench.driver.volumes.snapshots;
    await store.create(plan.homeVolume, id(4), job());
    const bytes = (await store.heldBytes(id(4))) ?? Infinity;
    assert(bytes < 1_000_000, `${bytes} bytes`);
  });

  it('take one container each, also to put one back and keep what was there, and none to be looked at', async () => {
    const store = bench.driver.volumes.snapshots;
    const kept = (): Promise<void> => Promise.resolve();
    const made = await bench.countContainers('snapshot', async () => {
      await bench.driver.stop(plan.name, 1000);
      await store.create(plan.homeVolume, id(5), job());
      await store.restore(id(5), plan.homeVolume, job(), { id: id(6), kept });
      const held = await Promise.all([5, 6].map((n) => store.heldBytes(id(n))));
      assert.ok(held.every((bytes) => bytes !== undefined));
      await store.remove(id(6));
      assert.notEqual(await store.heldBytes(id(5)), undefined);
      assert.equal(await store.heldBytes(id(6)), undefined);
      await store.remove(id(5));
    });
    await bench.driver.start(plan.name);
    assert.equal(made, 4);
  });

  it('can be read, and not be changed', async () => {
    const files = await bench.driver.volumes.snapshots.files(id(2));
    const { entries } = await files.list('/');
    assert(entries.some(({ name }) => name === 'more'));
    await assert.rejects(files.mkdir('/new', { parents: false }), { code: 'read_only' });
  });

  it('are of one moment, and let nobody see that it was held', async () => {
    await sh('mkdir -p /home/workspace/n && cd /home/workspace/n && seq 3000 | xargs touch');
    // Each round writes the two files in this order: at no moment is the second one ahead.
    const writer = await bench.driver.exec(plan.name, {
      argv: ['sh', '-c', 'cd; i=0; while :; do i=$((i+1)); echo $i >t; mv t x; echo $i >t; mv t y; done'],
      user: 'workspace',
    });
    const states = new Set<string | undefined>();
    const held: number[] = [];
    const end = new AbortController();
    const watching = (async () => {
      while (!end.signal.aborted) {
        states.add((await bench.driver.inspect(plan.name))?.state);
      }
    })();
    const store = bench.driver.volumes.snapshots;
    for (let n = 10; n < 15; n += 1) {
      const made = store.create(plan.homeVolume, id(n), job());
      const answered = bench.exec(plan.name, { argv: ['echo', 'here'] });
      const { heldMs } = await made;
      assert.equal((await answered).stdout, 'here\n');
      assert(heldMs > 0 && heldMs < 5000, `${heldMs} ms`);
      held.push(heldMs);
      const files = await store.files(id(n));
      const [x, y] = await Promise.all(['/x', '/y'].map((path) => numberIn(files, path)));
      assert(x !== undefined && y !== undefined && x - y >= 0 && x - y <= 1, `${x} ${y}`);
    }
    end.abort();
    await watching;
    assert.deepEqual([...states], ['running']);
    await writer.kill();
    console.log(`        held still for ${held.join(', ')} ms, with 3,000 files`);
  });

  it('leave nothing behind when the last one is removed', async () => {
    const store = bench.driver.volumes.snapshots;
    for (const n of [1, 2, 3, 4, 10, 11, 12, 13, 14]) {
      await store.remove(id(n));
      assert.equal(await store.heldBytes(id(n)), undefined);
    }
    const { Volumes: volumes } = await bench.docker.listVolumes();
    assert.deepEqual(
      volumes.map(({ Name }) => Name).filter((name) => name.includes(bench.installation)),
      [],
    );
  });
});

async function numberIn(
  files: Awaited<ReturnType<Bench['driver']['volumes']['files']>>,
  path: string,
): Promise<number> {
  const stream = await files.read(path);
  let found = '';
  for await (const chunk of stream) {
    found += String(chunk);
  }
  return Number(found);
}
