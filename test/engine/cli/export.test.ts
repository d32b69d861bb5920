/** Workspaces as files by the built program, with a real Docker: out of one installation, into another one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineInfo, Image, Snapshot, Workspace } from '../../../src/api';
import type { ImportResult } from '../../../src/api/workspaces/export';
import { until } from '../../support/wait';
import { Berth, finished } from './harness';

/** Small, and with what a shell needs. */
const image = 'berth-tools:1';
const mebibyte = 1024 * 1024;

describe('berth export and import', function () {
  this.timeout(300_000);
  const berth = new Berth(undefined, { TOKEN: 'never-in-a-file' });
  const other = new Berth();
  const name = `${berth.prefix}-w`;
  const data = `${berth.prefix}-data`;
  const file = (): string => join(berth.folder, `${name}.berth`);
  let port = 0;

  before(async () => {
    port = await freePort();
    await berth.ok('volume', 'create', data);
    await berth.ok('volume', 'create', `${berth.prefix}-ro`);
    await berth.ok(
      ...['create', name, '--image', image, '-v', `${data}:/data`, '-v', `${berth.prefix}-ro:/ro:ro`],
      ...['--publish', `${port}:8000`, '--env', 'COLOUR=red', '--secret', 'TOKEN', '--tag', 'tried'],
    );
    await berth.ok('exec', name, '--user', 'root', '--', 'sh', '-c', made);
  });
  after(async () => {
    await other.dispose();
    await berth.dispose();
  });

  /** Owners, modes, times to the nanosecond, names of one file, holes, attributes, and files outside of volumes. */
  const made = [
    'cd /home/workspace; mkdir -m 1750 d; echo one >d/a; ln d/a d/b; ln -s a d/l; mkfifo d/p',
    'chown 1000:1000 d; chown -h 7:8 d/a; chmod 4711 d/a; touch -d "2020-01-02 03:04:05.123456789" d/a',
    `truncate -s 1G d/holes; echo end >>d/holes; head -c ${3 * mebibyte} /dev/urandom >d/large`,
    'setfattr -n user.kind -v good d/large 2>/dev/null; echo in-data >/data/f; chown 1000:7 /data; chmod 2770 /data',
    'mkdir -p /opt/tool; echo installed >/opt/tool/t; rm -f .profile',
  ].join('\n');
  const look = [
    'cd /home/workspace; ls -A | sort; stat -c "%n %F %a %u %g %h %s %y" d d/a d/b d/l d/p d/holes d/large /data/f',
    'stat -c "%n %a %u %g" . /data /opt/tool/t; sha256sum d/large; tail -c 4 d/holes; cat /data/f /opt/tool/t; echo $COLOUR',
    "python3 -c \"import os; print(os.listxattr('d/large'), os.stat('d/holes').st_blocks < 100)\" 2>/dev/null",
  ].join('\n');
  const files = (of: Berth, workspace: string): Promise<string> =>
    of.ok('exec', workspace, '--user', 'root', '--', 'sh', '-c', look);
  /** All that another import could leave. */
  async function left(): Promise<unknown> {
    const workspaces = await other.json<Workspace[]>('list');
    const images = await other.json<Image[]>('image', 'list');
    return [
      workspaces.filter((each) => each.name.includes(other.prefix)).map((each) => each.name),
      await other.volumes(),
      images.flatMap(({ tags }) => tags).filter((tag) => tag.includes(other.prefix)),
    ];
  }

  it('writes one file of a workspace that goes on, and leaves nothing else', async () => {
    const { code, stdout, stderr } = await berth.run(['export', name]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `${name} is in ${name}.berth.\n`);
    assert.match(stderr, /not in the file: 1 secret values, to be set again: TOKEN\n/);
    assert.match(stderr, new RegExp(`not in the file: 1 volumes that it only reads: ${berth.prefix}-ro\\n`));
    const { mode, size } = statSync(file());
    assert.equal(mode & 0o777, 0o600);
    assert.ok(size < 64 * mebibyte, `${size} bytes: holes are in it`);
    assert.ok(!readFileSync(file()).includes('never-in-a-file'));
    assert.equal((await berth.json<Workspace>('info', name)).state, 'running');
    assert.deepEqual(await berth.json<Snapshot[]>('snapshot', 'list', name), []);
    const images = (await berth.json<Image[]>('image', 'list')).flatMap(({ tags }) => tags);
    assert.deepEqual(
      images.filter((tag) => tag.includes(name)),
      [],
    );
    assert.deepEqual(
      readdirSync(berth.folder).filter((each) => each.includes('.berth')),
      [`${name}.berth`],
    );
  });

  it('makes the same workspace in another installation, beside what has its names and ports', async () => {
    const there = `${other.prefix}-w`;
    const result = await other.json<ImportResult>('import', file(), '--name', there);
    assert.deepEqual(result.renamed, [{ from: data, to: `${there}-${data}` }]);
    assert.deepEqual(result.volumes, [`${there}-${data}`]);
    assert.deepEqual(result.ports, [{ from: port, guest: 8000 }]);
    assert.deepEqual(
      result.published.map(({ guest }) => guest),
      [8000],
    );
    assert.deepEqual([result.secretNames, result.warnings], [['TOKEN'], []]);
    assert.equal(result.leftOut.length, 2);
    assert.equal(await files(other, there), await files(berth, name));
    const { spec, tags, state } = await other.json<Workspace>('info', there);
    assert.deepEqual([tags, state, spec.secretNames], [['tried'], 'running', undefined]);
    assert.deepEqual(
      spec.mounts?.map(({ source, target }) => [source, target]),
      [[`${there}-${data}`, '/data']],
    );
    await other.ok('delete', there, '--now', '--yes');
    await other.ok('volume', 'delete', `${there}-${data}`, '--now', '--yes');
    assert.deepEqual(await left(), [[], [], []]);
  });

  it('replaces no file unasked, goes through a pipe, and says what is taken', async () => {
    const before = statSync(file());
    const again = await berth.run(['export', name]);
    assert.match(again.stderr, /exists already\.\nhint: .*`--force`/);
    assert.deepEqual(statSync(file()).mtimeMs, before.mtimeMs);
    await berth.ok('export', name, '--force', '--image', 'reference', '--output', 'small.berth');
    const small = readFileSync(join(berth.folder, 'small.berth'));
    const taken = await berth.run(['import', '-'], { input: small });
    assert.match(taken.stderr, /hint: Import it under another name: `--name/);
    const there = `${other.prefix}-pipe`;
    const piped = await berth.shell(
      '"$0" "$1" export "$2" --image reference --output - | BERTH_HOME="$3" "$0" "$1" import - --name "$4" --no-start',
      [name, other.home, there],
      '',
    );
    assert.equal(piped.code, 0, piped.stderr);
    assert.match(piped.stderr, new RegExp(`not in the file: its image ${image}`));
    assert.match(piped.stderr, /files that it has outside of its volumes/);
    assert.equal((await other.json<Workspace>('info', there)).spec.image, image);
    assert.match(await other.ok('cat', `${there}:d/b`), /^one$/m);
    await other.ok('delete', there, '--now', '--yes');
    // Named volumes outlive their workspace.
    await other.ok('volume', 'delete', `${there}-${data}`, '--now', '--yes');
  });

  it('leaves nothing of a file that is cut off, or has another byte', async () => {
    const whole = readFileSync(file());
    const small = readFileSync(join(berth.folder, 'small.berth'));
    const flipped = Buffer.from(small);
    flipped[small.length - mebibyte] = (flipped[small.length - mebibyte] ?? 0) ^ 4;
    const broken: [Buffer, RegExp][] = [
      [whole.subarray(0, whole.length / 2), /damaged, or is none: "image\/\d+\.gz": the file ends in it/],
      [flipped, /damaged, or is none: "volumes\/1\/\d+\.gz"/],
      [small.subarray(0, small.length - 600), /damaged, or is none: "SHA256SUMS"/],
    ];
    for (const [index, [bytes, message]] of broken.entries()) {
      const path = join(other.folder, `broken-${index}.berth`);
      writeFileSync(path, bytes);
      const { code, stderr } = await other.run(['import', path, '--name', `${other.prefix}-b${index}`]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.deepEqual(await left(), [[], [], []], stderr);
    }
  });

  it('leaves no part of a file when the engine is killed, and nothing behind when an import is', async () => {
    const { pid } = await berth.json<EngineInfo>('status');
    const writing = berth.spawn(['export', name, '--output', 'killed.berth']);
    while (!readdirSync(berth.folder).some((each) => each.startsWith('.killed'))) {
      await sleep(20);
    }
    await sleep(1500);
    process.kill(pid, 'SIGKILL');
    const { code } = await finished(writing, 'export');
    assert.notEqual(code, 0);
    assert.ok(!readdirSync(berth.folder).some((each) => each.includes('killed')));
    const snapshots = (): Promise<Snapshot[]> => berth.json<Snapshot[]>('snapshot', 'list', name);
    await until('what was left to be removed', async () => (await snapshots()).length === 0);

    const there = `${other.prefix}-k`;
    const engine = await other.json<EngineInfo>('status');
    const reading = other.spawn(['import', '-', '--name', there, '--no-start']);
    reading.stdin.on('error', () => undefined);
    const bytes = readFileSync(file());
    reading.stdin.write(bytes.subarray(0, bytes.length - mebibyte));
    await sleep(3000);
    process.kill(engine.pid, 'SIGKILL');
    reading.stdin.end();
    assert.notEqual((await finished(reading, 'import')).code, 0);
    await other.run(['delete', there, '--now', '--yes']);
    assert.deepEqual(await left(), [[], [], []]);
    assert.ok(!existsSync(join(berth.folder, 'killed.berth')));
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
