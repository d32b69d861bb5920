import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import type * as Lanes from '../../scripts/lib/lanes.mjs' with { 'resolution-mode': 'import' };
import type * as Tasks from '../../scripts/lib/tasks.mjs' with { 'resolution-mode': 'import' };
import { ROOT } from './setup';

const script = (name: string) => pathToFileURL(join(ROOT, 'scripts/lib', name)).href;

describe('suites beside each other', () => {
  let lanes: typeof Lanes;
  before(async () => (lanes = (await import(script('lanes.mjs'))) as typeof Lanes));

  it('are all of them, each in one lane', () => {
    const all = lanes.LANES.flat();
    assert.equal(new Set(all).size, all.length);
    assert.deepEqual(lanes.lanesOf(all), lanes.LANES);
  });

  it('leave out lanes in which nothing is to be run', () => {
    assert.deepEqual(lanes.lanesOf(['unit']), [['unit']]);
    assert.deepEqual(lanes.lanesOf(['engine', 'ui', 'host']), [['ui'], ['engine', 'host']]);
  });

  it('run in order in their lane, whatever happens in another', async () => {
    const seen: string[] = [];
    let release = (): void => undefined;
    const isReleased = new Promise<void>((resolve) => (release = resolve));
    const runOne = async (name: string) => {
      seen.push(name);
      if (name === 'a') await isReleased;
      if (name === 'bad') throw new Error('it broke');
      if (name === 'last') release();
      return `${name} ran`;
    };
    const failed = (error: unknown, name: string) => `${name}: ${String(error)}`;
    const outcomes = await lanes.runLanes(
      [
        ['a', 'b'],
        ['bad', 'last'],
      ],
      runOne,
      failed,
    );
    assert.deepEqual(seen, ['a', 'bad', 'last', 'b']);
    assert.deepEqual(outcomes, ['a ran', 'b ran', 'bad: Error: it broke', 'last ran']);
  });
});

describe('tasks that need each other', () => {
  let createTasks: typeof Tasks.createTasks;
  const steps = { run: <T>(_: string, work: (say: () => void) => Promise<T>) => work(() => undefined) };
  before(async () => ({ createTasks } = (await import(script('tasks.mjs'))) as typeof Tasks));

  it('are done once, after what they need', async () => {
    const seen: string[] = [];
    const task = (name: string, ...needs: string[]) => ({
      needs,
      work: () => Promise.resolve(seen.push(name)),
    });
    const tasks = { c: task('c', 'a', 'b'), b: task('b', 'a'), a: task('a') };
    const done = createTasks(tasks, steps);
    await Promise.all([done('c'), done('b'), done('c')]);
    assert.deepEqual(seen, ['a', 'b', 'c']);
  });

  it('fail with what they need, and only those', async () => {
    const tasks = {
      bad: { work: () => Promise.reject(new Error('no network')) },
      after: { needs: ['bad'], work: () => Promise.resolve('never') },
      other: { work: () => Promise.resolve('done') },
    };
    const done = createTasks(tasks, steps);
    await assert.rejects(done('after'), /no network/);
    assert.equal(await done('other'), 'done');
  });
});

describe('a program with a log', function () {
  this.timeout(30_000);
  let folder = '';
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'berth-run-'))));
  after(() => rm(folder, { recursive: true }));

  /** A script that uses run.mjs. */
  const start = (text: string) => {
    const source = `import { endAll, run } from '${script('run.mjs')}';\n${text}`;
    return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'ignore' });
  };

  it('has ended though what it left running still writes there', async () => {
    const log = join(folder, 'left.log');
    const child = start(
      `await run('sh', ['-c', 'echo hello; sleep 20 & echo $!'], ${JSON.stringify({ log })});`,
    );
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 0);
    const [hello, pid] = (await readFile(log, 'utf8')).trim().split('\n');
    assert.equal(hello, 'hello');
    process.kill(Number(pid));
  });

  it('ends with the script that is told to', async () => {
    const log = join(folder, 'ended.log');
    const child = start(`
      const ran = run('sh', ['-c', 'echo $$; exec sleep 20'], ${JSON.stringify({ log })}).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await endAll();
      await ran;`);
    await once(child, 'exit');
    const pid = Number(await readFile(log, 'utf8'));
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });
});
