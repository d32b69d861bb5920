/** The volume that snapshots are kept in, with a container that is never started: what a container has, no prune removes. */
import type Dockerode from 'dockerode';
import type { Endpoint } from '../engine/endpoint';
import { label, snapshotsName } from '../engine/labels';
import { ifMissing } from '../engine/docker-errors';
import { labelsOf } from '../engine/labelled-volumes';
import { reservedVolume, type Ownership } from '../engine/ownership';
import { holdVolume } from '../volumes/claims';
import { KeyedLock } from '../../../machine/keyed-lock';
import { removeContainer } from '../engine/remove-container';

export class StoreVolume {
  private readonly lock = new KeyedLock();
  private users = 0;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly ownership: Ownership,
  ) {}

  /** Its name, when it is there. Throws `forbidden` where somebody else has a volume of that name. */
  async existing(): Promise<string | undefined> {
    const name = snapshotsName(this.ownership.id);
    const isThere = await this.endpoint.call('look for snapshots', (docker) => this.isThere(docker, name));
    return isThere ? name : undefined;
  }

  /** Makes it unless it is there, and lets it be used: meanwhile nobody removes it. */
  async use<T>(work: (name: string) => Promise<T>): Promise<T> {
    const name = await this.lock.run('store', async () => {
      this.users += 1;
      return this.ensure().catch((error: unknown) => {
        this.users -= 1;
        throw error;
      });
    });
    try {
      return await work(name);
    } finally {
      this.users -= 1;
    }
  }

  /** Unless somebody uses it, or `countIn` finds that something is in it. */
  drop(countIn: (name: string) => Promise<number>): Promise<void> {
    return this.lock.run('store', async () => {
      const name = await this.existing();
      if (name === undefined || this.users > 0 || (await countIn(name)) > 0) {
        return;
      }
      const isGone = await this.endpoint.call('remove the empty room for snapshots', async (docker) => {
        await removeContainer(docker.getContainer(name));
        return docker
          .getVolume(name)
          .remove()
          .then(
            () => true,
            () => false,
          );
      });
      if (!isGone) {
        await this.ensure();
      }
    });
  }

  private async ensure(): Promise<string> {
    const name = snapshotsName(this.ownership.id);
    const labels = { ...this.ownership.labels, [label.role]: 'snapshots' };
    await this.endpoint.call('make room for snapshots', async (docker) => {
      if (!(await this.isThere(docker, name))) {
        await docker.createVolume({ Name: name, Driver: 'local', Labels: labels });
        await this.isThere(docker, name);
      }
      await holdVolume(docker, { name, volume: name, labels });
    });
    return name;
  }

  private async isThere(docker: Dockerode, name: string): Promise<boolean> {
    const found = await docker.getVolume(name).inspect().catch(ifMissing);
    if (found === undefined) {
      return false;
    }
    if (labelsOf(found)[label.role] !== 'snapshots' || this.ownership.of(labelsOf(found)) !== undefined) {
      throw reservedVolume(name);
    }
    return true;
  }
}
