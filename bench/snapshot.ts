/**
 * Snapshots of the home of a container that runs, and comparing it with one, against `cp -a` of the same files inside of the same
 * container; and the `list` of the command line against a bare Node.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare } from '../src/client/compare';
import { snapshotFilesOf } from '../src/api/rules/root-files';
import { isQuick, main, median, repository, time, withEngine, type Row, type RunningEngine } from './lib';
import { must, prefix } from './support/docker';

const rounds = isQuick ? 1 : 5;
const files = isQuick ? 1_000 : 20_000;
const folders = 100;
/** All files together are a GiB. */
const fileBytes = Math.floor(((isQuick ? 64 : 1024) * 1024 * 1024) / files);
const changedFiles = Math.ceil((1024 * 1024) / fileBytes);
const wait = { wait: 60_000 };
const home = '/home/workspace';
const volume = `workspace-${prefix}`;

/** `data/d<n>/f<n>` in a folder of this machine. */
function makeFiles(folder: string): void {
  const block = randomBytes(fileBytes + files);
  for (let n = 0; n < folders; n += 1) {
    mkdirSync(join(folder, 'data', `d${n}`), { recursive: true });
  }
  for (let n = 0; n < files; n += 1) {
    writeFileSync(join(folder, 'data', `d${n % folders}`, `f${n}`), block.subarray(n, n + fileBytes));
  }
}

interface Times {
  first: number[];
  second: number[];
  copy: number[];
  compared: number[];
}

async function snapshot({ client }: RunningEngine, name: string): Promise<void> {
  const body = { name };
  await client.waitFor(await client.call('snapshots.create', { params: { volume }, body, query: wait }));
}

/** Snapshots, comparison and the copy by turns; what was made goes before the next turn. */
async function round(engine: RunningEngine, times: Times): Promise<void> {
  const { client } = engine;
  const inside = (...argv: string[]): Promise<void> => must(['docker', 'exec', volume, ...argv]);
  times.copy.push(await time(() => inside('cp', '-a', `${home}/data`, `${home}/copy`)));
  await inside('rm', '-rf', `${home}/copy`);
  times.first.push(await time(() => snapshot(engine, 'first')));
  const script = `cd ${home}/data/d0 && for f in $(ls | head -n ${changedFiles}); do echo x >>$f; done`;
  await inside('sh', '-c', script);
  times.second.push(await time(() => snapshot(engine, 'second')));
  const made = await client.call('snapshots.list', { params: { volume } });
  const first = made.find(({ name }) => name === 'first');
  if (first === undefined) {
    throw new Error('The first snapshot is not there.');
  }
  const before = { volume: snapshotFilesOf(first.id), path: '/' };
  const listener = { changes: () => undefined };
  times.compared.push(
    await time(() => compare(client, before, { volume, path: '/' }, listener, new AbortController().signal)),
  );
  for (const { id } of made) {
    await client.call('snapshots.delete', { params: { volume, snapshot: id } });
  }
}

async function listTimes(engine: RunningEngine): Promise<{ list: number[]; node: number[] }> {
  const cli = join(repository, 'dist', 'cli.js');
  process.env.BERTH_HOME = engine.home;
  const list: number[] = [];
  const node: number[] = [];
  for (let turn = 0; turn < rounds * 2; turn += 1) {
    node.push(await time(() => must([process.execPath, '-e', '0'])));
    list.push(await time(() => must([process.execPath, cli, 'list'])));
  }
  return { list, node };
}

async function measureWith(engine: RunningEngine): Promise<Row[]> {
  const { client } = engine;
  const local = mkdtempSync(join(tmpdir(), 'berth-bench-snapshot-'));
  const body = { name: prefix, image: 'workspace:latest' };
  const times: Times = { first: [], second: [], copy: [], compared: [] };
  try {
    makeFiles(local);
    await client.waitFor(await client.call('workspaces.create', { body, query: wait }));
    const from = { local: [join(local, 'data')] };
    const sent = { from, to: { volume, path: '/' } };
    await client.waitFor(await client.call('transfers.create', { body: sent, query: wait }));
    for (let turn = 0; turn < rounds; turn += 1) {
      await round(engine, times);
    }
  } finally {
    rmSync(local, { recursive: true, force: true });
    const begun = await client.call('workspaces.delete', { params: { name: prefix }, query: wait });
    await client.waitFor(begun);
  }
  const note = `median of ${rounds}`;
  const baseline = { what: '`cp -a` inside', value: median(times.copy) };
  const row = (what: string, values: readonly number[], atMost: number): Row => ({
    ...{ what, value: median(values), unit: 'ms', baseline, note },
    budget: { atMost, of: 'ratio' },
  });
  const { list, node } = await listTimes(engine);
  const size = `${files} files`;
  return [
    row(`first snapshot of ${size}`, times.first, 1.1),
    row(`second one, after ${changedFiles} of them have changed`, times.second, 0.2),
    {
      ...{ what: `compare ${size} with the first snapshot`, value: median(times.compared), unit: 'ms', note },
      budget: { atMost: 1_000, of: 'value' },
    },
    {
      ...{ what: '`berth list`', value: median(list), unit: 'ms', note: `median of ${list.length}` },
      baseline: { what: '`node -e 0`', value: median(node) },
      budget: { atMost: 2, of: 'ratio' },
    },
  ];
}

main('Snapshots', () => withEngine(measureWith));
