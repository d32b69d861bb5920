/**
 * Files of a Docker volume over the API: latencies with and without a holder; transfers against
 * `docker cp`, and of many files against `tar` through `docker exec`, which is faster.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineClient } from '../src/client/engine-client';
import { find } from '../src/client/find';
import type { TransferCreate } from '../src/api';
import { interleave, isQuick, main, median, repeat, time, withEngine, type Pair, type Row } from './lib';
import { must, piped, prefix } from './support/docker';
import { makeSources } from './support/sources';

const image = 'workspace:latest';
const rounds = isQuick ? 1 : 5;
const latencyRounds = isQuick ? 50 : 300;
const bigMiB = isQuick ? 128 : 1024;
const fileCount = 10_000;

async function transfer(client: EngineClient, body: TransferCreate): Promise<void> {
  await client.waitFor(await client.call('transfers.create', { body, query: { wait: 60_000 } }));
}

async function latencies(client: EngineClient, volume: string, holder: string): Promise<Row[]> {
  const params = { volume };
  const row = async (
    what: string,
    atMost: number,
    times: number,
    run: () => Promise<unknown>,
  ): Promise<Row> => ({
    what: `${what}, ${holder}`,
    value: median(await repeat(times, run)),
    unit: 'ms',
    budget: { atMost, of: 'value' },
    note: `median of ${times}`,
  });
  const list = (path: string) => () => client.call('files.list', { params, query: { path } });
  const names = () =>
    find(client, volume, { path: '/flat', limit: 50_000 }, {}, new AbortController().signal);
  const stat = () => client.call('files.stat', { params, query: { path: '/hundred/f1' } });
  return [
    await row('stat', 1, latencyRounds, stat),
    await row('list 100 entries', 1.5, latencyRounds, list('/hundred')),
    await row('read 4 KiB', 1, latencyRounds, () => client.readFile(volume, '/hundred/f1')),
    await row('list 10,000 entries', 75, 20, list('/flat')),
    await row('names of 10,000 files, as *Go to File in Volume…* asks', 1000, 20, names),
  ];
}

interface Place {
  client: EngineClient;
  volume: string;
  container: string;
  local: string;
}

/** What is done by hand, from a folder or file to one that is not there yet. */
interface ByHand {
  what: string;
  up: (from: string, container: string, to: string) => Promise<void>;
  down: (container: string, from: string, to: string) => Promise<void>;
}

const dockerCp: ByHand = {
  what: '`docker cp`',
  up: (from, container, to) => must(['docker', 'cp', from, `${container}:${to}`]),
  down: (container, from, to) => must(['docker', 'cp', `${container}:${from}`, to]),
};

const execTar: ByHand = {
  what: '`tar` through `docker exec`',
  up: (from, container, to) =>
    piped(
      ['tar', '-c', '-C', from, '.'],
      ['docker', 'exec', '-i', container, 'sh', '-c', `mkdir ${to} && tar -x -C ${to}`],
    ),
  down: (container, from, to) => {
    mkdirSync(to);
    return piped(['docker', 'exec', container, 'tar', '-c', '-C', from, '.'], ['tar', '-x', '-C', to]);
  },
};

/**
 * Ours and theirs by turns, each to a new place. Many files go at the end only, as ext4 is slow for seconds where thousands
 * were deleted; large ones, of which there is no room for all, after their turn.
 */
async function copies(place: Place, name: string, byHand: ByHand): Promise<{ up: Pair; down: Pair }> {
  const { client, volume, container, local } = place;
  const source = join(local, name);
  const inside = '/home/workspace';
  let turns = 0;
  const forget = async (copy: string): Promise<void> => {
    rmSync(join(local, copy), { recursive: true, force: true });
    const body = { path: `/${copy}`, recursive: true };
    await client.call('files.remove', { params: { volume }, body }).catch(() => undefined);
  };
  const timed = (run: (copy: string) => Promise<void>) => async () => {
    const copy = `copy-${turns++}`;
    await must(['sync']);
    const took = await time(() => run(copy));
    if (name === 'big') await forget(copy);
    return took;
  };
  const up = await interleave(
    rounds,
    timed((copy) =>
      transfer(client, { from: { local: [source] }, to: { volume, path: `/${copy}` }, exact: true }),
    ),
    timed((copy) => byHand.up(source, container, `${inside}/${copy}`)),
  );
  const down = await interleave(
    rounds,
    timed((copy) =>
      transfer(client, {
        ...{ from: { volume, paths: [`/${name}`] }, to: { local: join(local, copy) }, exact: true },
      }),
    ),
    timed((copy) => byHand.down(container, `${inside}/${name}`, join(local, copy))),
  );
  for (let turn = 0; turn < turns; turn++) {
    await forget(`copy-${turn}`);
  }
  return { up, down };
}

async function copyRows(
  place: Place,
  name: string,
  byHand: ByHand,
  { what, atMost }: { what: string; atMost: { up: number; down: number } },
): Promise<Row[]> {
  const { up, down } = await copies(place, name, byHand);
  const pairs = [
    ['up', up],
    ['down', down],
  ] as const;
  return pairs.map(([way, { subject, baseline }]) => ({
    what: `${what} ${way}`,
    value: subject,
    unit: 'ms',
    baseline: { what: byHand.what, value: baseline },
    budget: { atMost: atMost[way], of: 'ratio' },
    note: `median of ${rounds}`,
  }));
}

async function measureWith(client: EngineClient, local: string): Promise<Row[]> {
  const query = { wait: 60_000 };
  const volume = `workspace-${prefix}`;
  const loose = `${prefix}-loose`;
  await client.call('volumes.create', { body: { name: loose } });
  await client.waitFor(await client.call('workspaces.create', { body: { name: prefix, image }, query }));
  try {
    const rows: Row[] = [];
    for (const name of [volume, loose]) {
      const sources = ['hundred', 'flat', 'many', 'big'].map((each) => join(local, each));
      const here = name === volume ? sources : sources.slice(0, 2);
      await transfer(client, { from: { local: here }, to: { volume: name, path: '/' } });
    }
    rows.push(...(await latencies(client, volume, 'held')));
    rows.push(...(await latencies(client, loose, 'not held')));
    const place = { client, volume, container: volume, local };
    const big = { what: `${bigMiB} MiB file`, atMost: { up: 0.8, down: 0.95 } };
    rows.push(...(await copyRows(place, 'big', dockerCp, big)));
    const many = { what: `${fileCount} × 4 KiB`, atMost: { up: 1.2, down: 1.2 } };
    rows.push(...(await copyRows(place, 'many', execTar, many)));
    return rows;
  } finally {
    await client.waitFor(await client.call('workspaces.delete', { params: { name: prefix }, query }));
    await client.call('volumes.delete', { params: { volume: loose } });
  }
}

async function measure(): Promise<Row[]> {
  const local = mkdtempSync(join(tmpdir(), 'berth-bench-files-'));
  try {
    await makeSources(local, bigMiB, fileCount);
    return await withEngine(({ client }) => measureWith(client, local));
  } finally {
    rmSync(local, { recursive: true, force: true });
  }
}

main('Files', measure);
