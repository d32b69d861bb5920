/**
 * A Docker daemon of the test's own, which may be stopped: the shared one has others' containers. It has its own
 * bridge and leaves the firewall alone; ports are published by its user-land proxy.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { eventually } from '../engine/engine-harness';
import { runProgram, succeed } from '../programs';

/** Installed by `npm start` where root may not raise limits. */
const wrapper = '/usr/local/lib/berth/runc-nosysres';
const startTimeoutMs = 30_000;

export class PrivateDaemon {
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-daemon-'));
  readonly socket = join(this.folder, 'docker.sock');
  readonly docker = new Dockerode({ socketPath: this.socket });
  private readonly bridge = `bt${this.folder.slice(-6).toLowerCase()}`;
  private child: ChildProcess | undefined;

  get host(): string {
    return `unix://${this.socket}`;
  }

  /** Why there can't be one here; undefined when there can. */
  static async obstacle(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) {
      return 'a second Docker daemon needs root';
    }
    for (const program of ['dockerd', 'ip']) {
      if ((await runProgram('sh', ['-c', 'command -v "$0"', program])).code !== 0) {
        return `${program} is not installed`;
      }
    }
    return undefined;
  }

  async start(): Promise<void> {
    if (this.child === undefined) {
      await succeed('ip', ['link', 'add', 'name', this.bridge, 'type', 'bridge']);
      const subnet = 100 + Math.floor(Math.random() * 100);
      await succeed('ip', ['addr', 'add', `10.213.${subnet}.1/24`, 'dev', this.bridge]);
      await succeed('ip', ['link', 'set', this.bridge, 'up']);
    }
    const log = openSync(join(this.folder, 'dockerd.log'), 'a');
    this.child = spawn('dockerd', this.argv(), { stdio: ['ignore', log, log] });
    closeSync(log);
    const ping = () =>
      this.docker.ping().then(Boolean, () => (this.child?.exitCode === null ? undefined : 'ended'));
    const answer = await eventually('the private Docker daemon answers', ping, startTimeoutMs);
    if (answer === 'ended') {
      throw new Error(
        `dockerd ended: ${(await readFile(join(this.folder, 'dockerd.log'), 'utf8')).slice(-2000)}`,
      );
    }
  }

  /** As a restart of the service does: containers are stopped with it. */
  async stop(): Promise<void> {
    const { child } = this;
    if (child?.exitCode === null) {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
      await once(child, 'exit');
      clearTimeout(late);
    }
  }

  /** Copies an image of the shared daemon. */
  async take(image: string): Promise<void> {
    const file = join(this.folder, 'image.tar');
    await succeed('docker', ['save', '-o', file, image]);
    await succeed('docker', ['-H', this.host, 'load', '-i', file], { timeoutMs: 60_000 });
    await succeed('rm', [file]);
  }

  async dispose(): Promise<void> {
    await this.stop();
    await runProgram('ip', ['link', 'del', this.bridge]);
    // What it had mounted goes first, or its folder can't.
    const mounts = (await readFile('/proc/mounts', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const path of mounts.filter((mount) => mount.startsWith(this.folder)).reverse()) {
      await runProgram('umount', ['-l', path]);
    }
    await succeed('rm', ['-rf', this.folder]);
  }

  private argv(): string[] {
    const { folder, bridge } = this;
    const own = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'run')];
    const network = ['--bridge', bridge, '--iptables=false', '--ip6tables=false', '--ip-masq=false'];
    const runtime = existsSync(wrapper)
      ? ['--add-runtime', `nosysres=${wrapper}`, '--default-runtime', 'nosysres']
      : [];
    return [...own, '--pidfile', join(folder, 'pid'), '-H', this.host, ...network, ...runtime];
  }
}
