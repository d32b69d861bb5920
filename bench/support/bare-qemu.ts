/**
 * The baseline: QEMU started by hand, with the command line, kernel, root file system and configuration of a microVM of
 * Berth's, and no engine.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { configureArchive } from '../../src/backend/inside/configure-archive';
import { waitForBanner } from '../../src/backend/inside/ssh-banner';
import { archiveOf } from '../../src/backend/tar/archive';
import { ControlPort } from '../../src/backend/drivers/microvms/guest/control-port';
import { filterChardevs } from '../../src/backend/drivers/microvms/qemu/command-line';
import { QmpClient } from '../../src/backend/drivers/microvms/qemu/qmp';
import { makePair } from '../../src/backend/ssh/key-pair';
import { firstLogin, must } from './docker';
import type { RunningEngine } from './engine';
import { argvOf, pidOf } from './microvms';

const timeoutMs = 180_000;
const homeMiB = 1024;
const firstPort = 24_200;
const ports = { last: firstPort };

/** What machines are made after. */
export interface Blueprint {
  argv: readonly string[];
  /** On its command line. */
  folder: string;
  homeDisk: string;
  sshPort: number;
  /** The root file system that its own is laid over. */
  base: string;
}

/** Of a microVM that was booted, not started from a template. */
export async function blueprintOf({ client, home }: RunningEngine, name: string): Promise<Blueprint> {
  const folder = join(home, 'workspaces', name);
  const info = execFileSync('qemu-img', ['info', '-U', '--output=json', join(folder, 'rootfs.qcow2')]);
  const { 'full-backing-filename': base } = JSON.parse(info.toString()) as Record<string, string>;
  const { port } = await client.call('workspaces.ssh', { params: { name } });
  const argv = withoutGuards(argvOf(pidOf(home, name)));
  const incoming = argv.indexOf('-incoming');
  if (incoming >= 0) {
    argv.splice(incoming, 2);
  }
  return {
    ...{ argv, folder, sshPort: port, base: keptBase(base ?? '', home) },
    homeDisk: join(home, 'volumes', `workspace-${name}.ext4`),
  };
}

/** Beside the state directory: it goes with its workspace, and is needed for longer. */
function keptBase(base: string, home: string): string {
  const kept = join(dirname(home), 'base.ext4');
  linkSync(realpathSync(base), kept);
  return kept;
}

/**
 * As one that is started by hand: nobody filters its frames, all of which QEMU would drop then, and it may start `cat`.
 */
function withoutGuards(argv: readonly string[]): string[] {
  const ids = Object.values(filterChardevs).map((id) => `socket,id=${id},`);
  const isGuard = (option: string, value: string): boolean =>
    option === '-sandbox' ||
    (option === '-object' && value.startsWith('filter-redirector,')) ||
    (option === '-chardev' && ids.some((id) => value.startsWith(id)));
  return argv.filter(
    (word, index) => !isGuard(word, argv[index + 1] ?? '') && !isGuard(argv[index - 1] ?? '', word),
  );
}

export class BareQemu {
  private qemu: ChildProcess | undefined;
  private readonly port = (ports.last += 1);
  private readonly folder = mkdtempSync(join(tmpdir(), 'berth-bare-'));
  private readonly key = join(this.folder, 'key');
  private archive: Buffer = Buffer.alloc(0);

  private constructor(private readonly blueprint: Blueprint) {}

  /** With its keys and what its guest is told, and no disk yet. */
  static async prepare(blueprint: Blueprint): Promise<BareQemu> {
    const bare = new BareQemu(blueprint);
    const client = makePair('bare');
    writeFileSync(bare.key, client.private, { mode: 0o600 });
    const plan = {
      ...{ hostKey: makePair('host').private, authorizedKeys: [client.public.trim()], env: {}, files: [] },
    };
    const configuration = `hostname bare\nepoch ${Math.floor(Date.now() / 1000)}\nmount home /home/workspace rw\n`;
    bare.archive = await archiveOf([
      { name: 'plan', mode: 0o600, content: configuration },
      { name: 'entropy', mode: 0o600, content: Buffer.alloc(64, 1) },
      { name: 'stage.tar', mode: 0o600, content: await configureArchive({ plan, built: {} }) },
    ]);
    return bare;
  }

  get pid(): number {
    return this.qemu?.pid ?? 0;
  }

  /** Its disks, as somebody makes them who has the root file system. */
  async makeDisks(): Promise<void> {
    const { base } = this.blueprint;
    const root = join(this.folder, 'rootfs.qcow2');
    await must(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', root]);
    const extended = 'root_owner=1000:1000';
    const home = join(this.folder, 'home.ext4');
    await must(['mke2fs', '-q', '-F', '-t', 'ext4', '-m', '0', '-E', extended, home, `${homeMiB}M`]);
  }

  /** Until its SSH server answers. */
  async boot(): Promise<void> {
    this.spawn([]);
    const control = await ControlPort.connect(join(this.folder, 'control.sock'), () => this.hopeless());
    try {
      const { signal } = new AbortController();
      await control.waiting(timeoutMs, signal);
      await control.configure(this.archive, timeoutMs, signal);
    } finally {
      control.close();
    }
    await this.banner();
  }

  /** Goes on from a file that `save` has written, until its SSH server answers. */
  async restore(): Promise<void> {
    this.spawn(['-incoming', `exec:cat ${this.stateFile}`]);
    const qmp = await this.monitor();
    try {
      const arrived = new Promise<void>((resolve) => {
        qmp.onEvent(({ event }) => event === 'RESUME' && resolve());
      });
      // Once all has arrived; until then it is refused, or noted.
      await qmp.execute('cont');
      await arrived;
    } finally {
      qmp.close();
    }
    await this.banner();
  }

  /** Stopped, and written to a file. */
  async save(): Promise<void> {
    const qmp = await this.monitor();
    try {
      const ended = new Promise<void>((resolve, reject) => {
        qmp.onEvent(({ event, data }) => {
          if (event === 'MIGRATION' && data.status === 'completed') {
            resolve();
          } else if (event === 'MIGRATION' && data.status === 'failed') {
            reject(new Error('QEMU could not save the machine.'));
          }
        });
      });
      await qmp.execute('migrate-set-parameters', { 'max-bandwidth': Number.MAX_SAFE_INTEGER });
      const capabilities = [{ capability: 'events', state: true }];
      await qmp.execute('migrate-set-capabilities', { capabilities });
      await qmp.execute('migrate', { uri: `exec:cat >${this.stateFile}` });
      await ended;
    } finally {
      qmp.close();
    }
    await must(['sync', this.stateFile]);
  }

  monitor(): Promise<QmpClient> {
    const hopeless = () => this.hopeless();
    return QmpClient.connect(join(this.folder, 'qmp.sock'), { timeoutMs, hopeless });
  }

  /** The first command over SSH. */
  login(): Promise<void> {
    return firstLogin(this.ssh('ssh', '-p'));
  }

  /** An argv of `ssh` or `scp` that asks nothing. */
  ssh(program: string, port: '-p' | '-P'): string[] {
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'IdentitiesOnly=yes'];
    const argv = [program, '-q', '-F', '/dev/null', '-i', this.key, port, String(this.port)];
    const target = program === 'ssh' ? ['workspace@127.0.0.1'] : [];
    return [...argv, ...options.flatMap((option) => ['-o', option]), ...target];
  }

  /** At once; its files stay for `restore`. */
  async end(): Promise<void> {
    const { qemu } = this;
    this.qemu = undefined;
    if (qemu !== undefined && qemu.exitCode === null && qemu.signalCode === null) {
      const gone = once(qemu, 'exit');
      qemu.kill('SIGKILL');
      await gone;
    }
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get stateFile(): string {
    return join(this.folder, 'state');
  }

  private spawn(more: readonly string[]): void {
    const { argv, folder, homeDisk, sshPort } = this.blueprint;
    const [program = '', ...own] = argv.map((word) =>
      word
        .replaceAll(homeDisk, join(this.folder, 'home.ext4'))
        .replaceAll(folder, this.folder)
        .replaceAll(`127.0.0.1:${sshPort}-`, `127.0.0.1:${this.port}-`),
    );
    this.qemu = spawn(program, [...own, ...more], { stdio: 'ignore' });
  }

  private hopeless(): string | undefined {
    const { qemu } = this;
    return qemu === undefined || qemu.exitCode !== null || qemu.signalCode !== null ? 'it ended' : undefined;
  }

  private banner(): Promise<unknown> {
    return waitForBanner(this.port, {
      timeoutMs: timeoutMs,
      signal: new AbortController().signal,
      explain: () => Promise.resolve(''),
    });
  }
}

/** A machine for the time of a call. */
export async function withBare<T>(blueprint: Blueprint, use: (bare: BareQemu) => Promise<T>): Promise<T> {
  const bare = await BareQemu.prepare(blueprint);
  try {
    return await use(bare);
  } finally {
    await bare.remove();
  }
}
