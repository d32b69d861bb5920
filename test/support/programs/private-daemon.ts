/**
 * A Docker daemon of the test's own, which may be stopped: the shared one has others' containers. It has its own
 * bridge and leaves the firewall alone; ports are published by its user-land proxy.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { eventually } from '../engine/engine-harness';
import { runProgram, succeed } from '../programs';
import { endDaemon, hasEnded, removeMountedFolder } from './daemon-process';

/** Installed by `npm start` where root may not raise limits. */
const wrapper = '/usr/local/lib/berth/runc-nosysres';
const startTimeoutMs = 30_000;

/** The first three numbers of a network that no other bridge here has: two would take each other's packets. */
async function freeSubnet(): Promise<string> {
  const taken = await succeed('ip', ['-o', '-4', 'addr', 'show']);
  const free = Array.from({ length: 100 }, (_, index) => `10.213.${100 + index}`).filter(
    (subnet) => !taken.includes(` ${subnet}.`),
  );
  const subnet = free[Math.floor(Math.random() * free.length)];
  assert(subnet !== undefined, 'no network is free for a private daemon');
  return subnet;
}

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
      await succeed('ip', ['addr', 'add', `${await freeSubnet()}.1/24`, 'dev', this.bridge]);
      await succeed('ip', ['link', 'set', this.bridge, 'up']);
    }
    const log = openSync(join(this.folder, 'dockerd.log'), 'a');
    this.child = spawn('dockerd', this.argv(), { stdio: ['ignore', log, log] });
    closeSync(log);
    const ping = () => this.docker.ping().then(Boolean, () => (hasEnded(this.child) ? 'ended' : undefined));
    const answer = await eventually('the private Docker daemon answers', ping, startTimeoutMs);
    if (answer === 'ended') {
      throw new Error(`dockerd ended: ${await this.lastLog()}`);
    }
  }

  /** The end of what it logged, for a test that failed. */
  async lastLog(): Promise<string> {
    return (await readFile(join(this.folder, 'dockerd.log'), 'utf8')).slice(-4000);
  }

  /** As a restart of the service does: containers are stopped with it. */
  async stop(): Promise<void> {
    await endDaemon(this.child, startTimeoutMs);
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
    await removeMountedFolder(this.folder);
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
