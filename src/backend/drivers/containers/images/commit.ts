/** A container's own files as an image, by the engine's commit. */
import { posix } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { imageName, versionOf } from '../../../../api/rules/image-reference';
import type { CommitPlan } from '../../driver';
import { isStatus, toBerthError } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { dropReplaced, idOf } from './replaced-images';

const commitTimeoutMs = 60 * 60_000;

interface Configured {
  Image: string;
  Config: { Labels?: Record<string, string> | null };
}

/** Null where an image says nothing. */
export interface ImageSays {
  User?: string;
  WorkingDir?: string;
  Entrypoint?: string[] | string | null;
  Cmd?: string[] | null;
  Labels?: Record<string, string> | null;
}

interface ImageConfig {
  User: string;
  WorkingDir: string;
  Entrypoint: string[];
  Cmd: string[];
  Labels: Record<string, string>;
}

const ownPrefix = 'berth.';

/**
 * The image is run as the one that the container was made of: not by our init, and not as a workspace. Labels can't be
 * taken away by a commit, so ours are in it without a value. Answers its id.
 */
export async function commitContainer(
  endpoint: Endpoint,
  name: string,
  { image, without }: CommitPlan,
  signal: AbortSignal,
): Promise<string> {
  const parsed = imageName(image);
  const { repository: repo } = parsed;
  const tag = versionOf(parsed);
  return endpoint.call(
    `commit ${name}`,
    async (docker) => {
      const container = docker.getContainer(name);
      try {
        const { Image: id, Config: own } = (await container.inspect()) as unknown as Configured;
        for (const path of without) {
          await refuseInjected(name, path, () => container.infoArchive({ path }));
        }
        const { Config: base } = (await docker.getImage(id).inspect()) as unknown as { Config: ImageSays };
        const _query = { container: container.id, repo, tag, comment: `Workspace ${name}` };
        const commit = { _query, _body: imageConfigOf(base, own.Labels ?? {}), abortSignal: signal };
        const before = await idOf(docker, image);
        const { Id: made } = (await container.commit(commit)) as { Id: string };
        await dropReplaced(docker, image, before);
        return made;
      } catch (error) {
        throw error instanceof BerthError ? error : toBerthError(error, `commit ${name}`);
      }
    },
    { timeoutMs: commitTimeoutMs, signal },
  );
}

/** Labels of ours are of this container alone, also those of a private image that it was made of. */
export function imageConfigOf(base: ImageSays, own: Readonly<Record<string, string>>): ImageConfig {
  const ofImage = base.Labels ?? {};
  const labels = Object.keys(own).map((key) => [key, key.startsWith(ownPrefix) ? '' : (ofImage[key] ?? '')]);
  const entrypoint = typeof base.Entrypoint === 'string' ? [base.Entrypoint] : (base.Entrypoint ?? []);
  const isSilent = entrypoint.length === 0 && (base.Cmd ?? []).length === 0;
  return {
    User: base.User ?? '',
    WorkingDir: base.WorkingDir === undefined || base.WorkingDir === '' ? '/' : base.WorkingDir,
    Entrypoint: entrypoint,
    // Without any, the engine would take those of the container, which are ours.
    Cmd: isSilent ? ['/bin/sh'] : (base.Cmd ?? []),
    Labels: Object.fromEntries(labels) as Record<string, string>,
  };
}

/** What was put in at start may be secret: an image is handed on. */
async function refuseInjected(name: string, path: string, look: () => Promise<unknown>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (isStatus(error, 404)) {
      return;
    }
    throw error;
  }
  throw new BerthError(
    'illegal_state',
    `${posix.basename(path)} would be in the image: ${path} of ${name}.`,
    {
      hint: `It is a file that Berth puts in at every start. Remove it inside, commit, and start the workspace again.`,
    },
  );
}
