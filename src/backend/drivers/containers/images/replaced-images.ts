/**
 * Images whose last name went to another one, by a commit or a build of ours. They go at once; one that a container is
 * made of has a name of its own until that container goes, so that a list shows it and it can be removed.
 */
import type Dockerode from 'dockerode';
import { ifMissing, isStatus } from '../engine/docker-errors';

const repository = 'berth-replaced';

/** The id of what has the name now: to be asked before the name goes to another image. */
export async function idOf(docker: Dockerode, image: string): Promise<string | undefined> {
  return (await docker.getImage(image).inspect().catch(ifMissing))?.Id;
}

/** To be called when `image` has been named anew: `before` is what had the name. */
export async function dropReplaced(
  docker: Dockerode,
  image: string,
  before: string | undefined,
): Promise<void> {
  if (before === undefined || (await idOf(docker, image)) === before) {
    return;
  }
  await sweep(docker);
  const old = await docker.getImage(before).inspect().catch(ifMissing);
  if (old === undefined || tagsOf(old).length > 0 || !isMadeHere(old)) {
    return;
  }
  if (await wasRemoved(docker, before)) {
    return;
  }
  const tag = before.replace(/^sha256:/, '').slice(0, 12);
  await docker.getImage(before).tag({ repo: repository, tag }).catch(ifMissing);
}

/** What no container is made of any more: not all of them are removed by us. */
async function sweep(docker: Dockerode): Promise<void> {
  const images = await docker.listImages({ filters: { reference: [repository] } });
  for (const tag of images.flatMap(({ RepoTags: tags }) => tags ?? []).filter(isOurs)) {
    await wasRemoved(docker, tag);
  }
}

/** To be called when a container made of it has gone. */
export async function dropUnused(docker: Dockerode, id: string): Promise<void> {
  const image = await docker.getImage(id).inspect().catch(ifMissing);
  const [tag, ...others] = image === undefined ? [] : tagsOf(image);
  if (tag !== undefined && others.length === 0 && isOurs(tag)) {
    await wasRemoved(docker, tag);
  }
}

/** Podman names the registry. */
function isOurs(tag: string): boolean {
  return tag.replace(/^localhost\//, '').startsWith(`${repository}:`);
}

/** By a build or a commit of Berth. What a user has pulled stays, without a name, as with `docker commit`. */
function isMadeHere({ Config: config }: { Config: { Labels: object | null } }): boolean {
  return Object.keys(config.Labels ?? {}).some((name) => name.startsWith('berth.'));
}

/** Null on images that lost their name. */
function tagsOf({ RepoTags: tags }: { RepoTags: string[] | null }): string[] {
  return (tags ?? []).filter((tag) => tag !== '<none>:<none>');
}

/** false: a container, or another image, is made of it. */
async function wasRemoved(docker: Dockerode, image: string): Promise<boolean> {
  try {
    await docker.getImage(image).remove();
  } catch (error) {
    if (!isStatus(error, 404, 409, 500)) {
      throw error;
    }
    return isStatus(error, 404);
  }
  return true;
}
