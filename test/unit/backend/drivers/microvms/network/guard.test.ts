import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NetworkGuard } from '../../../../../../src/backend/drivers/microvms/network/guard';
import { runProgram } from '../../../../../support/programs';
import { until } from '../../../../../support/wait';
import { frame, packed, tcp, tcpFlags } from './build-frames';

/** QEMU, as far as the filter knows it: frames come out of the one socket, and go into the other. */
class FakeQemu {
  readonly said: string[] = [];
  readonly warnings: string[] = [];
  /** What came back through the filter. */
  passed = Buffer.alloc(0);
  isOpen = true;
  isFiltered = true;
  close: () => void = () => undefined;
  readonly closed = new Promise<void>((resolve) => (this.close = resolve));
  private out: Socket | undefined;
  private readonly servers: Server[] = [];

  constructor(private readonly folder: string) {}

  at(name: string): string {
    return join(this.folder, name);
  }

  async listen(): Promise<void> {
    await this.serve('out', (socket) => (this.out = socket));
    await this.serve('in', (socket) =>
      socket.on('data', (chunk: Buffer) => (this.passed = Buffer.concat([this.passed, chunk]))),
    );
  }

  private async serve(name: string, take: (socket: Socket) => void): Promise<void> {
    const server = createServer((socket) => take(socket.on('error', () => undefined)));
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(this.at(name), resolve));
  }

  execute(command: string, args?: object): Promise<unknown> {
    this.said.push(`${command} ${JSON.stringify(args)}`);
    return Promise.resolve(
      command === 'query-chardev' && this.isFiltered ? [{ label: 'qmp' }, { label: 'filter-frames' }] : [],
    );
  }

  human(line: string): Promise<string> {
    this.said.push(line);
    return Promise.resolve('');
  }

  send(...frames: Buffer[]): void {
    this.out?.write(packed(...frames));
  }

  end(): void {
    this.isOpen = false;
    this.out?.destroy();
    this.servers.forEach((server) => server.close());
    this.close();
  }

  guard(): NetworkGuard {
    const keep = (_: object, message: string): void => void this.warnings.push(message);
    const silent = (): void => undefined;
    return new NetworkGuard({
      ...{ name: 'workspace-a', qmp: this, pid: 4711 },
      files: {
        sockets: { qmp: '', control: '', ssh: '', filterOut: this.at('out'), filterIn: this.at('in') },
        qemuLog: this.at('qemu.log'),
        filterSocket: (pid) => this.at(`net-${pid}`),
        filterLog: this.at('log'),
      },
      log: { debug: silent, info: silent, warn: keep, error: keep },
    });
  }
}

describe('the guard of a network filter', () => {
  let folder: string;
  let qemu: FakeQemu;
  let guards: NetworkGuard[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-net-'));
    qemu = new FakeQemu(folder);
    await qemu.listen();
    guards = [];
  });
  afterEach(async () => {
    guards.forEach((guard) => guard.close());
    qemu.end();
    await until('no filter runs', async () => (await filters()).length === 0);
    await rm(folder, { recursive: true });
  });

  const good = frame({ destination: '8.8.8.8' });
  const bad = frame({ destination: '10.0.2.2', payload: tcp(22, tcpFlags.syn) });
  const guard = (): NetworkGuard => {
    const made = qemu.guard();
    guards.push(made);
    return made;
  };
  const filters = async (): Promise<number[]> => {
    const { stdout } = await runProgram('ps', ['-eo', 'pid,args']);
    const lines = stdout.split('\n').filter((line) => line.includes(join(folder, 'out')));
    return lines.map((line) => Number.parseInt(line, 10));
  };
  const assertFilters = async (): Promise<void> => {
    qemu.passed = Buffer.alloc(0);
    qemu.send(bad, good, bad, good);
    await until('frames pass', () => qemu.passed.length >= packed(good, good).length);
    assert(qemu.passed.equals(packed(good, good)));
  };

  it('starts a filter, which ends with QEMU and leaves nothing', async () => {
    await guard().start();
    await assertFilters();
    assert(existsSync(qemu.at('net-4711')));
    qemu.end();
    await until('no filter runs', async () => (await filters()).length === 0);
    assert(!existsSync(qemu.at('net-4711')));
    assert.deepEqual(qemu.warnings, []);
  });

  it('starts it anew when it ends, and takes the link away meanwhile', async () => {
    await guard().start();
    const [first = 0] = await filters();
    process.kill(first, 'SIGKILL');
    await until('it is started anew', () => qemu.warnings.length === 1);
    await assertFilters();
    const [second = 0] = await filters();
    assert.notEqual(second, first);
    assert.deepEqual(qemu.said, [
      'set_link {"name":"net","up":false}',
      'object_del filter-in',
      'object_add filter-redirector,netdev=net,queue=rx,indev=filter-passed,id=filter-in,position=head',
      'set_link {"name":"net","up":true}',
    ]);
    process.kill(second, 'SIGKILL');
    await until('it is started anew', () => qemu.warnings.length === 2);
    await assertFilters();
  });

  it('cuts what QEMU has said of frames that were lost meanwhile', async () => {
    await guard().start();
    await writeFile(qemu.at('qemu.log'), Buffer.alloc(3_000_000, 'filter redirector send failed\n'));
    process.kill((await filters())[0] ?? 0, 'SIGKILL');
    await until('it is started anew', () => qemu.warnings.length === 1);
    assert.equal((await stat(qemu.at('qemu.log'))).size, 0);
  });

  it('lets go of a filter, which another engine takes over: as it is, or in its place', async () => {
    const first = guard();
    await first.start();
    const before = await filters();
    first.close();
    const second = guard();
    await second.adopt();
    assert(second.isFiltering);
    await assertFilters();
    assert.deepEqual(await filters(), before);
    second.close();
    process.kill(before[0] ?? 0, 'SIGKILL');
    await until('no filter runs', async () => (await filters()).length === 0);
    const third = guard();
    await third.adopt();
    await until(
      'it is started anew',
      () => qemu.said.at(-1)?.startsWith('set_link') === true && qemu.warnings.length === 1,
    );
    await assertFilters();
  });

  it('leaves a machine alone that was started without one', async () => {
    qemu.isFiltered = false;
    const made = guard();
    await made.adopt();
    assert(!made.isFiltering);
    assert.deepEqual(await filters(), []);
  });

  it('fails when there is nothing to stand between, and leaves no process', async () => {
    qemu.end();
    await rm(qemu.at('out'), { force: true });
    await assert.rejects(guard().start(), {
      code: 'runtime_unavailable',
      message: /network filter of workspace-a/,
    });
    assert.deepEqual(await filters(), []);
  });
});
