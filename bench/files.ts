/**
 * Files of a docker volume against `docker cp` in the same run (DESIGN.md, section 9). Prints a table; exits 1 when a
 * budget is missed. `node out/bench/files.js [quick]`.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { Engine } from '../test/engine/files/harness';
import { Transfers } from '../src/backend/services/transfers';
import type { OperationContext } from '../src/backend/services/operation-context';
import type { TransferCreate } from '../src/api/schemas/file';

const run = promisify(execFile);
const quick = process.argv.includes('quick');
const rounds = quick ? 1 : 3;
const bigSize = (quick ? 256 : 1024) * 1024 * 1024;
const fileCount = 10_000;

const context: OperationContext = {
  signal: new AbortController().signal,
  progress: () => undefined,
  warn: (text) => console.warn(text),
  step: (_name, _title, work) => work(),
};

interface Row {
  what: string;
  measured: number;
  baseline?: number;
  unit: string;
  /** True when the budget is kept. */
  kept: boolean;
  budget: string;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

async function p50(times: number, work: () => Promise<unknown>): Promise<number> {
  const values: number[] = [];
  for (let n = 0; n < times; n++) {
    values.push(await timed(work));
  }
  return median(values);
}

/** Both by turns, so that what else the machine does hits both. */
async function compared(
  mine: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
  reset: () => Promise<void>,
) {
  const measured: number[] = [];
  const baseline: number[] = [];
  for (let n = 0; n < rounds; n++) {
    for (const [values, work] of n % 2 === 0
      ? ([
          [baseline, theirs],
          [measured, mine],
        ] as const)
      : ([
          [measured, mine],
          [baseline, theirs],
        ] as const)) {
      await reset();
      values.push(await timed(work));
    }
  }
  return { measured: median(measured), baseline: median(baseline) };
}

async function makeFiles(folder: string): Promise<void> {
  const block = randomBytes(1024 * 1024);
  const blocks = Readable.from(
    (function* () {
      for (let left = bigSize; left > 0; left -= block.length) {
        yield block;
      }
    })(),
  );
  await pipeline(blocks, createWriteStream(join(folder, 'big')));
  for (let n = 0; n < fileCount; n++) {
    const name = join(folder, 'many', `d${n % 100}`);
    if (n < 100) {
      mkdirSync(name, { recursive: true });
    }
    writeFileSync(join(name, `f${n}`), block.subarray(n, n + 4096));
  }
}

async function latencies(engine: Engine, volume: string): Promise<Row[]> {
  const files = await engine.keepers.files(volume);
  await files.mkdir('/hundred');
  for (let n = 0; n < 100; n++) {
    await files.write(`/hundred/f${n}`, Buffer.alloc(4096), { create: true, overwrite: true });
  }
  const row = (what: string, measured: number, limit: number): Row => ({
    what,
    measured,
    unit: 'ms',
    kept: measured <= limit,
    budget: `≤ ${limit} ms`,
  });
  return [
    row('stat', await p50(500, () => files.stat('/hundred/f1')), 1),
    row('list 100 entries', await p50(200, () => files.list('/hundred')), 2),
    row(
      'read 4 KiB',
      await p50(500, async () => {
        for await (const part of await files.read('/hundred/f1')) {
          assert.ok(part);
        }
      }),
      2,
    ),
  ];
}

async function main(): Promise<void> {
  const engine = new Engine();
  const local = mkdtempSync(join(tmpdir(), 'berth-bench-'));
  try {
    await makeFiles(local);
    const volume = await engine.volume();
    const holder = await engine.holder(volume);
    const files = await engine.keepers.files(volume);
    const transfers = new Transfers({
      openFiles: (name) => engine.keepers.files(name),
      changed: () => undefined,
    });
    const transfer = (request: TransferCreate) => transfers.run(request, context);
    const clear = async (): Promise<void> => {
      for (const { name } of (await files.list('/')).entries.filter((entry) =>
        entry.name.startsWith('up-'),
      )) {
        await files.remove(`/${name}`, { recursive: true });
      }
      rmSync(join(local, 'down'), { recursive: true, force: true });
      mkdirSync(join(local, 'down'));
      await run('sync');
    };
    const rows = await latencies(engine, volume);
    for (const [name, what] of [
      ['big', `${bigSize / 1024 / 1024} MiB file`],
      ['many', `${fileCount} × 4 KiB`],
    ] as const) {
      const source = join(local, name);
      const up = await compared(
        () => transfer({ from: { local: [source] }, to: { volume, path: `/up-mine` }, exact: true }),
        () => run('docker', ['cp', source, `${holder.id}:/home/workspace/up-theirs`]),
        clear,
      );
      await transfer({ from: { local: [source] }, to: { volume, path: '/' } });
      const down = await compared(
        () =>
          transfer({
            from: { volume, paths: [`/${name}`] },
            to: { local: join(local, 'down/mine') },
            exact: true,
          }),
        () => run('docker', ['cp', `${holder.id}:/home/workspace/${name}`, join(local, 'down/theirs')]),
        clear,
      );
      for (const [way, { measured, baseline }] of [
        ['up', up],
        ['down', down],
      ] as const) {
        const limit = name === 'big' ? 1 / 0.9 : 1.1;
        rows.push({
          what: `${what} ${way}`,
          measured,
          baseline,
          unit: 'ms',
          kept: measured <= limit * baseline,
          budget: `≤ ${limit.toFixed(2)} × docker cp`,
        });
      }
    }
    rows.push(...(await listing(engine, volume)));
    print(rows);
    process.exitCode = rows.every(({ kept }) => kept) ? 0 : 1;
  } finally {
    await engine.dispose();
    rmSync(local, { recursive: true, force: true });
  }
}

async function listing(engine: Engine, volume: string): Promise<Row[]> {
  const files = await engine.keepers.files(volume);
  const stage = await files.stage();
  await files.unstage(stage);
  const local = mkdtempSync(join(tmpdir(), 'berth-bench-list-'));
  try {
    mkdirSync(join(local, 'flat'));
    for (let n = 0; n < fileCount; n++) {
      writeFileSync(join(local, 'flat', `file-${n}`), '');
    }
    const transfers = new Transfers({
      openFiles: (name) => engine.keepers.files(name),
      changed: () => undefined,
    });
    await transfers.run({ from: { local: [join(local, 'flat')] }, to: { volume, path: '/' } }, context);
    const measured = await p50(20, () => files.list('/flat'));
    return [{ what: 'list 10,000 entries', measured, unit: 'ms', kept: measured <= 150, budget: '≤ 150 ms' }];
  } finally {
    rmSync(local, { recursive: true, force: true });
  }
}

function print(rows: Row[]): void {
  console.log('| what | measured | docker cp | ratio | budget | |\n| --- | --- | --- | --- | --- | --- |');
  for (const { what, measured, baseline, unit, kept, budget } of rows) {
    const value = (ms: number): string => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ${unit}`;
    const ratio = baseline === undefined ? '' : (measured / baseline).toFixed(2);
    console.log(
      `| ${what} | ${value(measured)} | ${baseline === undefined ? '' : value(baseline)} | ${ratio} | ${budget} | ${kept ? 'kept' : 'MISSED'} |`,
    );
  }
}

void main();
