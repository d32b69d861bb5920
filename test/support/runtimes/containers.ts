/** Containers, looked at and handled with Docker's own API. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import type { RealState, RuntimeUnderTest, TestedEngine } from './runtime-under-test';

export class ContainersUnderTest implements RuntimeUnderTest {
  readonly kind = 'container';
  readonly volumeKind = 'docker';
  readonly env = {};
  readonly defaults = {};

  constructor(private readonly engine: TestedEngine) {}

  async stateOf(name: string): Promise<RealState> {
    try {
      const { State } = await this.container(name).inspect();
      return State.Paused ? 'paused' : State.Running ? 'running' : 'stopped';
    } catch (error) {
      return ifMissing(error, 'gone');
    }
  }

  async remove(name: string): Promise<void> {
    await this.container(name).remove({ force: true });
  }

  async kill(name: string): Promise<void> {
    await this.container(name).kill();
  }

  async stop(name: string): Promise<void> {
    await this.container(name).stop({ t: 10 });
  }

  async deafen(_name: string, asRoot: (script: string) => Promise<unknown>): Promise<void> {
    await asRoot(`nohup sh -c 'trap "" TERM HUP INT; while :; do sleep 1; done' >/dev/null 2>&1 &`);
  }

  async hasVolume(volume: string): Promise<boolean> {
    try {
      await this.engine.docker.getVolume(volume).inspect();
      return true;
    } catch (error) {
      return ifMissing(error, false);
    }
  }

  async removeVolume(volume: string): Promise<void> {
    await this.engine.docker.getVolume(volume).remove();
  }

  forgetImage(): Promise<void> {
    return Promise.resolve();
  }

  /** By name, or by the label of the installation: keepers and bundles have no name of ours. */
  async runtimes(): Promise<string[]> {
    const { docker, prefix } = this.engine;
    const installation = await this.installation();
    const all = await docker.listContainers({ all: true });
    return all
      .filter(
        ({ Names, Labels }) =>
          Names.some((name) => name.includes(prefix)) ||
          Object.values(Labels).some((value) => value === installation || value.includes(prefix)),
      )
      .map(({ Id, Names, State }) => `${Id.slice(0, 12)} ${Names.join(',')} ${State}`)
      .sort();
  }

  /** The volume of the tools is shared by all and stays. */
  async volumes(): Promise<string[]> {
    const { docker, prefix } = this.engine;
    const installation = await this.installation();
    const { Volumes: all } = await docker.listVolumes();
    return all
      .filter(
        ({ Name, Labels }) =>
          Name.includes(prefix) ||
          (!Name.startsWith('berth-tools-') &&
            Object.values((Labels as Record<string, string> | null) ?? {}).includes(installation)),
      )
      .map(({ Name }) => Name)
      .sort();
  }

  async clear(): Promise<void> {
    const { docker } = this.engine;
    const ids = (await this.runtimes()).map((line) => line.split(' ')[0] ?? '');
    await Promise.allSettled(ids.map((id) => docker.getContainer(id).remove({ force: true, v: true })));
    const { prefix } = this.engine;
    const kept = await docker.listImages({ filters: { label: ['berth.own-files'] } });
    const images = kept.filter(({ Labels }) => Labels['berth.own-files']?.includes(prefix) === true);
    await Promise.allSettled(images.map(({ Id }) => docker.getImage(Id).remove({ force: true })));
    const volumes = await this.volumes();
    await Promise.allSettled(volumes.map((name) => docker.getVolume(name).remove({ force: true })));
  }

  private container(name: string): Dockerode.Container {
    return this.engine.docker.getContainer(`workspace-${name}`);
  }

  private async installation(): Promise<string> {
    try {
      const path = join(this.engine.home, 'installation.json');
      return (JSON.parse(await readFile(path, 'utf8')) as { id: string }).id;
    } catch {
      return 'none';
    }
  }
}

function ifMissing<T>(error: unknown, answer: T): T {
  if ((error as { statusCode?: number }).statusCode !== 404) {
    throw error;
  }
  return answer;
}
