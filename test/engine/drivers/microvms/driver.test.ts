import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimePlan } from '../../../../src/backend/drivers/driver';
import {
  comparable,
  describeRow,
  execRows,
  expectedEnvironment,
  prepareRows,
  rowRunner,
  seenByRunner,
  printEnvironment,
  withUser,
  type ExecRow,
} from '../../../support/exec-table';
import { until, within } from '../../../support/wait';
import { machinesOf } from '../../../support/runtimes/microvms';
import { Bench, never } from './driver-bench';
import { filesKeepWhatTheyAre } from '../../../support/files/file-conformance';

const ignore = (): void => undefined;

describe('a microVM', function () {
  this.timeout(300_000);
  let bench: Bench;
  let plan: RuntimePlan;
  before(async () => {
    bench = await Bench.open();
    plan = await bench.running();
  });
  after(() => bench.dispose());

  it('answers SSH with its own name and kernel, as the user, with the variables of spec and secrets', async () => {
    const ran = await bench.ssh(
      plan,
      'hostname; id -un; pwd; echo "$COLOUR $SECRET"; [ "$$" -gt 1 ] && uname -r',
    );
    assert.equal(ran.code, 0, ran.stderr);
    const [hostname, user, folder, variables, more, kernel] = ran.stdout.split('\n');
    assert.deepEqual(
      [hostname, user, folder, variables, more],
      [plan.workspace, 'workspace', '/home/workspace', "red it's", 'so'],
    );
    const own = (await readFile('/proc/sys/kernel/osrelease', 'utf8')).trim();
    assert.notEqual(kernel, own);
  });

  it('is told with its start, its port and its volumes', async () => {
    const info = await bench.driver.inspect(plan.name);
    assert(info !== undefined);
    assert.deepEqual(
      [info.state, info.workspace, info.sshPort, info.volumes],
      [
        'running',
        plan.workspace,
        plan.sshPort,
        [{ volume: plan.homeVolume, target: '/home/workspace', readOnly: false }],
      ],
    );
    assert(Date.parse(info.startedAt ?? '') > Date.now() - 300_000);
    assert.deepEqual(await bench.driver.list(), [info]);
    assert.equal(await bench.driver.inspect('workspace-none'), undefined);
  });

  it('hands on both outputs, the exit code, and input until its end', async () => {
    const input = 'in\n'.repeat(100_000);
    const ran = await bench.exec(plan.name, { argv: ['sh', '-c', 'cat; echo problem >&2; exit 7'] }, input);
    assert.deepEqual([ran.code, ran.stdout === input, ran.stderr], [7, true, 'problem\n']);
    assert.equal((await bench.shell(plan.name, 'kill -9 $$')).code, 137);
    assert.equal((await bench.exec(plan.name, { argv: ['no-such-command'] })).code, 127);
    assert.equal((await bench.exec(plan.name, { argv: ['true'], cwd: '/none' })).code, 126);
  });

  it('gives user, folder and environment of a login, and what comes with the command wins', async () => {
    const script = 'id -un; pwd; echo "$HOME $USER $COLOUR $BOTH"; echo "$SECRET"; env | grep -c BERTH_';
    const env = { BOTH: 'exec', HOME: '/tmp' };
    const ran = await bench.exec(plan.name, { argv: ['sh', '-c', script], env });
    assert.equal(ran.stdout, "workspace\n/home/workspace\n/tmp workspace red exec\nit's\nso\n0\n");
    const asRoot = await bench.exec(plan.name, {
      argv: ['sh', '-c', 'id -u; pwd'],
      user: 'root',
      cwd: '/etc',
    });
    assert.equal(asRoot.stdout, '0\n/etc\n');
    const odd = ['', ' ', '$HOME', '`id`', `'"\\`, 'a\nb', '-n', 'größe'];
    const words = await bench.exec(plan.name, { argv: ['printf', '%s|', ...odd] });
    assert.equal(words.stdout, odd.map((word) => `${word}|`).join(''));
  });

  it('tells each user who he is, and secrets only to those whose they are', async () => {
    for (const [user, expected] of Object.entries(expectedEnvironment("it's\nso"))) {
      const { stdout } = await bench.exec(plan.name, { argv: printEnvironment, user });
      assert.equal(stdout, expected, user);
    }
    const given = { HOME: '/x', USER: 'y', SHELL: '/z', SECRET: 'own' };
    const { stdout } = await bench.exec(plan.name, { argv: printEnvironment, user: 'nobody', env: given });
    assert.equal(stdout, '/x|y|nobody|/z|C.UTF-8|red|own|0\n');
    const empty = await bench.exec(plan.name, { argv: ['sh', '-c', 'echo "$HOME"'], env: { HOME: '' } });
    assert.equal(empty.stdout, '/home/workspace\n', 'as Docker has it');
  });

  it('gives commands what they would have from who executes them himself, by rows of the table', async () => {
    assert.equal((await bench.shell(plan.name, prepareRows, 'root')).stderr, '');
    const isOurs = ({ argv }: ExecRow) => argv.join('').length < 20_000;
    const rows = execRows(99, 32).filter(isOurs).slice(0, 16);
    const direct = rows.map((row) => ({
      ...row,
      env: Object.entries(withUser(row)).map((pair) => pair.join('=')),
    }));
    const runner = { argv: ['python3', '-c', rowRunner], user: 'root' };
    const { stdout, stderr } = await bench.exec(plan.name, runner, JSON.stringify(direct));
    assert.equal(stderr, '');
    const decoded = (output: string) => Buffer.from(output, 'latin1').toString();
    const expected = seenByRunner(stdout).map(({ code, ...outputs }) =>
      comparable({ code, stdout: decoded(outputs.stdout), stderr: decoded(outputs.stderr) }),
    );
    for (const [index, { input, ...row }] of rows.entries()) {
      const ran = await bench.exec(plan.name, row, Buffer.from(input, 'latin1'));
      assert.deepEqual(comparable(ran), expected[index], describeRow(rows[index]!));
    }
    const long = (length: number) => bench.exec(plan.name, { argv: ['printf', '%.1s', 'x'.repeat(length)] });
    assert.equal((await long(120_000)).stdout, 'x');
    await assert.rejects(long(131_072), { code: 'too_large' });
  });

  it('has terminals that belong to their user and follow the window', async () => {
    let seen = '';
    const said = () => seen;
    const command = {
      argv: ['sh', '-c', 'stat -c %U "$(tty)"; stty size; read -r _; stty size; exit 3'],
      ...{ user: 'workspace', tty: { cols: 100, rows: 30 } },
    };
    const session = await within('a terminal', bench.driver.exec(plan.name, command), 120_000);
    session.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await until('the first size is told', () => seen.includes('30 100'), 60_000);
    await within('the new size', session.resize(90, 20), 10_000, said);
    session.stdin.write('\n');
    await until('the new size is told', () => seen.includes('20 90'), 60_000);
    assert.equal(await within('the end of the command', session.exit, 30_000, said), 3);
    assert.match(seen, /^workspace\r\n30 100\r\n[^]*20 90\r\n$/);
  });

  it('ends a command with everything it started', async () => {
    const session = await bench.driver.exec(plan.name, {
      argv: ['sh', '-c', 'sleep 4711 & sleep 4712 & echo begun; wait'],
      user: 'workspace',
    });
    let seen = '';
    session.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    session.stderr.resume();
    await until('it has begun', () => seen === 'begun\n', 60_000);
    assert.equal(await bench.driver.attached(plan.name), 1);
    await within('the command to be ended', session.kill(), 60_000);
    await within('the end of the command', session.exit, 30_000);
    const left = await bench.shell(plan.name, 'ps -eo args | grep -c "[s]leep 471" || true', 'root');
    assert.equal(left.stdout, '0\n');
    assert.equal(await bench.driver.attached(plan.name), 0);
  });

  it('ends commands whose server is gone, and has another one for the next', async () => {
    const session = await bench.driver.exec(plan.name, { argv: ['sleep', '4713'], user: 'workspace' });
    session.stdout.resume();
    session.stderr.resume();
    const ended = assert.rejects(session.exit, { code: 'illegal_state', message: /connection .* ended/ });
    const killing = bench.driver.exec(plan.name, {
      argv: ['sh', '-c', 'kill -KILL "$(cat /run/berth-guest/engine.pid)"'],
      user: 'root',
    });
    killing.then((killed) => {
      killed.stdout.resume();
      killed.stderr.resume();
      killed.exit.catch(() => undefined);
    }, ignore);
    await within('the end of a command whose server is gone', ended, 30_000);
    assert.equal((await within('the next', bench.shell(plan.name, 'echo on'), 60_000)).stdout, 'on\n');
  });

  it('counts SSH connections of people, and none of ours', async () => {
    const connected = bench.ssh(plan, 'echo in; read -r _');
    await until('it is counted', async () => (await bench.driver.attached(plan.name)) === 1, 60_000, 100);
    await connected;
    await until('it is gone', async () => (await bench.driver.attached(plan.name)) === 0, 60_000, 100);
  });

  it('measures what the guest uses', async () => {
    const stats = await bench.driver.stats(plan.name);
    assert(stats.memoryBytes > 1024 * 1024 && stats.memoryBytes < stats.memoryLimitBytes);
    assert(stats.pids > 3 && stats.networkRxBytes > 0 && stats.cpuPercent >= 0);
    assert.equal(stats.memoryLimitBytes, (plan.limits.memoryMiB ?? 0) * 1024 * 1024);
  });

  it('logs its console', async () => {
    const options = { tail: 100, follow: false, timestamps: false, signal: never() };
    let text = '';
    for await (const chunk of await bench.driver.logs(plan.name, options)) {
      text += String(chunk);
    }
    assert.match(text, /BERTH READY/);
  });

  it('is not written down for a while when it floods its console, which it says; the next engine listens', async () => {
    const log = () => readFile(join(bench.folderOf(plan), 'console.log'), 'utf8');
    const flood = await bench.driver.exec(plan.name, {
      argv: ['sh', '-c', 'exec timeout 120 yes 0123456789012345678901234567890123456789 >/dev/console'],
      user: 'root',
    });
    flood.stdout.resume();
    flood.stderr.resume();
    const detailOf = async () => (await bench.driver.inspect(plan.name))?.detail ?? '';
    await until('it is muted', async () => /on its console/.test(await detailOf()), 120_000, 100);
    await flood.kill();
    assert.match(await log(), /\n\[berth: the guest says more than 32 KiB a second: [^\n]*\]\n$/);
    await bench.shell(plan.name, 'echo unheard >/dev/console', 'root');
    await bench.restartEngine();
    await bench.driver.list();
    assert.equal(await detailOf(), '');
    await bench.shell(plan.name, 'echo heard again >/dev/console', 'root');
    await until('that is there', async () => (await log()).includes('heard again'), 10_000, 50);
    assert.doesNotMatch(await log(), /unheard/);
  });

  it('takes new secrets while it runs, and keeps sessions open', async () => {
    const session = await bench.driver.exec(plan.name, { argv: ['cat'], user: 'workspace' });
    session.stdout.resume();
    session.stderr.resume();
    const changed = bench.startPlan({ env: { COLOUR: 'blue' } });
    await bench.driver.configure(plan.name, changed, never());
    assert.equal((await bench.ssh(plan, 'echo "$COLOUR"')).stdout, 'blue\n');
    session.stdin.end();
    assert.equal(await session.exit, 0);
  });

  it('shows the files of the disk it has, and takes new ones', async () => {
    const files = await bench.driver.volumes.files(plan.homeVolume);
    const content = Buffer.from('ünder\0way');
    await files.write('/a file', content, { create: true, overwrite: false });
    const seen = await bench.shell(plan.name, 'od -An -tx1 "a file"; stat -c "%U %a" "a file"');
    assert.equal(seen.stdout.split('\n')[0]?.replaceAll(' ', ''), content.toString('hex'));
    assert.match(seen.stdout, /workspace 6[04][04]/);
    await bench.shell(plan.name, 'mkdir deep && echo inside >deep/file');
    const tar = await files.getTar('/deep');
    let bytes = 0;
    for await (const chunk of tar) {
      bytes += (chunk as Buffer).length;
    }
    assert(bytes >= 1024);
    await files.close();
  });

  it('shows all that its shell sees, also on other file systems', async () => {
    const files = await bench.driver.rootFiles(plan.name);
    const options = { create: true, overwrite: false };
    await files.write('/opt/outside', Buffer.from('outside'), options);
    await files.write('/run/memory', Buffer.from('memory'), options);
    const stage = await files.stage();
    await files.mkdir(`${stage}/run`);
    await files.write(`${stage}/run/moved`, Buffer.from('moved'), options);
    assert.deepEqual((await files.merge(stage, '/', 'fail')).failed, []);
    const seen = await bench.shell(
      plan.name,
      'cat /opt/outside /run/memory /run/moved; ln -s /opt/outside to-it',
    );
    assert.equal(seen.stdout, 'outsidememorymoved');
    assert.equal((await files.stat('/home/workspace/to-it')).targetType, 'file');
    await files.close();
  });

  describe('keeps files what they are', () => {
    filesKeepWhatTheyAre({ files: () => bench.driver.volumes.files(plan.homeVolume), seeds: [7] });
  });

  it('stands still while paused, and goes on with the right time', async () => {
    await bench.shell(plan.name, '(while :; do date +%s >>ticks; sleep 0.2; done) >/dev/null 2>&1 &');
    await bench.driver.pause(plan.name);
    await bench.driver.pause(plan.name);
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'paused');
    await assert.rejects(bench.exec(plan.name, { argv: ['true'] }), { code: 'illegal_state' });
    await bench.driver.resume(plan.name);
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'running');
    const now = Number((await bench.shell(plan.name, 'date +%s')).stdout);
    assert(Math.abs(now - Date.now() / 1000) < 20, `the guest says ${now}`);
  });

  it('goes on when the engine ends, and belongs to the next one', async () => {
    const pid = bench.pidOf(plan);
    const before = await bench.driver.inspect(plan.name);
    await bench.restartEngine();
    assert.deepEqual(await bench.driver.list(), [before]);
    assert.equal((await bench.shell(plan.name, 'cat "a file" | wc -c')).stdout.trim(), '10');
    assert.equal(bench.pidOf(plan), pid);
    assert.deepEqual(await machinesOf(bench.home), [pid]);
  });

  it('is found again by an engine that was killed before it could note the process', async () => {
    const pid = bench.pidOf(plan);
    await bench.restartEngine(async () => {
      const path = join(bench.folderOf(plan), 'runtime.json');
      const { process: _forgotten, ...record } = JSON.parse(await readFile(path, 'utf8')) as Record<
        string,
        unknown
      >;
      await writeFile(path, JSON.stringify(record));
    });
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'running');
    await bench.driver.start(plan.name);
    assert.deepEqual(await machinesOf(bench.home), [pid]);
  });

  it('stops by its power button, and tells so', async () => {
    bench.events.length = 0;
    const started = performance.now();
    assert.deepEqual(await bench.driver.stop(plan.name, 30_000), { killed: false });
    assert(performance.now() - started < 30_000);
    const info = await bench.driver.inspect(plan.name);
    assert.deepEqual([info?.state, info?.exitCode], ['stopped', 0]);
    assert(bench.events.some((event) => event.type === 'runtime' && event.what === 'stopped'));
    assert.deepEqual(await bench.driver.stop(plan.name, 30_000), { killed: false });
    await assert.rejects(bench.driver.pause(plan.name), { code: 'illegal_state' });
  });

  it('shows what it has outside of its volumes when it does not run, and takes no change', async () => {
    const files = await bench.driver.rootFiles(plan.name);
    const disk = join(bench.folderOf(plan), 'rootfs.qcow2');
    const { mtimeMs } = await stat(disk);
    const content: Buffer[] = [];
    for await (const chunk of await files.read('/opt/outside')) {
      content.push(chunk as Buffer);
    }
    assert.equal(Buffer.concat(content).toString(), 'outside');
    const { entries } = await files.list('/');
    assert(['bin', 'etc', 'opt', 'usr'].every((name) => entries.some((entry) => entry.name === name)));
    assert.equal((await files.stat('/bin')).type, 'symlink');
    await assert.rejects(files.stat('/run/memory'), { code: 'path_not_found' });
    const refusal = { code: 'illegal_state', message: /can be read, not changed/ };
    await assert.rejects(files.mkdir('/opt/new'), refusal);
    await assert.rejects(files.remove('/opt/outside', { recursive: false }), refusal);
    assert.equal((await stat(disk)).mtimeMs, mtimeMs);
    assert.equal(await bench.driver.rootFiles(plan.name), files, 'one copy for all who look');
  });

  it('leaves nothing behind but its volume', async () => {
    await bench.driver.remove(plan.name);
    assert.equal(existsSync(bench.folderOf(plan)), false);
    assert.equal(await bench.driver.inspect(plan.name), undefined);
    assert.deepEqual(await bench.driver.list(), []);
    assert((await bench.driver.volumes.inspect(plan.homeVolume)) !== undefined);
    await bench.driver.remove(plan.name);
  });
});
