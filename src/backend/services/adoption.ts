/** Volumes and containers of other tools (ws, Sandkasten, a lost state directory) become workspaces, with consent. */
import { BerthError, asBerthError } from '../../api/errors';
import { checkImage } from '../../api/image-reference';
import { ownerWords } from '../../api/owner';
import type { Owner } from '../../api/schemas/common';
import type { Adoptable } from '../../api/schemas/engine';
import type { Operation } from '../../api/schemas/operation';
import type { Volume } from '../../api/schemas/volume';
import type { WorkspaceSpec } from '../../api/schemas/workspace';
import type { Driver, RuntimeInfo } from '../drivers/driver';
import type { PortLedger } from '../ssh/ports';
import type { SshKeys } from '../ssh/keys';
import { namePattern } from '../../api/schemas/common';
import type { AdoptedVolumes } from '../store/adopted-volumes';
import type { Drivers } from './drivers';
import { identityOf } from './own-volumes';
import type { OperationContext } from './operation-context';
import type { Operations } from './operations';
import type { Settings } from './settings';
import { runtimeNameOf, type WorkspaceRecord } from './workspace-record';
import type { WorkspaceRegistry } from './workspace-registry';
import type { WorkspaceStarter } from './workspace-starter';

export interface AdoptionParts {
  adopted: AdoptedVolumes;
  registry: WorkspaceRegistry;
  starter: WorkspaceStarter;
  drivers: Drivers;
  ports: PortLedger;
  keys: SshKeys;
  operations: Operations;
  settings: Settings;
}

export interface AdoptRequest {
  volume: string;
  image?: string;
  replaceContainer?: boolean;
  /** Consent to take what another installation of Berth made. */
  takeOver?: boolean;
}

const prefixes = [
  { prefix: 'sandkasten-ws-', origin: 'sandkasten' as const },
  { prefix: 'workspace-', origin: 'ws' as const },
];

/** The name a workspace on that volume would have, and who made it. */
export function originOf(volume: string): { name: string; origin: Adoptable['origin'] } | undefined {
  const match = prefixes.find(({ prefix }) => volume.startsWith(prefix));
  if (match === undefined) {
    return undefined;
  }
  const name = volume.slice(match.prefix.length);
  return new RegExp(namePattern).test(name) ? { name, origin: match.origin } : undefined;
}

export class Adoption {
  constructor(private readonly parts: AdoptionParts) {}

  /** Of every driver that answers. */
  async list(): Promise<Adoptable[]> {
    const lists = await Promise.allSettled(this.parts.drivers.all().map((driver) => this.listOf(driver)));
    const found = lists.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const failure = lists.find((each) => each.status === 'rejected');
    if (failure !== undefined && found.length === 0) {
      throw failure.reason;
    }
    return found;
  }

  private async listOf(driver: Driver): Promise<Adoptable[]> {
    const [volumes, runtimes] = await Promise.all([driver.volumes.list(), driver.list()]);
    const owned = new Set(
      this.parts.registry.all().flatMap((record) => [record.homeVolume, record.dockerVolume]),
    );
    return volumes.flatMap((volume) => {
      const origin = originOf(volume.name);
      const isDockerData = volume.role === 'docker';
      return origin === undefined || owned.has(volume.name) || isDockerData
        ? []
        : [describe(volume, origin, runtimes)];
    });
  }

  /** The volume stays as it is; a container that holds it goes only with consent. */
  async adopt(name: string, request: AdoptRequest): Promise<Operation> {
    const { registry, drivers, operations } = this.parts;
    registry.refuseTaken(name);
    const driver = await drivers.findVolume(request.volume);
    const volume = await driver?.volumes.inspect(request.volume);
    if (driver === undefined || volume === undefined) {
      throw new BerthError('not_found', `There is no volume ${request.volume}.`, { field: 'volume' });
    }
    const owner = registry.all().find((record) => record.homeVolume === volume.name);
    if (owner !== undefined) {
      throw new BerthError('in_use', `Volume ${volume.name} belongs to workspace ${owner.name}.`, {
        field: 'volume',
      });
    }
    const existing = await driver.inspect(runtimeNameOf(name));
    refuseForeign(volume.owner ?? existing?.owner, volume.name, request);
    if (existing !== undefined && request.replaceContainer !== true) {
      throw new BerthError(
        'in_use',
        `A ${driver.kind} ${existing.name} holds the name (${existing.state}).`,
        {
          hint: 'Say `replaceContainer` (`berth adopt --yes`): it is removed with what lies outside of its volumes, which stay.',
          field: 'replaceContainer',
        },
      );
    }
    const image = request.image ?? (await this.usableImage(driver, existing));
    checkImage(image, driver.kind);
    await this.reserve(name, volume, { runtime: driver.kind, image });
    return operations.start(
      { kind: 'workspace.adopt', title: `Adopt ${volume.name} as workspace ${name}`, workspace: name },
      async (context) => {
        try {
          if (existing !== undefined) {
            await context.step('replace', `Remove ${driver.kind} ${existing.name}`, () =>
              driver.remove(existing.name, { anyOwner: request.takeOver ?? false }),
            );
          }
          await this.parts.starter.start(name, context);
          await registry.settle(name, 'running');
        } catch (error) {
          await this.settleStopped(driver, name, error, context);
          throw error;
        }
        return { workspace: name };
      },
    );
  }

  /** It is a workspace now, only not started: its volume is as it was. */
  private async settleStopped(
    driver: Driver,
    name: string,
    error: unknown,
    context: OperationContext,
  ): Promise<void> {
    const { registry } = this.parts;
    await driver.stop(runtimeNameOf(name), 0).catch(() => undefined);
    const { code, message, hint } = asBerthError(error);
    const problem = { code, message, step: 'adopt', ...(hint !== undefined && { hint }) };
    await registry.settle(name, 'stopped', context.signal.aborted ? {} : { problem });
  }

  private async usableImage(driver: Driver, existing: RuntimeInfo | undefined): Promise<string> {
    const candidate = existing?.image;
    const isThere = candidate !== undefined && (await driver.images.resolve(candidate)) !== undefined;
    return isThere ? candidate : this.parts.settings.defaults.image;
  }

  private async reserve(name: string, volume: Volume, spec: WorkspaceSpec): Promise<void> {
    const { registry, ports, keys, adopted } = this.parts;
    const sshPort = await ports.assign(name);
    try {
      const hostKey = await keys.hostKey(name);
      const now = new Date().toISOString();
      const record: WorkspaceRecord = {
        name,
        label: name,
        state: 'starting',
        spec,
        sshPort,
        hostKey: hostKey.publicKey,
        homeVolume: volume.name,
        createdVolumes: [],
        cloned: false,
        createdAt: volume.createdAt ?? now,
        lastUsedAt: now,
        warnings: [],
      };
      if (volume.owner !== undefined) {
        await adopted.add(identityOf(volume));
      }
      await registry.add(record);
    } catch (error) {
      ports.releasePort(sshPort, name);
      throw error;
    }
  }
}

function refuseForeign(owner: Owner | undefined, volume: string, { takeOver }: AdoptRequest): void {
  if (owner !== undefined && takeOver !== true) {
    throw new BerthError('in_use', `Volume ${volume} belongs to ${ownerWords(owner)}.`, {
      hint: 'Say `takeOver` (`berth adopt --take-over`) to take it over: that installation then loses its workspace.',
      field: 'takeOver',
    });
  }
}

function describe(
  volume: Volume,
  { name, origin }: { name: string; origin: Adoptable['origin'] },
  runtimes: readonly RuntimeInfo[],
): Adoptable {
  const container = runtimes.find((info) => info.volumes.some((mount) => mount.volume === volume.name));
  const owner = volume.owner ?? container?.owner;
  return {
    name,
    volume: volume.name,
    ...(owner === undefined ? { origin } : { origin: 'berth', owner }),
    ...(container !== undefined && {
      container: container.name,
      containerState: container.state,
      image: container.image,
    }),
  };
}
