/** Containers from create to remove. */
import { randomUUID } from 'node:crypto';
import type Dockerode from 'dockerode';
import { BerthError } from '../../../../api/errors';
import { localTarget } from '../../../../api/rules/runtimes';
import { imageMissing } from '../../../../api/rules/image-reference';
import { mebibyte } from '../../../../api/rules/sizes';
import type { Limits } from '../../../../api/workspaces/schemas';
import type { PlannedPort, RuntimeInfo, RuntimePlan, Whose } from '../../driver';
import { ownedLabels } from '../volumes/claims';
import { dependsOnConfinement, refuseConfined } from '../engine/confinement';
import { ifMissing, isStatus, toBerthError } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { isBundleOf, isInternalContainer, label } from '../engine/labels';
import { fromInspected, fromListed, nameOf, stateOf, volumesOf } from './runtime-info';
import { dropUnused } from '../images/replaced-images';
import { makeLabelledVolumes } from '../engine/labelled-volumes';
import {
  bundlesOf,
  carriedBy,
  containerOptions,
  portsLabel,
  resourcesOf,
  takingOver,
  volumesOfPlan,
  type TakenOver,
} from './runtime-spec';
import type { Freezes } from './freezes';
import { foreignRuntime, type Ownership } from '../engine/ownership';
import type { Tools, ToolsVolume } from '../tools/tools-volume';
import { throwIfCancelled, waitFor } from '../../../machine/wait';

const stopMarginMs = 20_000;
const removeTimeoutMs = 30_000;
/** What an image has in the home is copied into the volume meanwhile. */
const createTimeoutMs = 10 * 60_000;
/** 128 + SIGKILL. */
const killedExitCode = 137;

export class Runtimes {
  constructor(
    private readonly endpoint: Endpoint,
    private readonly tools: ToolsVolume,
    private readonly ownership: Ownership,
    private readonly freezes: Freezes,
  ) {}

  /** Every container that carries a workspace's name, whoever made it: see `owner`. `startedAt` is left out. */
  async list(): Promise<RuntimeInfo[]> {
    const containers = await this.endpoint.call('list containers', (docker) =>
      docker.listContainers({ all: true, filters: { label: [label.workspace] } }),
    );
    // An image that was committed has the label, too, without a value.
    return containers
      .filter(({ Labels: labels }) => labels[label.workspace] !== '' && !isInternalContainer(labels))
      .map((container) => this.owned(fromListed(container)));
  }

  async inspect(name: string): Promise<RuntimeInfo | undefined> {
    return this.endpoint.call(`look at ${name}`, async (docker) => {
      const found = await docker.getContainer(name).inspect().catch(ifMissing);
      return found === undefined ? undefined : this.owned(fromInspected(found));
    });
  }

  /** Makes a container by a plan. Throws `exists` where another has its name, and what the engine refuses. */
  async create(plan: RuntimePlan, signal: AbortSignal, taken: TakenOver): Promise<RuntimeInfo> {
    const what = `create ${plan.name}`;
    const name = taken.name ?? plan.name;
    const isLabelled = await this.refuseConfined(plan);
    const [tools, image] = await Promise.all([
      this.tools.ensure(),
      this.inspectImage(taken.image ?? plan.image),
    ]);
    refuseUnusable(plan, image, tools);
    await this.refuseForeignVolumes(plan);
    throwIfCancelled(signal, what);
    const nonce = randomUUID();
    const isElsewhere = (await this.endpoint.target()) !== localTarget;
    const owned = this.ownership.labels;
    const context = { owned, toolsVolume: tools.volume, nonce, isLabelled, isElsewhere };
    const options = takingOver(containerOptions(plan, context), taken);
    try {
      const create = async (docker: Dockerode, { isPodman }: { isPodman: boolean }) => {
        if (isPodman) {
          await makeLabelledVolumes(docker, options);
        }
        return docker.createContainer(options);
      };
      // When its time was up. A cancel waits for what comes of it.
      const late = (): void => void this.undoCreate(name, nonce);
      const container = await this.endpoint.call(what, create, { timeoutMs: createTimeoutMs, late });
      throwIfCancelled(signal, what);
      return fromInspected(await this.endpoint.call(what, () => container.inspect()));
    } catch (error) {
      await this.undoCreate(name, nonce);
      throw isNameTaken(error) ? await this.nameTaken(name, error) : error;
    }
  }

  async start(name: string, anyOwner = false): Promise<{ info: RuntimeInfo; wasStopped: boolean }> {
    const start = async (container: Dockerode.Container) => {
      let wasStopped = true;
      try {
        await container.start();
      } catch (error) {
        if (!isStatus(error, 304)) {
          throw explainStart(name, error);
        }
        wasStopped = false;
      }
      return { info: fromInspected(await container.inspect()), wasStopped };
    };
    return this.withContainer(name, 'start', start, { anyOwner });
  }

  async stop(name: string, graceMs: number, anyOwner = false): Promise<{ killed: boolean }> {
    const stop = async (container: Dockerode.Container): Promise<{ killed: boolean }> => {
      const before = await container.inspect().catch(ifMissing);
      if (before === undefined || stateOf(before.State.Status) === 'stopped') {
        return { killed: false };
      }
      if (before.State.Paused) {
        // A frozen process can't end by itself.
        await ignoring([304, 404, 409, 500], container.unpause());
      }
      await ignoring([304, 404], container.stop({ t: Math.ceil(graceMs / 1000) }));
      const after = await container.inspect().catch(ifMissing);
      return { killed: after?.State.ExitCode === killedExitCode };
    };
    return this.withContainer(name, 'stop', stop, { timeoutMs: graceMs + stopMarginMs, anyOwner });
  }

  async pause(name: string): Promise<void> {
    await this.withContainer(name, 'pause', (container) =>
      this.switchPause(container, 'paused', container.pause()),
    );
  }

  async resume(name: string): Promise<void> {
    await this.withContainer(name, 'resume', (container) =>
      this.switchPause(container, 'running', container.unpause()),
    );
  }

  /** Bundles go with it: their volumes are made anew at each start. */
  async remove(name: string, anyOwner = false): Promise<void> {
    const remove = async (docker: Dockerode): Promise<void> => {
      const found = await docker.getContainer(name).inspect().catch(ifMissing);
      if (found === undefined || (!anyOwner && !this.ownership.isOurRuntime(found.Config.Labels))) {
        return;
      }
      // By id: another one may take the name meanwhile.
      const container = docker.getContainer(found.Id);
      try {
        // `v` removes what the image declares as anonymous volumes; named ones are never touched by it.
        await container.remove({ force: true, v: true });
      } catch (error) {
        if (isStatus(error, 409)) {
          await waitUntilGone(container, name);
        } else if (!isStatus(error, 404)) {
          throw error;
        }
      }
      const runtime = nameOf(found.Name);
      const bundles = volumesOf(found.Mounts).filter(({ volume }) => isBundleOf(runtime, volume));
      const volumes = [...bundles.map(({ volume }) => volume), ...carriedBy(found.Config.Labels)];
      // Another container may go on with them: one that takes its place, or in whose place it was to be.
      const removals = volumes.map((volume) => docker.getVolume(volume).remove());
      await Promise.all(removals.map((removal) => ignoring([404, 409], removal)));
      await dropUnused(docker, found.Image);
    };
    await this.freezes.settled(name);
    await this.endpoint.call(`remove ${name}`, remove, { timeoutMs: removeTimeoutMs * 2 });
  }

  /** What can't be changed live: shared memory, and taking a limit away. */
  async setLimits(name: string, limits: Limits): Promise<{ needsRebuild: string[]; needsRestart: string[] }> {
    return this.withContainer(name, 'change the limits of', async (container, _docker, isPodman) => {
      const { HostConfig: now } = await container.inspect();
      const needsRebuild = [
        ...(limits.shmMiB !== undefined && limits.shmMiB * mebibyte !== now.ShmSize ? ['shmMiB'] : []),
        ...(limits.cpus === undefined && (now.NanoCpus ?? 0) > 0 ? ['cpus'] : []),
        ...(limits.memoryMiB === undefined && (now.Memory ?? 0) > 0 ? ['memoryMiB'] : []),
        ...(limits.pids === undefined && (now.PidsLimit ?? 0) > 0 ? ['pids'] : []),
      ];
      const live = resourcesOf(limits);
      if (Object.keys(live).length === 0) {
        return { needsRebuild, needsRestart: [] };
      }
      if (isPodman) {
        // Podman 4.3 has no such call.
        return { needsRebuild: [...new Set([...needsRebuild, ...Object.keys(limits)])], needsRestart: [] };
      }
      await container.update(live);
      return { needsRebuild, needsRestart: [] };
    });
  }

  /** Nothing that a container publishes can be changed while it is there. */
  async setPorts(name: string, ports: readonly PlannedPort[]): Promise<{ needsRebuild: string[] }> {
    return this.withContainer(name, 'look at the ports of', async (container) => {
      const { Config: config } = await container.inspect();
      const built = (config.Labels as Partial<Record<string, string>>)[label.ports] ?? '';
      return { needsRebuild: built === portsLabel(ports) ? [] : ['ports'] };
    });
  }

  private async switchPause(
    container: Dockerode.Container,
    wanted: 'paused' | 'running',
    change: Promise<unknown>,
  ): Promise<void> {
    try {
      await change;
    } catch (error) {
      if (!isStatus(error, 304, 409, 500)) {
        throw error;
      }
      const { Name, State } = await container.inspect();
      if (stateOf(State.Status) !== wanted) {
        const verb = wanted === 'paused' ? 'pause' : 'resume';
        if (stateOf(State.Status) === 'stopped') {
          throw new BerthError('illegal_state', `${Name.slice(1)} is stopped: it can't ${verb}.`, {
            remedy: 'start',
          });
        }
        throw error;
      }
    }
  }

  /** Throws `exists` for one that is not ours; what is not there is the next call's to tell. */
  async refuseForeign(name: string): Promise<void> {
    await this.freezes.settled(name);
    const info = await this.inspect(name);
    if (info !== undefined) {
      this.ownership.refuseRuntime(name, info.labels);
    }
  }

  private owned(info: RuntimeInfo): RuntimeInfo {
    const owner = this.ownership.of(info.labels);
    const isUnmarked = owner === undefined && !this.ownership.isOurRuntime(info.labels);
    const seen = this.freezes.seen(info);
    return { ...seen, ...(owner !== undefined && { owner }), ...(isUnmarked && { isUnmarked }) };
  }

  /** Before anything is made for it. Answers whether its folders have to be labelled. */
  private async refuseConfined(plan: RuntimePlan): Promise<boolean> {
    if (!dependsOnConfinement(plan)) {
      return false;
    }
    const what = 'read how it confines containers';
    const confinement = await this.endpoint.call(what, (_, connection) => connection.confinement());
    refuseConfined(plan, confinement);
    return confinement.isLabelled;
  }

  private async refuseForeignVolumes(plan: RuntimePlan): Promise<void> {
    const volumes = volumesOfPlan(plan);
    const bundles = new Set(bundlesOf(plan).map(({ volume }) => volume));
    await this.endpoint.call(`look at the volumes of ${plan.name}`, (docker) =>
      Promise.all(
        volumes.map(async (name) => {
          const labels = await ownedLabels(docker, name);
          if (bundles.has(name)) {
            this.ownership.refuseVolume(name, labels);
          } else {
            this.ownership.refuseMount(name, labels);
          }
        }),
      ),
    );
  }

  private async nameTaken(name: string, cause: unknown): Promise<BerthError> {
    const owner = (await this.inspect(name).catch(() => undefined))?.owner;
    return owner === undefined
      ? new BerthError('exists', `There is a container ${name} already.`, {
          hint: 'Adopt it, remove it, or choose another name.',
          cause,
        })
      : foreignRuntime(name, owner);
  }

  private async withContainer<T>(
    name: string,
    verb: string,
    use: (container: Dockerode.Container, docker: Dockerode, isPodman: boolean) => Promise<T>,
    { timeoutMs, anyOwner = false }: { timeoutMs?: number } & Whose = {},
  ): Promise<T> {
    await this.freezes.settled(name);
    return this.endpoint.call(
      `${verb} ${name}`,
      async (docker, { isPodman }) => {
        const found = await docker.getContainer(name).inspect().catch(ifMissing);
        if (!anyOwner && found !== undefined) {
          this.ownership.refuseRuntime(name, found.Config.Labels);
        }
        return use(docker.getContainer(found?.Id ?? name), docker, isPodman);
      },
      timeoutMs === undefined ? {} : { timeoutMs },
    );
  }

  private async inspectImage(image: string): Promise<Dockerode.ImageInspectInfo> {
    return this.endpoint.call(`look at the image ${image}`, async (docker) => {
      try {
        return await docker.getImage(image).inspect();
      } catch (error) {
        throw isStatus(error, 404) ? imageMissing(image) : error;
      }
    });
  }

  /** Removes what this very attempt made: the container, and volumes that carry its nonce. */
  private async undoCreate(name: string, nonce: string): Promise<void> {
    const undo = this.endpoint.call(`undo the creation of ${name}`, async (docker) => {
      const { Volumes: volumes } = await docker.listVolumes({
        filters: { label: [`${label.nonce}=${nonce}`] },
      });
      const container = docker.getContainer(name);
      const found = await container.inspect().catch(() => undefined);
      if (found?.Config.Labels[label.nonce] === nonce) {
        await container.remove({ force: true, v: true });
      }
      await Promise.all(volumes.map((volume) => docker.getVolume(volume.Name).remove()));
    });
    // The first error is the one that tells.
    await undo.catch(() => undefined);
  }
}

function refuseUnusable(plan: RuntimePlan, image: Dockerode.ImageInspectInfo, tools: Tools): void {
  if (image.Os !== 'linux' || image.Architecture !== tools.architecture) {
    throw new BerthError(
      'not_supported',
      `The image ${plan.image} is for ${image.Os}/${image.Architecture}; Berth's programs here are for linux/${tools.architecture}.`,
      { hint: 'Name an image for the processor of this machine.', field: 'image' },
    );
  }
}

function isNameTaken(error: unknown): boolean {
  return (
    error instanceof BerthError && /is already in use by|name .* already in use/i.test(error.detail ?? '')
  );
}

function explainStart(name: string, error: unknown): BerthError {
  const known = toBerthError(error, `start ${name}`);
  const { detail = '' } = known;
  if (known.code === 'internal' && /\/\.berth\/bin\/tini/.test(detail)) {
    return new BerthError('not_supported', `Berth's programs can't run in ${name}.`, {
      detail,
      hint: 'Rebuild the tools: `berth image build`, then the workspace.',
      cause: error,
    });
  }
  return known;
}

async function ignoring(statuses: number[], call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isStatus(error, ...statuses)) {
      throw error;
    }
  }
}

async function waitUntilGone(container: Dockerode.Container, name: string): Promise<void> {
  await waitFor(
    async () => {
      try {
        await container.inspect();
        return undefined;
      } catch (error) {
        if (isStatus(error, 404)) {
          return true;
        }
        throw error;
      }
    },
    { what: `the removal of ${name}`, timeoutMs: removeTimeoutMs, intervalMs: 50 },
  );
}
