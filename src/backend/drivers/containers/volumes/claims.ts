/**
 * Claims: containers that are never started, each with one volume that this installation has taken over. Labels of a
 * volume can't be changed, so the claim's labels say whose the volume is; and what a container has, no prune of volumes
 * removes. The container is named after the volume, so that there is one claim at a time, whoever is first.
 */
import type Dockerode from 'dockerode';
import { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import type { AdoptedVolume } from '../../../store/adopted-volumes';
import { ifMissing, isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { labelsOf } from '../engine/labelled-volumes';
import { label } from '../engine/labels';
import type { Ownership } from '../engine/ownership';
import type { VolumeClaims } from '../../driver';
import { followProgress } from '../engine/progress-stream';
import { removeContainer } from '../engine/remove-container';
import { nameOf } from '../runtime/runtime-info';
import { toReadable } from '../engine/streams';

type Labels = Readonly<Partial<Record<string, string>>>;

const prefix = 'berth-claim-';
/** An image without a file: nothing of it is ever run. */
export const claimImage = 'berth-claim:1';
/** Two blocks of zeros. */
const emptyTar = Buffer.alloc(1024);
const maxAttempts = 5;

export class Claims implements VolumeClaims {
  constructor(
    private readonly endpoint: Endpoint,
    private readonly ownership: Ownership,
  ) {}

  /**
   * Answers what the volume is known by. Throws `not_found`, and `in_use` when another installation has claimed it and
   * `takeOver` does not consent to take it away from there.
   */
  async claim(volume: string, takeOver: boolean): Promise<AdoptedVolume> {
    return this.endpoint.call(`take over the volume ${volume}`, async (docker) => {
      const found = await docker.getVolume(volume).inspect().catch(ifMissing);
      if (found === undefined) {
        throw new BerthError('not_found', `There is no volume ${volume}.`);
      }
      const labels = labelsOf(found);
      await this.claimIn(docker, volume, labels, takeOver);
      const installation = this.ownership.of(labels)?.installation;
      const id = labels[label.nonce];
      return {
        name: volume,
        ...(installation !== undefined && { installation }),
        ...(id !== undefined && { id }),
      };
    });
  }

  /** Gives the volume back to whoever had it. Succeeds when we have not claimed it. */
  async release(volume: string): Promise<void> {
    await this.endpoint.call(`give the volume ${volume} back`, async (docker) => {
      const claim = await this.drop(docker, volume);
      const { [label.claimedFrom]: installation, [label.claimedFromHome]: home } = claim ?? {};
      if (installation !== undefined) {
        const owner = { [label.installation]: installation, [label.home]: home };
        await createClaim(docker, volume, { ...owner, [label.claimReturned]: 'true' });
      }
    });
  }

  async ours(): Promise<readonly { volume: string; isReturned: boolean }[]> {
    const claims = await this.endpoint.call('list what was taken over', async (docker) =>
      claimsAmong(await docker.listContainers({ all: true, filters: { label: [`${label.role}=claim`] } })),
    );
    return [...claims].flatMap(([volume, labels]) =>
      this.ownership.isOurRuntime(labels)
        ? [{ volume, isReturned: labels[label.claimReturned] !== undefined }]
        : [],
    );
  }

  /** Removes our claim, so that the volume can be removed; answers its labels when there was one. */
  async drop(docker: Dockerode, volume: string): Promise<Labels | undefined> {
    const claim = await findClaim(docker, volume);
    if (claim === undefined || this.ownership.of(claim.labels) !== undefined) {
      return undefined;
    }
    await removeClaim(docker, claim);
    return claim.labels;
  }

  /** After `drop`, when the volume could not be removed. */
  async restore(docker: Dockerode, volume: string, labels: Labels): Promise<void> {
    await createClaim(docker, volume, labels);
  }

  private async claimIn(docker: Dockerode, volume: string, labels: Labels, takeOver: boolean): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const there = await findClaim(docker, volume);
      const owner = this.ownership.of(there?.labels);
      if (there !== undefined && owner === undefined) {
        return;
      }
      if (there !== undefined) {
        if (!takeOver) {
          this.ownership.refuseVolume(volume, claimedLabels(labels, there.labels));
        }
        await removeClaim(docker, there);
      }
      const from = { [label.claimedFrom]: owner?.installation, [label.claimedFromHome]: owner?.home };
      if (await createClaim(docker, volume, { ...this.ownership.labels, ...from })) {
        return;
      }
    }
    throw new BerthError('in_use', `The volume ${volume} is being taken over by somebody else.`, {
      hint: 'Try again.',
    });
  }
}

/** Whose volumes are by their claims, from a list of all containers. */
export function claimsAmong(containers: readonly Dockerode.ContainerInfo[]): ReadonlyMap<string, Labels> {
  return new Map(
    containers.flatMap(({ Names: names, Labels: labels }) => {
      const name = nameOf(names[0] ?? '');
      return isClaim(name, labels) ? [[name.slice(prefix.length), labels]] : [];
    }),
  );
}

/** The labels of a volume, with those of its claim in place of what they say of its owner. */
export function claimedLabels(labels: Labels, claim: Labels | undefined): Record<string, string> {
  const { [label.installation]: installation, [label.home]: home } = claim ?? {};
  const owner = { [label.installation]: installation, [label.home]: home, [label.claimed]: 'true' };
  return definedOnly({ ...labels, [label.claimed]: undefined, ...(installation !== undefined && owner) });
}

/** The same, of a volume that is looked at now; undefined when there is none. */
export async function ownedLabels(
  docker: Dockerode,
  volume: string,
): Promise<Record<string, string> | undefined> {
  const [found, claim] = await Promise.all([
    docker.getVolume(volume).inspect().catch(ifMissing),
    findClaim(docker, volume),
  ]);
  return found === undefined ? undefined : claimedLabels(labelsOf(found), claim?.labels);
}

/** An image can give a container labels, but no name. */
function isClaim(name: string, labels: Labels): boolean {
  return name.startsWith(prefix) && labels[label.role] === 'claim';
}

function findContainer(
  docker: Dockerode,
  volume: string,
): Promise<Dockerode.ContainerInspectInfo | undefined> {
  return docker.getContainer(`${prefix}${volume}`).inspect().catch(ifMissing);
}

interface Claim {
  id: string;
  image: string;
  labels: Labels;
}

async function findClaim(docker: Dockerode, volume: string): Promise<Claim | undefined> {
  const found = await findContainer(docker, volume);
  return found !== undefined && isClaim(nameOf(found.Name), found.Config.Labels)
    ? { id: found.Id, image: found.Image, labels: found.Config.Labels }
    : undefined;
}

async function removeClaim(docker: Dockerode, { id, image }: Claim): Promise<void> {
  await removeContainer(docker.getContainer(id));
  // By its id, as another engine may have made the image again. As long as another claim is made of it, it stays.
  await docker
    .getImage(image)
    .remove()
    .catch(() => undefined);
}

/** Answers false when somebody else was first. */
function createClaim(docker: Dockerode, volume: string, labels: Labels): Promise<boolean> {
  return holdVolume(docker, {
    name: `${prefix}${volume}`,
    volume,
    labels: { ...definedOnly(labels), [label.role]: 'claim' },
  });
}

export interface Hold {
  /** Of the container. */
  name: string;
  volume: string;
  labels: Record<string, string>;
}

/** A container that has a volume, and is never started. Answers false when there is one of that name already. */
export async function holdVolume(docker: Dockerode, hold: Hold): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await docker.createContainer(holdSpec(hold));
      return true;
    } catch (error) {
      if (isStatus(error, 404) && attempt < maxAttempts) {
        await importImage(docker);
      } else if ((await docker.getContainer(hold.name).inspect().catch(ifMissing)) !== undefined) {
        return false;
      } else {
        throw error;
      }
    }
  }
}

function holdSpec({ name, volume, labels }: Hold): Dockerode.ContainerCreateOptions {
  const options = { NoCopy: true, Labels: {}, DriverConfig: { Name: '', Options: {} } };
  return {
    name,
    Image: claimImage,
    // There is no such program: a container must name one.
    Cmd: ['claim'],
    NetworkDisabled: true,
    Labels: labels,
    HostConfig: {
      NetworkMode: 'none',
      Mounts: [{ Type: 'volume', Source: volume, Target: '/volume', ReadOnly: true, VolumeOptions: options }],
    },
  };
}

async function importImage(docker: Dockerode): Promise<void> {
  // Podman overlooks a tag of its own.
  const answer = await docker.importImage(Readable.from([emptyTar]), { repo: claimImage });
  await followProgress(toReadable(answer), new AbortController().signal, () => undefined);
}

function definedOnly(labels: Labels): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
