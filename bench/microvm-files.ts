/**
 * Files of a microVM's home disk over the API: while it runs, through the guest, against SFTP, `scp` and `tar` over
 * SSH; while it is stopped, in the disk's image, against `debugfs`.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SshTarget } from '../src/api';
import { interleave, isQuick, main, time, type Row, type RunningEngine } from './lib';
import { must, piped } from './support/docker';
import { HomeDisk, flat, type Sizes } from './support/home-disk';
import { touchMemory } from './support/memory';
import { createMicrovm, nameOf, wait, withMicrovms } from './support/microvms';
import { withSftp } from './support/sftp';

const home = '/home/workspace';
const flatCount = 10_000;
/** An emulated guest takes its time for each byte: less of them while it runs. */
const runningSizes: Sizes = {
  ...{ bigMiB: isQuick ? 8 : 32, files: isQuick ? 200 : 2000 },
  rounds: { short: isQuick ? 10 : 20, long: isQuick ? 1 : 2 },
};
const stoppedSizes: Sizes = {
  ...{ bigMiB: isQuick ? 64 : 256, files: isQuick ? 1000 : 10_000 },
  rounds: { short: isQuick ? 20 : 100, long: isQuick ? 2 : 5 },
};
const rounds = { running: 1, stopped: isQuick ? 1 : 3 };
const budgets = {
  running: { big: { up: 0.9, down: 0.9 }, many: { up: 1.1, down: 1.1 } },
  // What `debugfs` has written of a file may be half there after a crash, and is not on the disk.
  stopped: { big: { up: undefined, down: 1.5 }, many: { up: 1.5, down: 1.5 } },
};

interface Copy {
  what: 'big' | 'many';
  way: 'up' | 'down';
  baseline: string;
  theirs: () => Promise<void>;
  /** What is needed for each turn of theirs. */
  before?: () => Promise<void>;
}

/** Ours and the other by turns. */
async function copied(disk: HomeDisk, { what, way, baseline, theirs, before }: Copy): Promise<Row> {
  const times = rounds[disk.state];
  const pair = await interleave(
    times,
    async () => {
      await disk.forgetCopies();
      return time(() => disk[way](what));
    },
    async () => {
      await disk.forgetCopies();
      await before?.();
      return time(theirs);
    },
  );
  const atMost = budgets[disk.state][what][way];
  const title = what === 'big' ? `${disk.sizes.bigMiB} MiB file` : `${disk.sizes.files} × 4 KiB`;
  return {
    ...{ what: `${disk.state}: ${title} ${way}`, value: pair.subject, unit: 'ms' },
    baseline: { what: baseline, value: pair.baseline },
    ...(atMost !== undefined && { budget: { atMost, of: 'ratio' as const } }),
    note: times === 1 ? 'once' : `median of ${times}`,
  };
}

async function allCopied(disk: HomeDisk, copies: readonly Copy[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const copy of copies) {
    rows.push(await copied(disk, copy));
  }
  await disk.forgetCopies();
  return rows;
}

async function running(disk: HomeDisk, target: SshTarget): Promise<Row[]> {
  const { local } = disk;
  const inside = home + disk.inside;
  const latencies = await withSftp(target, (sftp) =>
    disk.latencies(
      {
        stat: () => sftp.stat(`${inside}/hundred/f1`),
        'list 100 entries': () => sftp.list(`${inside}/hundred`),
        'read 4 KiB': () => sftp.read(`${inside}/hundred/f1`),
        'list 10,000 entries': () => sftp.list(home + flat),
      },
      'SFTP, connected',
    ),
  );
  const ssh = (command: string) => ['ssh', '-F', target.configFile, target.alias, command];
  const scp = ['scp', '-q', '-F', target.configFile];
  const unpack = ssh(`mkdir ${home}/copy && tar -x -C ${home}/copy`);
  const copies: Copy[] = [
    {
      ...{ what: 'big', way: 'up', baseline: '`scp`' },
      theirs: () => must([...scp, join(local, 'big'), `${target.alias}:copy`]),
    },
    {
      ...{ what: 'big', way: 'down', baseline: '`scp`' },
      theirs: () => must([...scp, `${target.alias}:${inside}/big`, disk.copy]),
    },
    {
      ...{ what: 'many', way: 'up', baseline: '`tar` to `ssh tar`' },
      theirs: () => piped(['tar', '-c', '-C', join(local, 'many'), '.'], unpack),
    },
    {
      ...{ what: 'many', way: 'down', baseline: '`ssh tar` to `tar`' },
      theirs: () => {
        mkdirSync(disk.copy);
        return piped(ssh(`tar -c -C ${inside}/many .`), ['tar', '-x', '-C', disk.copy]);
      },
    },
  ];
  return [...latencies, ...(await allCopied(disk, copies))];
}

/** What `debugfs` is told to put a folder of folders into an image. */
function scriptOf(source: string): string {
  const made = readdirSync(source).flatMap((folder) => [
    `mkdir /copy/${folder}`,
    ...readdirSync(join(source, folder)).map(
      (file) => `write ${join(source, folder, file)} /copy/${folder}/${file}`,
    ),
  ]);
  return ['mkdir /copy', ...made, ''].join('\n');
}

async function stopped(disk: HomeDisk): Promise<Row[]> {
  const { local, inside } = disk;
  const plain = join(local, 'plain.ext4');
  const changed = join(local, 'changed.ext4');
  const script = join(local, 'script');
  writeFileSync(script, scriptOf(join(local, 'many')));
  // No two may have one image open for writing.
  await must(['sync']);
  await must(['cp', '--sparse=always', disk.file, plain]);
  const ask = (request: string) => () => must(['debugfs', '-R', request, plain]);
  const latencies = await disk.latencies(
    {
      ...{ stat: ask(`stat ${inside}/hundred/f1`), 'list 100 entries': ask(`ls -p ${inside}/hundred`) },
      ...{ 'read 4 KiB': ask(`cat ${inside}/hundred/f1`), 'list 10,000 entries': ask(`ls -p ${flat}`) },
    },
    '`debugfs`, a process each',
  );
  const baseline = '`debugfs`';
  const before = () => must(['cp', '--sparse=always', plain, changed]);
  const copies: Copy[] = [
    {
      ...{ what: 'big', way: 'up', baseline, before },
      theirs: () => must(['debugfs', '-w', '-R', `write ${join(local, 'big')} copy`, changed]),
    },
    {
      ...{ what: 'big', way: 'down', baseline },
      theirs: () => must(['debugfs', '-R', `dump ${inside}/big ${disk.copy}`, plain]),
    },
    {
      ...{ what: 'many', way: 'up', baseline, before },
      theirs: () => must(['debugfs', '-w', '-f', script, changed]),
    },
    {
      ...{ what: 'many', way: 'down', baseline },
      theirs: () => {
        mkdirSync(disk.copy);
        return must(['debugfs', '-R', `rdump ${inside}/many ${disk.copy}`, plain]);
      },
    },
  ];
  await touchMemory(2 * copies.length * rounds.stopped * disk.sizes.bigMiB * 1024 * 1024);
  return [...latencies, ...(await allCopied(disk, copies))];
}

async function measureWith(engine: RunningEngine, temporary: string): Promise<Row[]> {
  const { client } = engine;
  const name = nameOf('files');
  await createMicrovm(engine, name);
  const target = await client.call('workspaces.ssh', { params: { name } });
  const make = `mkdir ${home}${flat} && cd ${home}${flat} && seq ${flatCount} | xargs touch`;
  await must(['ssh', '-F', target.configFile, target.alias, make]);
  const live = new HomeDisk(engine, name, 'running', temporary, runningSizes);
  await live.fill();
  const rows = await running(live, target);
  await client.waitFor(await client.call('workspaces.stop', { params: { name }, ...wait }));
  const still = new HomeDisk(engine, name, 'stopped', temporary, stoppedSizes);
  await still.fill();
  return [...rows, ...(await stopped(still))];
}

async function measure(): Promise<Row[]> {
  const temporary = mkdtempSync(join(tmpdir(), 'berth-bench-files-'));
  try {
    return await withMicrovms('shared', (engine) => measureWith(engine, temporary));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

main('MicroVMs: files', measure);
