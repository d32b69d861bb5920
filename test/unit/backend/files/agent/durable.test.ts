import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasCode, TestVolume } from './harness';

/** What is said to be there is there after a crash: its data is on the disk first. */
describe('files that arrive in a volume', function () {
  this.timeout(20_000);
  let volume: TestVolume;
  let folder: string;
  let server: Server | undefined;
  const at = (...path: string[]): string => join(volume.root, ...path);
  const put = (path: string, text = 'x'): void => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  };
  const steps = (): string[] => readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
  /** Where in the log each of these is; all must be there. */
  const inOrder = (...wanted: string[]): void => {
    const places = wanted.map((step) => steps().indexOf(step));
    assert.ok(!places.includes(-1), `${wanted.join(', ')}: ${steps().join(', ')}`);
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
      steps().join(', '),
    );
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-log-'));
    volume = await TestVolume.create('test', { log: join(folder, 'log') });
    mkdirSync(at('t'));
    mkdirSync(at('mount'));
  });
  afterEach(async () => {
    server?.close();
    server = undefined;
    assert.deepEqual(
      [...readdirSync(volume.root), ...readdirSync(at('mount'))].filter((name) => name.startsWith('.berth-')),
      [],
    );
    await volume.dispose();
    rmSync(folder, { recursive: true });
  });

  it('are synced one by one when they are few, before they are moved; their folder after that', async () => {
    const stage = await volume.files.stage();
    put(at(stage, 'a'));
    put(at(stage, 'd/b'));
    await volume.files.merge(stage, '/t', 'overwrite');
    inOrder('fsync .berth-stage/a', 'rename t/a', 'fsync t');
    inOrder('fsync .berth-stage/d/b', 'fsync .berth-stage/d', 'rename t/d', 'fsync t');
    assert.ok(!steps().some((step) => step.startsWith('syncfs')));
  });

  it('are synced at once when they are many, and so are many folders', async () => {
    const stage = await volume.files.stage();
    for (let number = 0; number < 20; number++) {
      mkdirSync(at(`t/${number}`));
      put(at(stage, `${number}/file`), 'new');
    }
    await volume.files.merge(stage, '/t', 'overwrite');
    assert.equal(steps().filter((step) => step.startsWith('fsync')).length <= 16, true, steps().join(', '));
    inOrder('syncfs .berth-stage', 'rename t/0/file');
    assert.match(steps().at(-1) ?? '', /^syncfs t\/\d+$/);
    assert.equal(readFileSync(at('t/19/file'), 'utf8'), 'new');
  });

  it('are synced when they are copied or saved', async () => {
    put(at('a'));
    await volume.files.copy('/a', '/t/b', { overwrite: true });
    inOrder('fsync .berth-stage/copy', 'rename t/b', 'fsync t');
    await volume.files.write('/mount/saved', Buffer.from('x'), { create: true, overwrite: true });
    inOrder('fsync mount');
  });

  it('are synced beside where they belong when something else is mounted there', async () => {
    const stage = await volume.files.stage();
    put(at(stage, 'a'));
    put(at(stage, 'd/b'));
    const { files, failed } = await volume.files.merge(stage, '/mount', 'fail');
    assert.deepEqual([files, failed], [2, []]);
    inOrder('fsync mount/.berth-stage/a', 'rename mount/a', 'rename mount/d', 'fsync mount');
    assert.equal(steps().filter((step) => step === 'fsync mount/.berth-stage').length, 1, 'once for all');
    put(at('c'));
    await volume.files.copy('/c', '/mount/c', { overwrite: false });
    inOrder('fsync mount/.berth-stage/copy', 'rename mount/c');
    // At the top of what is mounted: there the next agent finds what a killed one has left.
    mkdirSync(at('mount/in/ner'), { recursive: true });
    await volume.files.copy('/c', '/mount/in/ner/c', { overwrite: false });
    inOrder('fsync mount/.berth-stage/copy', 'rename mount/in/ner/c');
  });

  it('are moved to another mount: the original goes when the copy is on the disk', async () => {
    put(at('d/e/f'), 'content');
    const entry = await volume.files.rename('/d', '/mount/d', { overwrite: false });
    assert.equal(entry.type, 'directory');
    assert.equal(readFileSync(at('mount/d/e/f'), 'utf8'), 'content');
    assert.ok(!existsSync(at('d')));
    inOrder('fsync mount/.berth-stage/copy/e/f', 'rename mount/d', 'fsync mount');
    put(at('d'), 'another');
    await assert.rejects(volume.files.rename('/d', '/mount/d', { overwrite: false }), hasCode('path_exists'));
    await assert.rejects(
      volume.files.rename('/d', '/mount/d2', { overwrite: false, mayCopy: false }),
      hasCode('not_supported'),
    );
    assert.equal(readFileSync(at('d'), 'utf8'), 'another');
  });

  it('stay where they are when not all of them can be moved', async () => {
    put(at('d/f'), 'content');
    const made = createServer();
    server = made;
    await new Promise<void>((resolve) => made.listen(at('d/socket'), resolve));
    await assert.rejects(
      volume.files.rename('/d', '/mount/d', { overwrite: false }),
      (error: unknown) => hasCode('not_supported')(error) && /socket/.test(String(error)),
    );
    assert.equal(readFileSync(at('d/f'), 'utf8'), 'content');
    assert.deepEqual(readdirSync(at('mount')), []);
  });
});
