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

  /** Makes it unless it is there, and what is to use it: nobody removes it in between. */
  with<T>(use: (name: string) => Promise<T>): Promise<T> {
    return this.lock.run('store', async () => use(await this.ensure()));
  }

  /** When nothing is in it any more. It stays as long as somebody uses it. */
  drop(): Promise<void> {
    return this.lock.run('store', async () => {
      const name = await this.existing();
      if (name === undefined) {
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
