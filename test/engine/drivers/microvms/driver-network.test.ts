import assert from 'node:assert/strict';
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { RuntimePlan } from '../../../../src/backend/drivers/driver';
import { runProgram } from '../../../support/programs';
import { until } from '../../../support/wait';
import { Bench, freePort, never } from './driver-bench';
import { askNameServer, sendRawFrames } from './raw-frames';

/** What sshd says first within two seconds; nothing when it is not reached. */
function greeting(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      socket.destroy();
    });
    socket.on('error', () => undefined).on('close', () => resolve(said));
    socket.setTimeout(2000, () => socket.destroy());
  });
}

/** Of this machine, and not its loopback's: the way out leads there as well. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const own = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  assert(own !== undefined, 'this machine has no address besides those of its loopback');
  return own.address;
}

const loopbacks = [
  ...['10.0.2.2', '10.0.2.3', '10.0.2.9', '10.0.2.255', '127.0.0.1', '127.0.0.53', '0.0.0.0'],
  ...['255.255.255.255', '224.0.0.1'],
];

describe('what a microVM reaches by its network', function () {
  this.timeout(300_000);
  let bench: Bench;
  let plan: RuntimePlan;
  let server: Server;
  let datagrams: Datagrams;
  let published: number;
  /** By which address of this machine it was reached. */
  let seen: string[] = [];
  before(async () => {
    bench = await Bench.open();
    server = createServer((socket) => {
      seen.push(`tcp ${socket.localAddress ?? ''}`);
      socket.on('error', () => undefined).end('reached\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    datagrams = createSocket('udp4', (message) => void seen.push(`udp ${message.toString()}`));
    await new Promise<void>((resolve) => datagrams.bind(0, '0.0.0.0', resolve));
    published = await freePort();
    plan = await bench.running({ ports: [{ host: published, guest: 22 }] });
  });
  after(async () => {
    server.close();
    datagrams.close();
    await bench.dispose();
  });

  const portOf = (listening: Server | Datagrams) => String((listening.address() as AddressInfo).port);
  const python = (name: string, script: string, ...args: string[]) =>
    bench.exec(name, { argv: ['/.berth/bin/python3', '-', ...args], user: 'root' }, script);
  /** What is reached answers at once; what is not never does. */
  const reach = async (name: string, address: string, timeoutSeconds = 30): Promise<string> => {
    const connect = `exec 3<>/dev/tcp/${address}/${portOf(server)} && cat <&3`;
    const argv = ['timeout', String(timeoutSeconds), 'bash', '-c', connect];
    return (await bench.exec(name, { argv })).stdout;
  };
  const assertClosed = async (name: string): Promise<void> => {
    assert.equal(await reach(name, '10.0.2.2', 3), '');
    assert.equal(await reach(name, ownAddress()), 'reached\n');
  };
  const assertAnswers = async (): Promise<void> => {
    assert.equal((await bench.ssh(plan, 'echo hello')).stdout, 'hello\n');
  };
  /** The process between that guest and its network. */
  const filterOf = async ({ workspace }: RuntimePlan): Promise<number | undefined> => {
    const { stdout } = await runProgram('ps', ['-eo', 'pid,args']);
    const socket = join(bench.home, 'workspaces', workspace, 'net-out.sock');
    const line = stdout.split('\n').find((each) => each.includes('network/main.js') && each.includes(socket));
    return line === undefined ? undefined : Number.parseInt(line, 10);
  };
  const killFilter = async (): Promise<number> => {
    const pid = await filterOf(plan);
    assert(pid !== undefined);
    process.kill(pid, 'SIGKILL');
    return pid;
  };

  it('goes out, and has names resolved as this machine has', async () => {
    assert.equal(await reach(plan.name, ownAddress()), 'reached\n');
    const [, nameServer = ''] =
      /^nameserver ([\d.]+)$/m.exec(await readFile('/etc/resolv.conf', 'utf8')) ?? [];
    const here = await runProgram('python3', ['-', nameServer], { input: askNameServer });
    assert.equal((await python(plan.name, askNameServer, '10.0.2.3')).stdout, here.stdout);
  });

  it('is dialled at a port that nothing forwards, both ways with their ends', async () => {
    const server = `import socket
listener = socket.create_server(('127.0.0.1', 7000))
print('listening', flush=True)
peer, _ = listener.accept()
got = b''.join(iter(lambda: peer.recv(65536), b''))
peer.sendall(got.upper())
peer.close()
`;
    const argv = ['/.berth/bin/python3', '-c', server];
    const listening = await bench.driver.exec(plan.name, { argv, user: 'workspace' });
    await once(listening.stdout, 'data');
    const stream = await bench.driver.dial(plan.name, 7000);
    const sent = 'x'.repeat(1_000_000);
    stream.end(sent);
    assert.equal((await text(stream)) === sent.toUpperCase(), true);
    assert.equal(await listening.exit, 0);
    assert.equal(await text(await bench.driver.dial(plan.name, 7001)), '', 'nobody listens there');
  });

  it('does not reach the loopback of this machine, whatever its kernel sends', async () => {
    seen = [];
    for (const address of ['10.0.2.2', '10.0.2.3', '10.0.2.9']) {
      assert.equal(await reach(plan.name, address, 3), '', address);
    }
    assert.deepEqual(seen, []);
  });

  it('does not reach it past its kernel either', async () => {
    seen = [];
    const args = [portOf(server), portOf(datagrams), ownAddress(), ...loopbacks];
    const sent = await python(plan.name, sendRawFrames, ...args);
    assert.equal(sent.stdout, 'sent\n', sent.stderr);
    // What is allowed was sent last: it shows that the frames were good ones.
    await until('the last ones arrive', () => seen.length >= 6, 10_000);
    const wanted = [`tcp ${ownAddress()}`, `udp ${ownAddress()}`];
    assert.deepEqual([...new Set(seen)].sort(), wanted);
  });

  it('is reached by SSH and by ports, also by those that come while it runs', async () => {
    await assertAnswers();
    const banner = async (port: number): Promise<string> =>
      (await bench.ssh({ ...plan, sshPort: port }, 'echo hello')).stdout;
    assert.equal(await banner(published), 'hello\n');
    const added = await freePort();
    await bench.driver.setPorts(plan.name, [{ host: added, guest: 22 }]);
    assert.equal(await banner(added), 'hello\n');
  });

  it('keeps its network while engines come and go', async () => {
    const filter = await filterOf(plan);
    const session = bench.ssh(plan, 'read word && echo "$word"', 'kept\n');
    await bench.restartEngine();
    assert.equal((await bench.driver.inspect(plan.name))?.warning, undefined);
    assert.equal((await session).stdout, 'kept\n');
    assert.equal(await filterOf(plan), filter);
    await assertClosed(plan.name);
  });

  it('has no network without its filter, and has it again as soon as there is an engine', async () => {
    await bench.restartEngine(async () => {
      await killFilter();
      assert.equal(await greeting(plan.sshPort), '');
    });
    await bench.driver.list();
    await until('there is a filter', () => filterOf(plan));
    await assertAnswers();
    await assertClosed(plan.name);
  });

  it('has its filter started anew when that ends, without a connection being lost', async () => {
    const session = bench.ssh(plan, 'echo begun && sleep 5 && echo ended');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const before = await killFilter();
    await until('there is another', async () => {
      const now = await filterOf(plan);
      return now !== undefined && now !== before;
    });
    assert.equal((await session).stdout, 'begun\nended\n');
    await assertClosed(plan.name);
  });

  it('has the same network when it goes on from what was saved, and its filter ends with it', async () => {
    await bench.driver.pause(plan.name);
    await until('it is saved', () => existsSync(join(bench.folderOf(plan), 'machine.state')), 60_000, 50);
    await bench.restartEngine(() => void process.kill(bench.pidOf(plan), 'SIGKILL'));
    await until('its filter has ended', async () => (await filterOf(plan)) === undefined);
    await bench.driver.resume(plan.name);
    await assertAnswers();
    await assertClosed(plan.name);
    await bench.driver.stop(plan.name, 30_000);
    await until('its filter has ended', async () => (await filterOf(plan)) === undefined);
  });

  it('stays open where it was started so, and says that; what was saved then is closed when it goes on', async () => {
    bench.opensLoopback = true;
    await bench.started(plan);
    bench.opensLoopback = false;
    assert.equal(await reach(plan.name, '10.0.2.2'), 'reached\n');
    await bench.restartEngine();
    const warned = await bench.driver.inspect(plan.name);
    assert.equal(warned?.warning?.code, 'open-loopback');
    await bench.driver.pause(plan.name);
    await until('it is saved', () => existsSync(join(bench.folderOf(plan), 'machine.state')), 60_000, 50);
    process.kill(bench.pidOf(plan), 'SIGKILL');
    await until('it has ended', async () => (await bench.driver.inspect(plan.name))?.warning === undefined);
    await bench.driver.resume(plan.name);
    await assertAnswers();
    await assertClosed(plan.name);
    await bench.driver.remove(plan.name);
  });

  it('reaches loopback when that was asked for', async () => {
    const open = await bench.plan({ network: 'host-loopback' });
    await bench.driver.create(open, never());
    await bench.started(open);
    assert.equal(await reach(open.name, '10.0.2.2'), 'reached\n');
    assert.equal((await bench.driver.inspect(open.name))?.warning, undefined);
    assert.equal(await filterOf(open), undefined);
  });
});
