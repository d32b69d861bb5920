/** Builds the images that Berth needs, through the engine's own builder. */
import { BerthError } from '../../../../api/errors';
import type { ImageStore } from '../../driver';
import { ensureBase, type BaseOptions } from './base-image';
import type { Endpoint } from '../engine/endpoint';
import { imageContext } from './image-context';
import { followProgress } from '../engine/progress-stream';
import { dropReplaced, idOf } from './replaced-images';
import { toReadable } from '../engine/streams';

const buildTimeoutMs = 60 * 60_000;
export const workspaceImage = 'workspace:latest';

type BuildArguments = Parameters<ImageStore['build']>;

export interface BuildDeps {
  endpoint: Endpoint;
  /** The folder `images/`. */
  folder: string;
  toolsImage: string;
  pull: BaseOptions['pull'];
  /** What to build on, if the user says so. */
  wantedBase: string | undefined;
}

/** Three steps: the base, the tools, and unless `toolsOnly` the workspace. */
export async function buildImages(
  deps: BuildDeps,
  options: BuildArguments[0],
  step: BuildArguments[1],
  line: BuildArguments[2],
  signal: BuildArguments[3],
): Promise<void> {
  const base = await step('base', 'Get a base image', () =>
    ensureBase(deps.endpoint, {
      wanted: deps.wantedBase,
      fresh: options.noCache,
      pull: deps.pull,
      line,
      signal,
    }),
  );
  const build = (target: string, tag: string): Promise<void> =>
    buildTarget(deps, { target, tag, base, noCache: options.noCache }, line, signal);
  await step('tools', `Build ${deps.toolsImage}`, () => build('tools', deps.toolsImage));
  if (!options.toolsOnly) {
    await step('workspace', `Build ${workspaceImage}`, () => build('workspace', workspaceImage));
  }
}

interface Target {
  target: string;
  tag: string;
  base: string;
  noCache: boolean;
}

async function buildTarget(
  { endpoint, folder }: BuildDeps,
  { target, tag, base, noCache }: Target,
  line: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const last: string[] = [];
  const run = async (): Promise<void> =>
    endpoint.call(
      `build ${tag}`,
      async (docker) => {
        const before = await idOf(docker, tag);
        const answer = await docker.buildImage(await imageContext(folder), {
          t: tag,
          target,
          buildargs: { BASE: base },
          nocache: noCache,
          rm: true,
          forcerm: true,
          abortSignal: signal,
        });
        await followProgress(toReadable(answer), signal, ({ stream, status }) => {
          for (const text of (stream ?? status ?? '').split('\n').filter((part) => part.trim() !== '')) {
            last.push(text);
            last.splice(0, last.length - 10);
            line(text);
          }
        });
        await dropReplaced(docker, tag, before);
      },
      { timeoutMs: buildTimeoutMs, signal },
    );
  try {
    await run();
  } catch (error) {
    throw buildFailed(error, last);
  }
}

/** `last`: the last lines of the build, which say more than the container engine does. */
export function buildFailed(error: unknown, last: readonly string[]): unknown {
  if (!(error instanceof BerthError && error.code === 'internal')) {
    return error;
  }
  const { message, detail } = error;
  return new BerthError('internal', [message, ...last].join('\n'), {
    hint: 'The build needs a container with a network: it installs Debian packages.',
    cause: error,
    ...(detail !== undefined && { detail }),
  });
}
