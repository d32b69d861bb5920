/** The container of a keeper: it can do nothing but hold a volume for the agent, and goes with it. */
import type Dockerode from 'dockerode';
import { BerthError } from '../../../../api/errors';
import { ownedLabels } from './claims';
import { confined } from './confined';
import { isStatus, toBerthError } from '../engine/docker-errors';
import { label } from '../engine/labels';
import { removeContainer } from '../engine/remove-container';

/** On every keeper, with the value `true`: whoever lists containers or holders leaves these out. */
export const keeperLabel = label.keeper;
export const keeperVolumeLabel = 'berth.volume';
export const keeperEngineLabel = 'berth.engine';
/** Where the volume is in a keeper. */
export const keeperRoot = '/volume';

const stopGraceS = 3;
export interface KeeperPlan {
  volume: string;
  /** A folder of the volume that the agent works in: nothing is changed there. */
  below?: string;
  image: string;
  /** Id of the installation of the engine. */
  owner: string;
  /** Throws for a volume that is not for this installation, which its labels and its claim say. */
  refuse?: (volume: string, labels: Record<string, string>) => void;
  /** Resolves when it may be opened. */
  ready?: (volume: string) => Promise<void>;
  /** Whether the user of workspaces is to have it when it is new. */
  isForUser?: (volume: string, labels: Record<string, string>) => boolean;
}

export interface StartedKeeper {
  container: Dockerode.Container;
  isForUser: boolean;
}

function keeperSpec(plan: KeeperPlan): Dockerode.ContainerCreateOptions {
  return confined({
    image: plan.image,
    labels: {
      [keeperLabel]: 'true',
      [keeperVolumeLabel]: plan.volume,
      [keeperEngineLabel]: plan.owner,
    },
    // To read, write and give away what belongs to any user of the workspace.
    capabilities: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID'],
    pids: 128,
    memoryMiB: 512,
    removesItself: true,
    mounts: [{ volume: plan.volume, target: keeperRoot, isReadOnly: plan.below !== undefined }],
  });
}

/**
 * Makes and starts a keeper. The volume must exist: it is never made by being asked for. Throws `runtime_unavailable`
 * for what changed meanwhile, else what the engine refuses.
 */
export async function startKeeper(docker: Dockerode, plan: KeeperPlan): Promise<StartedKeeper> {
  // Also where nobody refuses: a container makes a volume that is not there.
  const labels = await labelsOf(docker, plan.volume);
  plan.refuse?.(plan.volume, labels);
  await plan.ready?.(plan.volume);
  const container = await createKeeper(docker, plan);
  try {
    await container.start();
    return { container, isForUser: plan.isForUser?.(plan.volume, labels) ?? false };
  } catch (error) {
    await removeContainer(container);
    throw openingFailed(error, plan.volume);
  }
}

async function labelsOf(docker: Dockerode, volume: string): Promise<Record<string, string>> {
  const labels = await ownedLabels(docker, volume).catch((error: unknown) => {
    throw toBerthError(error, `look at the volume ${volume}`);
  });
  if (labels === undefined) {
    throw new BerthError('not_found', `There is no volume "${volume}".`);
  }
  return labels;
}

/**
 * Ends the keepers that engines of other installations have on a volume of ours: a keeper has one volume, and its
 * engine starts another when it needs one. Answers whether there were any.
 */
export async function endOthersKeepers(docker: Dockerode, volume: string): Promise<boolean> {
  const filters = { label: [`${keeperLabel}=true`, `${keeperVolumeLabel}=${volume}`] };
  const found = await docker.listContainers({ all: true, filters });
  await Promise.all(
    found.map(async ({ Id }) => {
      const container = docker.getContainer(Id);
      // Asked first: its first process ends by SIGTERM, and the agent tidies up.
      await container.stop({ t: stopGraceS }).catch(() => undefined);
      await removeContainer(container);
    }),
  );
  return found.length > 0;
}

/** A container that ended too early is not `not_found`, which says of a file or a volume that it is not there. */
export function openingFailed(thrown: unknown, volume: string): BerthError {
  const error = toBerthError(thrown, `open the volume ${volume}`);
  return error.code === 'not_found' || error.code === 'illegal_state'
    ? new BerthError('runtime_unavailable', error.message, {
        hint: 'The container that opens the volume ended too early. Try again.',
        cause: thrown,
        ...(error.detail !== undefined && { detail: error.detail }),
      })
    : error;
}

async function createKeeper(docker: Dockerode, plan: KeeperPlan): Promise<Dockerode.Container> {
  try {
    return await docker.createContainer(keeperSpec(plan));
  } catch (error) {
    if (isStatus(error, 404)) {
      throw new BerthError('image_missing', `The image "${plan.image}", which reads volumes, is not there.`, {
        hint: 'Build it: `berth image build`.',
        cause: error,
      });
    }
    throw toBerthError(error, `open the volume ${plan.volume}`);
  }
}
