/** Create: transactional. What a failure leaves is nothing, or a workspace that works and says what is missing. */
import { BerthError } from '../../../api/errors';
import { checkImage } from '../../../api/rules/image-reference';
import { sortedTags } from '../../../api/rules/names';
import { ownerWords } from '../../../api/rules/owner';
import { checkCredentials } from '../../inside/target';
import { checkCloneAddress, checkCloneOptions } from '../../../api/rules/clone-address';
import type { Operation } from '../../../api/operations/schemas';
import type {
  IdlePolicy,
  RuntimeKind,
  WorkspaceCreate,
  WorkspaceSpec,
} from '../../../api/workspaces/schemas';
import { refuseUnsupported } from '../../drivers/contract/support';
import type { PortLedger } from '../../ssh/ports';
import { checkAgentSocket } from '../../ssh/agent-forwarding';
import type { SshKeys } from '../../ssh/keys';
import type { AdoptedVolumes } from '../../store/adopted-volumes';
import type { SecretStore } from '../../store/secrets';
import type { EngineIdentity } from '../../drivers/driver';
import type { Drivers } from '../engine/drivers';
import { explainUndone } from './failed-create';
import { ensureImage, refusePullForOthers, usableImage } from '../images/image-progress';
import { onTarget, targetFor } from './target';
import { resolveMounts } from './start/mount-resolution';
import { parseMounts } from './start/mount-syntax';
import type { OperationContext } from '../operations/operation-context';
import type { Operations } from '../operations/operations';
import { removeOwnVolume } from '../volumes/own-volumes';
import { releasePorts, reservePorts } from './start/published-ports';
import { createStep, startSteps, stepsOfCreate, stepsOfStart } from './start/start-steps';
import { homeVolumeOf } from '../../../api/rules/home-volume';
import { newNameHints, refuseNotMade, type Filling } from './filling';
import { dockerVolumeOf, type WorkspaceRecord } from './record';
import type { WorkspaceRegistry } from './registry';
import type { Runtimes } from './runtime-handle';
import type { WorkspaceStarter } from './start/starter';

export interface Defaults {
  runtime: RuntimeKind;
  image: string;
  idle: IdlePolicy;
}

export interface CreatorDeps {
  registry: WorkspaceRegistry;
  starter: WorkspaceStarter;
  drivers: Drivers;
  runtimes: Runtimes;
  ports: PortLedger;
  keys: SshKeys;
  secrets: SecretStore;
  adopted: AdoptedVolumes;
  operations: Operations;
  defaults: () => Defaults;
}

const bringing = { name: 'bring', title: 'Take the image in' };
const filled = { name: 'fill', title: 'Copy the files' };

export class WorkspaceCreator {
  constructor(private readonly deps: CreatorDeps) {}

  /** With names, ports and keys of its own, and of the files what `filling` brings. Throws `exists`. */
  async createFilled(
    request: Pick<WorkspaceCreate, 'name' | 'label' | 'tags' | 'ports' | 'secrets' | 'start'>,
    spec: WorkspaceSpec,
    filling: Filling,
  ): Promise<Operation> {
    const { drivers, registry, operations } = this.deps;
    const { name, start = true } = request;
    const driver = drivers.of(spec);
    registry.refuseTaken(name);
    const { what = 'fork', bringImage } = filling;
    await this.refuseVolumesThatAreThere({ name, mustBeNew: what }, spec);
    const { cloned } = filling.record;
    await this.reserve(request, spec, await driver.engine(), { ...filling.record, isUnfilled: true });
    const plan = [
      ...(bringImage === undefined ? [] : [bringing]),
      startSteps.image,
      ...(driver.images.prepare === undefined ? [] : [startSteps.prepare]),
      createStep(spec.runtime),
      filled,
      ...(start ? stepsOfStart({ spec, cloned }) : []),
    ];
    const begin = {
      kind: 'workspace.create',
      title: `${what === 'import' ? 'Import' : 'Create'} workspace ${name}`,
      workspace: name,
      plan,
    } as const;
    return operations.start(begin, async (context) => {
      await this.build(name, { start }, context, filling);
      return { workspace: name };
    });
  }

  async create(request: WorkspaceCreate): Promise<Operation> {
    refuseProtectedTemporary(request);
    const asked = this.specOf(request);
    const image = request.image ?? (await usableImage(asked, this.deps.drivers));
    const wanted = await this.withWholeNames({ ...asked, image });
    const driver = this.deps.drivers.of(wanted);
    refuseUnsupported({ ...wanted, ports: request.ports }, driver, this.deps.drivers.all());
    this.deps.registry.refuseTaken(request.name);
    const spec = onTarget(wanted, await targetFor(wanted, driver));
    if (request.agentSocket !== undefined) {
      await checkAgentSocket(request.agentSocket);
    }
    await refusePullForOthers(driver, spec.image);
    const { name, temporary } = request;
    await this.refuseVolumesThatAreThere(
      { name, ...(temporary === true && { mustBeNew: 'temporary' }) },
      spec,
    );
    await resolveMounts(spec.mounts ?? [], driver, this.deps.drivers);
    const record = await this.reserve(request, spec, await driver.engine());
    return this.deps.operations.start(
      {
        kind: 'workspace.create',
        title: `Create workspace ${request.name}`,
        workspace: request.name,
        plan: stepsOfCreate(spec, driver.images.prepare !== undefined, request.start !== false),
      },
      async (context) => {
        if (image !== asked.image) {
          context.warn(
            `${asked.image} needs Docker or Podman to be built, and none answers: ${image} is used.`,
          );
        }
        await this.build(record.name, request, context);
        return { workspace: record.name };
      },
    );
  }

  /**
   * A name means one volume: a home that another kind of runtime has kept would be hidden by a new one. And what
   * another installation made is its own. One that is deleted unasked must not take with it what was there before, and
   * a fork not write over it.
   */
  private async refuseVolumesThatAreThere(
    { name, mustBeNew }: { name: string; mustBeNew?: keyof typeof newNameHints },
    spec: WorkspaceSpec,
  ): Promise<void> {
    const { drivers } = this.deps;
    const own = drivers.of(spec);
    const names = [homeVolumeOf(name), ...(spec.docker === true ? [dockerVolumeOf(name)] : [])];
    for (const volume of names) {
      const existing = await own.volumes.inspect(volume);
      const owner = existing?.owner;
      if (mustBeNew !== undefined && existing !== undefined) {
        const fate = mustBeNew === 'temporary' ? 'deleted' : 'written over';
        throw new BerthError('exists', `There is a volume ${volume} already: it would be ${fate}.`, {
          field: 'name',
          hint: newNameHints[mustBeNew],
        });
      }
      if (owner !== undefined) {
        throw new BerthError('exists', `There is a volume ${volume} already, of ${ownerWords(owner)}.`, {
          field: 'name',
          hint: `Choose another name, delete it from there, or take it over: \`berth adopt ${name} --take-over\`.`,
        });
      }
    }
    for (const other of drivers.all().filter((driver) => driver !== own)) {
      for (const volume of names) {
        // One that does not answer can't be asked, and is not needed for this.
        if ((await other.volumes.inspect(volume).catch(() => undefined)) !== undefined) {
          throw new BerthError('exists', `There is a volume ${volume} already, of another kind of runtime.`, {
            field: 'name',
            hint: `Choose another name, create it as a ${other.kind}, or delete the volume: \`berth volume delete ${volume}\`.`,
          });
        }
      }
    }
  }

  private specOf(request: WorkspaceCreate): WorkspaceSpec {
    const defaults = this.deps.defaults();
    if (request.cloneUrl !== undefined) {
      checkCloneAddress(request.cloneUrl);
    }
    checkCloneOptions(request);
    checkCredentials(request.credentialFiles);
    const {
      name,
      label,
      volumes,
      secrets,
      start,
      idle,
      ports,
      temporary,
      agentSocket,
      tags,
      protected: _,
      ...rest
    } = request;
    const { runtime = defaults.runtime, image = defaults.image } = request;
    const mounts = parseMounts(request.volumes ?? [], runtime);
    checkImage(image, runtime);
    return {
      ...rest,
      runtime,
      image,
      idle: { ...defaults.idle, ...idle },
      ...(mounts.length > 0 && { mounts }),
      ...(secrets !== undefined && { secretNames: Object.keys(secrets).sort() }),
    };
  }

  /** The id of a session volume becomes its name: what is mounted is found again by that. */
  private async withWholeNames(spec: WorkspaceSpec): Promise<WorkspaceSpec> {
    const mounts = await Promise.all(
      (spec.mounts ?? []).map(async (mount) =>
        mount.kind === 'volume'
          ? { ...mount, source: await this.deps.drivers.wholeVolumeName(mount.source) }
          : mount,
      ),
    );
    return mounts.length === 0 ? spec : { ...spec, mounts };
  }

  /** Name, port, host key and secrets: what must be ours before anything is built. */
  private async reserve(
    request: WorkspaceCreate,
    spec: WorkspaceSpec,
    engine: EngineIdentity | undefined,
    more: Partial<WorkspaceRecord> = {},
  ): Promise<WorkspaceRecord> {
    const { registry, ports, keys } = this.deps;
    const { name } = request;
    const published = await reservePorts(ports, name, request.ports ?? []);
    let sshPort: number | undefined;
    try {
      sshPort = await ports.assign(name);
      const hostKey = await keys.hostKey(name);
      const now = new Date().toISOString();
      const record: WorkspaceRecord = {
        name,
        label: request.label ?? name,
        ...((request.tags ?? []).length > 0 && { tags: sortedTags(request.tags ?? []) }),
        ...(request.protected === true && { protected: true }),
        state: 'creating',
        spec: { ...spec, ...(published.length > 0 && { ports: published }) },
        sshPort,
        hostKey: hostKey.publicKey,
        homeVolume: homeVolumeOf(name),
        ...(spec.docker === true && { dockerVolume: dockerVolumeOf(name) }),
        createdVolumes: [],
        cloned: false,
        ...(request.temporary === true && { temporary: true }),
        ...(engine !== undefined && { engine }),
        createdAt: now,
        lastUsedAt: now,
        warnings: [],
        ...more,
      };
      await registry.add(record);
      await this.keepSecrets(request);
      return record;
    } catch (error) {
      releasePorts(ports, name, published, []);
      if (sshPort !== undefined) {
        ports.releasePort(sshPort, name);
      }
      // Another create of that name may have been quicker: then the key is its own.
      if (registry.find(name) === undefined) {
        await keys.forgetHostKey(name).catch(() => undefined);
      }
      throw error;
    }
  }

  private async keepSecrets({ name, secrets }: WorkspaceCreate): Promise<void> {
    try {
      // Drop the secrets of an earlier workspace of this name.
      await this.deps.secrets.forget(name);
      if (secrets !== undefined) {
        await this.deps.secrets.put(name, secrets);
      }
    } catch (error) {
      await this.forget(name);
      throw error;
    }
  }

  private async forget(name: string): Promise<void> {
    const { registry, keys, secrets } = this.deps;
    await Promise.allSettled([secrets.forget(name), keys.forgetHostKey(name)]);
    await registry.remove(name);
  }

  private async build(
    name: string,
    { start = true, agentSocket }: Pick<WorkspaceCreate, 'start' | 'agentSocket'>,
    context: OperationContext,
    filling?: Filling,
  ): Promise<void> {
    const { registry, runtimes, starter } = this.deps;
    try {
      const bring = filling?.bringImage;
      await (bring && context.step(bringing.name, bringing.title, () => bring(context)));
      await ensureImage(runtimes.of(registry.get(name)).driver, registry.get(name).spec.image, context);
      const { name: step, title } = createStep(registry.get(name).spec.runtime);
      await context.step(step, title, async () => {
        await this.refuseForeign(name);
        await filling?.makeVolumes(context);
        await starter.build(name, context);
      });
      if (filling !== undefined) {
        await context.step(filled.name, filled.title, () => {
          refuseNotMade(registry.get(name), filling);
          return filling.fill(context);
        });
        await registry.update(name, { isUnfilled: undefined });
      }
      if (start) {
        await starter.start(name, context, { agentSocket });
      }
      await registry.settle(name, start ? 'running' : 'stopped');
    } catch (error) {
      const explained = await explainUndone(runtimes.of(registry.get(name)), error);
      await this.undo(name);
      throw explained;
    }
  }

  /** What has the name already is not ours: neither used nor removed. */
  private async refuseForeign(name: string): Promise<void> {
    const runtime = this.deps.runtimes.of(this.deps.registry.get(name));
    const existing = await runtime.inspect();
    if (existing !== undefined) {
      const whose = existing.owner === undefined ? '' : `, of ${ownerWords(existing.owner)}`;
      throw new BerthError(
        'exists',
        `There is a ${runtime.driver.kind} ${existing.name} already (${existing.state})${whose}.`,
        {
          field: 'name',
          hint: `Choose another name, or take it over: \`berth adopt ${name}${existing.owner === undefined ? '' : ' --take-over'}\`.`,
        },
      );
    }
  }

  /** Removes what this create made, and nothing that was there before. */
  private async undo(name: string): Promise<void> {
    const { registry, runtimes } = this.deps;
    const record = registry.get(name);
    const runtime = runtimes.of(record);
    try {
      if (record.runtimeId !== undefined) {
        await runtime.remove();
      }
      for (const volume of record.createdVolumes) {
        await removeOwnVolume(this.deps, runtime.driver, volume, () => undefined);
      }
    } catch (error) {
      await registry.settle(name, 'error', {
        problem: {
          code: 'create',
          step: 'undo',
          message: `Create failed, and so did cleaning up: ${error instanceof Error ? error.message : String(error)}`,
          hint: 'Recover it to go on from here, or delete it.',
        },
      });
      return;
    }
    await this.forget(name);
  }
}

/** One that is deleted when its client is gone can't be kept from that. */
function refuseProtectedTemporary({ temporary, protected: isProtected }: WorkspaceCreate): void {
  if (temporary === true && isProtected === true) {
    throw new BerthError('bad_request', 'A temporary workspace can not be protected.', {
      field: 'protected',
      hint: 'Leave out one of the two.',
    });
  }
}
