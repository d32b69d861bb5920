/** What the tests of the guest share: a kit that is made once, small disks, and machines of which nothing is left. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { configureArchive } from '../../../../src/backend/inside/configure-archive';
import { waitForBanner } from '../../../../src/backend/inside/ssh-banner';
import { archiveOf, type Member } from '../../../../src/backend/tar/archive';
import type { StartPlan } from '../../../../src/backend/drivers/driver';
import { ControlPort } from '../../../../src/backend/drivers/microvms/guest/control-port';
import { runInside } from '../../../../src/backend/drivers/microvms/guest/exec';
import { buildExt4 } from '../../../../src/backend/files/disk/filling/build';
import type { GuestKit } from '../../../../src/backend/drivers/microvms/parts';
import { commandLine, type MachineDisk } from '../../../../src/backend/drivers/microvms/qemu/command-line';
import {
  killProcess,
  startDetached,
  type StartedProcess,
} from '../../../../src/backend/drivers/microvms/qemu/process';
import { QmpClient } from '../../../../src/backend/drivers/microvms/qemu/qmp';
import { SshLink } from '../../../../src/backend/drivers/microvms/guest/ssh-link';
import { makePair } from '../../../../src/backend/ssh/key-pair';
import { runProgram, type Ran } from '../../../support/programs';
import { freePort } from './driver-bench';
import { testKit } from './driver-parts';

const bootTimeoutMs = 120_000;
const consoleTail = 3000;
const shell = '/.berth/busybox/sh';

export const never = (): AbortSignal => new AbortController().signal;

export interface ConfigureChanges extends Partial<StartPlan> {
  /** Lines of the guest's plan, instead of a name and the home. */
  plan?: readonly string[];
}

export class GuestBench {
  readonly guests: Guest[] = [];
  readonly host = makePair('host');
  readonly client = makePair('client');

  private constructor(
    readonly kit: GuestKit,
    readonly folder: string,
  ) {}

  static async open(): Promise<GuestBench> {
    const kit = await testKit();
    const bench = new GuestBench(kit, await mkdtemp(join(tmpdir(), 'berth-guest-')));
    await writeFile(join(bench.folder, 'client'), bench.client.private, { mode: 0o600 });
    return bench;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A file system of these members, or an empty one. */
  async disk(name: string, members?: readonly Member[]): Promise<string> {
    const tar = members === undefined ? undefined : Readable.from([await archiveOf(members)]);
    await buildExt4(this.path(name), tar, { sizeMiB: 64 });
    return this.path(name);
  }

  /** Nothing but busybox: no shell, no users, no folder but its own. */
  async busybox(): Promise<Member> {
    const program = await readFile('/bin/busybox');
    return { name: 'bin/busybox', mode: 0o755, content: program };
  }

  async boot(disks: Readonly<Record<string, string | undefined>>, savedState?: string): Promise<Guest> {
    const guest = await Guest.start(this, disks, savedState);
    this.guests.push(guest);
    return guest;
  }

  async dispose(): Promise<void> {
    for (const guest of this.guests) {
      await guest.dispose();
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class Guest {
  readonly ssh: SshLink;
  /** What the engine's line to it had to mend. */
  readonly reports: string[] = [];

  private constructor(
    private readonly bench: GuestBench,
    private readonly name: string,
    readonly process: StartedProcess,
    readonly qmp: QmpClient,
    readonly sshPort: number,
    public control: ControlPort,
  ) {
    this.ssh = this.engineLink();
  }

  static async start(
    bench: GuestBench,
    disks: Readonly<Record<string, string | undefined>>,
    savedState?: string,
  ): Promise<Guest> {
    const name = randomBytes(3).toString('hex');
    const sshPort = await freePort();
    const at = (kind: string): string => bench.path(`${name}.${kind}`);
    const disk = (serial: string, readOnly = false): MachineDisk => ({
      serial,
      file: disks[serial],
      format: 'raw',
      readOnly,
    });
    const { kernel, initrd, kernelArguments, toolsDisk } = bench.kit;
    const plan = {
      ...{ architecture: 'x64' as const, acceleration: 'tcg' as const, cpus: 1, memoryMiB: 256 },
      ...{
        kernel,
        initrd,
        kernelArguments,
        name,
        uuid: randomUUID(),
        sshPort,
        isOffline: false,
        isFiltered: false,
      },
      incoming: savedState === undefined ? undefined : 'fd:3',
      disks: [
        disk('root'),
        { serial: 'tools', file: toolsDisk, format: 'raw' as const, readOnly: true },
        ...['home', 'docker'].map((serial) => disk(serial)),
        ...Object.keys(disks)
          .filter((serial) => /^v\d$/.test(serial))
          .map((serial) => disk(serial, serial === 'v0')),
      ],
      sockets: {
        qmp: at('qmp'),
        control: at('ctl'),
        ssh: at('ssh'),
        filterOut: at('out'),
        filterIn: at('in'),
      },
      ...{ consoleLog: at('console'), pidFile: at('pid') },
    };
    const process = await startDetached({
      ...{ binary: 'qemu-system-x86_64', argv: commandLine(plan), log: at('qemu') },
      ...(savedState !== undefined && { input: savedState }),
    });
    try {
      const hopeless = (): string | undefined => process.ended();
      const qmp = await QmpClient.connect(plan.sockets.qmp, { timeoutMs: bootTimeoutMs, hopeless });
      const control = await ControlPort.connect(plan.sockets.control, hopeless);
      return new Guest(bench, name, process, qmp, sshPort, control);
    } catch (error) {
      await killProcess(process.identity);
      throw error;
    }
  }

  /** As far as it gets without being told whose it is. */
  waiting(): Promise<void> {
    return this.control.waiting(bootTimeoutMs, never());
  }

  async configure({ plan, ...changes }: ConfigureChanges = {}): Promise<void> {
    const { host, client } = this.bench;
    const stage = await configureArchive({
      plan: { hostKey: host.private, authorizedKeys: [client.public.trim()], env: {}, files: [], ...changes },
      built: { PATH: '/usr/bin:/bin' },
    });
    const lines = plan ?? ['hostname box', 'mount home /home/workspace rw'];
    const epoch = Math.floor(Date.now() / 1000);
    const members = [
      {
        name: 'plan',
        mode: 0o600,
        content: [`epoch ${epoch}`, ...lines].map((line) => `${line}\n`).join(''),
      },
      { name: 'entropy', mode: 0o600, content: randomBytes(64) },
      { name: 'stage.tar', mode: 0o600, content: stage },
    ];
    await this.control.configure(await archiveOf(members), bootTimeoutMs, never());
    // A server that was told to read its configuration again is away for a moment.
    await waitForBanner(this.sshPort, {
      ...{ timeoutMs: bootTimeoutMs, signal: never() },
      explain: () => this.console(),
    });
  }

  /** The engine goes, and comes back. */
  async reconnect(): Promise<void> {
    this.control.close();
    this.control = await ControlPort.connect(this.bench.path(`${this.name}.ctl`));
  }

  /** As an engine that is killed in the middle of saying it. */
  async cutOff(said: string): Promise<void> {
    this.control.close();
    const socket = connect(this.bench.path(`${this.name}.ctl`));
    socket.resume().write(said);
    // QEMU forgets what it has not read when its peer goes.
    await sleep(500);
    socket.destroy();
  }

  engineLink(): SshLink {
    return new SshLink({
      socket: this.bench.path(`${this.name}.ssh`),
      serve: () => this.control.serveSsh(),
      privateKey: () => Promise.resolve(this.bench.client.private),
      report: (message) => this.reports.push(`${new Date().toISOString()} ${message}`),
    });
  }

  /** As root, by the engine's way; what it says, when it ends well. */
  async root(script: string): Promise<string> {
    const { exitCode, output } = await runInside(this.ssh, this.name, {
      argv: [shell, '-c', script],
      timeoutMs: 90_000,
    }).catch(async (error: unknown) => {
      throw new Error(`"${script}" did not run. ${await this.condition()}`, { cause: error });
    });
    if (exitCode !== 0) {
      throw new Error(`"${script}" ended with ${exitCode}: ${output}`);
    }
    return output;
  }

  /** For the error of a command that got no answer: what else is to be seen of the guest, by other ways. */
  private async condition(): Promise<string> {
    const look = 'cat /proc/uptime /proc/loadavg; date; ps -o pid,ppid,stat,args; cat /proc/interrupts';
    const [seen, status, console] = await Promise.allSettled([
      this.user(look),
      this.qmp.execute('query-status'),
      this.console(),
    ]);
    const reports = this.reports.join('\n');
    return JSON.stringify({ seen, status, reports, console: tail(console) }, undefined, 1).replaceAll(
      '\\n',
      '\n',
    );
  }

  /** As its user, with the real client, the host key pinned. */
  async user(command: string): Promise<Ran> {
    const { bench, sshPort } = this;
    const knownHosts = bench.path(`${this.name}.known`);
    await writeFile(
      knownHosts,
      `[127.0.0.1]:${sshPort} ${bench.host.public.split(' ').slice(0, 2).join(' ')}\n`,
    );
    const options = ['BatchMode=yes', 'LogLevel=ERROR', 'ConnectTimeout=60', 'StrictHostKeyChecking=yes'];
    const argv = ['-F', 'none', '-i', bench.path('client'), '-p', String(sshPort)];
    return runProgram(
      'ssh',
      [
        ...argv,
        ...[...options, `UserKnownHostsFile=${knownHosts}`].flatMap((option) => ['-o', option]),
        'workspace@127.0.0.1',
        command,
      ],
      { timeoutMs: 90_000 },
    );
  }

  console(): Promise<string> {
    return readFile(this.bench.path(`${this.name}.console`), 'utf8');
  }

  async dispose(): Promise<void> {
    this.ssh.close();
    this.control.close();
    this.qmp.close();
    await killProcess(this.process.identity);
  }
}

const tail = (result: PromiseSettledResult<string>): string =>
  result.status === 'fulfilled' ? result.value.slice(-consoleTail) : String(result.reason);
