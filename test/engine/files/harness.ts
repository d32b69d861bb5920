/** Real volumes, keepers and containers, all with one random prefix, all removed at the end. */
import Dockerode from 'dockerode';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findAgentDirectory } from '../../../src/backend/inside/agent-source';
import { Keepers } from '../../../src/backend/drivers/containers/volumes/keeper';

export const agentDir = findAgentDirectory(__dirname);
const version = readFileSync(join(dirname(agentDir), 'VERSION'), 'utf8').trim();
export const toolsImage = `berth-tools:${version}`;
export const busybox = '/.berth/bin/busybox';

export class Engine {
  readonly prefix = `berth-test-${randomBytes(4).toString('hex')}`;
  readonly docker = new Dockerode();
  private readonly made: Keepers[] = [];
  readonly keepers = this.makeKeepers();

  makeKeepers(options: { idleMs?: number; owner?: string; image?: string } = {}): Keepers {
    const keepers = new Keepers(this.docker, {
      image: () => options.image ?? toolsImage,
      owner: options.owner ?? this.prefix,
      agentDir,
      ...(options.idleMs !== undefined && { idleMs: options.idleMs }),
    });
    this.made.push(keepers);
    return keepers;
  }

  async volume(name = 'v', driverOptions: Record<string, string> = {}): Promise<string> {
    const volume = `${this.prefix}-${name}`;
    await this.docker.createVolume({
      Name: volume,
      DriverOpts: driverOptions,
      Labels: { 'berth.test': this.prefix },
    });
    return volume;
  }

  /** A container that has the volume at /home/workspace, as a workspace would. */
  async holder(volume: string): Promise<Dockerode.Container> {
    const container = await this.docker.createContainer({
      Image: toolsImage,
      Cmd: [busybox, 'sleep', '600'],
      Labels: { 'berth.test': this.prefix },
      HostConfig: { Binds: [`${volume}:/home/workspace`], NetworkMode: 'none', AutoRemove: true },
    });
    await container.start();
    return container;
  }

  /** Runs a command in a container; answers what it printed. */
  async run(container: Dockerode.Container, ...argv: string[]): Promise<string> {
    const exec = await container.exec({ Cmd: argv, AttachStdout: true, AttachStderr: true, Tty: true });
    const stream = await exec.start({ Tty: true });
    const parts: Buffer[] = [];
    for await (const part of stream) {
      parts.push(part as Buffer);
    }
    return Buffer.concat(parts).toString().trim();
  }

  async keeperIds(volume?: string, owner = this.prefix): Promise<string[]> {
    const label = [`berth.engine=${owner}`, ...(volume === undefined ? [] : [`berth.volume=${volume}`])];
    return (await this.docker.listContainers({ all: true, filters: { label } })).map(({ Id }) => Id);
  }

  async waitForKeepers(count: number, what: string, owner = this.prefix): Promise<void> {
    let last = -1;
    const end = Date.now() + 20_000;
    while (Date.now() < end) {
      await sleep(50);
      last = (await this.keeperIds(undefined, owner)).length;
      if (last === count) {
        return;
      }
    }
    throw new Error(`${what}: ${last} keepers instead of ${count} after 20 s`);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.made.map((keepers) => keepers.close()));
    const filters = { label: [`berth.test=${this.prefix}`] };
    for (const { Id } of await this.docker.listContainers({ all: true, filters })) {
      await this.docker
        .getContainer(Id)
        .remove({ force: true })
        .catch(() => undefined);
    }
    for (const id of await this.keeperIds()) {
      await this.docker
        .getContainer(id)
        .remove({ force: true })
        .catch(() => undefined);
    }
    const { Volumes } = await this.docker.listVolumes({ filters: JSON.stringify(filters) });
    for (const { Name } of Volumes) {
      for (let left = 20; left > 0; left--) {
        try {
          await this.docker.getVolume(Name).remove();
          break;
        } catch {
          await sleep(100);
        }
      }
    }
  }
}
