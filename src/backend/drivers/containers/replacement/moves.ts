/**
 * A container with other ports and the same own files. What it publishes can't be changed, and it can't start while
 * another program has a port of it: so it is taken off its networks and started without being configured, where its
 * init only waits; a new one of the same image is made likewise under a name of its own, and gets the files.
 *
 * Only when all of that is done does the new one take the name, by renaming (`Replacements`). Until then the old one is
 * what there is: a new one that still has its own name, of an engine that was killed, is removed (`giveUp`), and the old
 * one is stopped and gets the networks back which the new one's labels name. Whoever starts it undoes this first, as the
 * old one may still run as it did for the move; once it was configured it is in use, and is not stopped any more.
 */
import type Dockerode from 'dockerode';
import type { RuntimeInfo, RuntimePlan } from '../../driver';
import { carryOwnFiles, type Left } from './carrying';
import { ifMissing, isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { runInside } from '../runtime/exec';
import { isConfiguredCommand } from '../../../inside/init-script';
import { label } from '../engine/labels';
import type { Log } from '../../../machine/log';
import type { Ownership } from '../engine/ownership';
import type { CarriedVolume } from '../runtime/runtime-spec';
import type { Runtimes } from '../runtime/runtimes';

const draftSuffix = '.moving-';
/** Nothing of the user's runs: its init ends at once. */
const stopGraceMs = 5_000;
const lookTimeoutMs = 10_000;

/** As the engine has it: a name to what was asked for there. */
type Networks = Readonly<Record<string, Attachment>>;

type Attachment = Pick<Dockerode.EndpointSettings, 'Aliases' | 'IPAMConfig' | 'DriverOpts'>;

type Nullable<T> = { [Key in keyof T]: T[Key] | null };

interface Seen {
  Id: string;
  State: { Status: string };
  Config: { Labels?: Partial<Record<string, string>> | null };
  NetworkSettings?: { Networks?: Readonly<Record<string, Nullable<Attachment>>> | null };
}

export interface MoveSource {
  /** Of the stopped container. */
  id: string;
  /** Of its image. */
  image: string;
  volumes: readonly CarriedVolume[];
}

export class Moves {
  private readonly underWay = new Set<string>();
  /** Names of which something is left that could not be undone. */
  private readonly unfinished = new Set<string>();
  /** Networks that a runtime did not get back, as they are gone, by its name: for the next start to say. */
  private readonly lost = new Map<string, Set<string>>();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly runtimes: Runtimes,
    private readonly ownership: Ownership,
    /** What copies the own files: see `ownFilesModules`. */
    private readonly source: () => Promise<Buffer>,
    private readonly log: Log,
  ) {}

  /** Of one that is being made. */
  isDraft({ name, owner }: Pick<RuntimeInfo, 'name' | 'owner'>): boolean {
    return owner === undefined && name.endsWith(this.suffix);
  }

  draftOf(name: string): string {
    return `${name}${this.suffix}`;
  }

  nameOfDraft(draft: string): string {
    return draft.slice(0, -this.suffix.length);
  }

  /**
   * Makes the draft, stopped, with all that the old one has outside of volumes. undefined: this engine can take no
   * container off its network. On failure nothing has changed.
   */
  async make(plan: RuntimePlan, from: MoveSource, signal: AbortSignal): Promise<Left | undefined> {
    const { name } = plan;
    this.underWay.add(name);
    try {
      const networks = await this.networksOf(from.id);
      const labels = { [label.moves]: from.id, [label.networks]: JSON.stringify(networks) };
      const taken = { name: this.draftOf(name), image: from.image, volumes: from.volumes, labels };
      const { id } = await this.runtimes.create(plan, signal, taken);
      const left = await this.fill(id, from.id, signal);
      if (left === undefined) {
        await this.undo(name);
        return undefined;
      }
      const gone = await this.rest(id, networks);
      await this.rest(from.id, networks);
      return [...left, ...goneAsLeft(gone)];
    } catch (error) {
      // The first error is the one that tells. What is left is undone with the next look at it, or before its next start.
      this.unfinished.add(name);
      await this.undo(name).catch(() => undefined);
      throw error;
    } finally {
      this.underWay.delete(name);
    }
  }

  isUnderWay(name: string): boolean {
    return this.underWay.has(name);
  }

  /** A move that failed could not be undone: what is there now is not as it was. */
  isUnfinished(name: string): boolean {
    return this.unfinished.has(name);
  }

  /** Undoes what could not be undone, or what an engine that was killed had begun; false: nothing was begun, or it is being done now. */
  async giveUp(name: string): Promise<boolean> {
    return !this.isUnderWay(name) && this.undo(name);
  }

  /** What it did not get back when a move of it was undone; each is answered once. */
  takeLost(name: string): string[] {
    const lost = [...(this.lost.get(name) ?? [])];
    this.lost.delete(name);
    return lost;
  }

  private get suffix(): string {
    return `${draftSuffix}${this.ownership.id.slice(0, 8)}`;
  }

  /** The draft goes last: it is what tells that there is something to undo. */
  private async undo(name: string): Promise<boolean> {
    const draft = await this.look(this.draftOf(name));
    const labels = draft?.Config.Labels ?? {};
    if (draft === undefined || this.ownership.of(labels) !== undefined) {
      this.unfinished.delete(name);
      return false;
    }
    const old = await this.look(labels[label.moves] ?? '');
    if (old !== undefined) {
      const networks = networksIn(labels[label.networks]);
      const isInUse = await this.isInUse(old);
      const gone = await (isInUse ? this.connect(old.Id, networks) : this.rest(old.Id, networks));
      this.lost.set(name, new Set([...(this.lost.get(name) ?? []), ...gone]));
    }
    await this.runtimes.remove(draft.Id);
    this.unfinished.delete(name);
    return true;
  }

  /** It was configured since it was started, so that it is not (only) the move which has started it. */
  private async isInUse({ Id: id, State: { Status: status } }: Seen): Promise<boolean> {
    if (status !== 'running') {
      // Nothing of a move is ever paused.
      return status === 'paused';
    }
    const plan = { argv: isConfiguredCommand, timeoutMs: lookTimeoutMs };
    const { exitCode } = await runInside(this.endpoint, id, plan);
    return exitCode === 0;
  }

  /** undefined: see `make`. */
  private async fill(to: string, from: string, signal: AbortSignal): Promise<Left | undefined> {
    for (const id of [from, to]) {
      if (!(await this.takeOff(id))) {
        return undefined;
      }
      await this.runtimes.start(id);
    }
    return carryOwnFiles(this.endpoint, { from, to, source: await this.source() }, signal);
  }

  /** false: the engine has networks that it takes nothing off, as those of a Podman without root. */
  private async takeOff(id: string): Promise<boolean> {
    const names = Object.keys(await this.networksOf(id));
    return this.endpoint.call(`take ${id} off its networks`, async (docker) => {
      for (const name of names) {
        try {
          await docker.getNetwork(name).disconnect({ Container: id });
        } catch (error) {
          if (isRefused(error)) {
            return false;
          }
          throw error;
        }
      }
      return true;
    });
  }

  /** Stopped, and on these networks; answers which of them are gone. */
  private async rest(id: string, networks: Networks): Promise<string[]> {
    await this.runtimes.stop(id, stopGraceMs);
    return this.connect(id, networks);
  }

  /** Those that somebody has removed meanwhile are left out, and answered: they must not stand in the way of the rest. */
  private async connect(id: string, networks: Networks): Promise<string[]> {
    const has = await this.networksOf(id);
    const missing = Object.entries(networks).filter(([name]) => has[name] === undefined);
    const gone: string[] = [];
    await this.endpoint.call(`put ${id} on its networks`, async (docker) => {
      for (const [name, attachment] of missing) {
        const network = docker.getNetwork(name);
        if ((await network.inspect().catch(ifMissing)) === undefined) {
          gone.push(name);
        } else {
          await network.connect({ Container: id, EndpointConfig: attachment });
        }
      }
    });
    if (gone.length > 0) {
      this.log.warn(
        { container: id, networks: gone },
        'networks of a container are gone: it is left without them',
      );
    }
    return gone;
  }

  private async networksOf(id: string): Promise<Networks> {
    const seen = await this.look(id);
    const networks = Object.entries(seen?.NetworkSettings?.Networks ?? {});
    const real = networks.filter(([name]) => name !== 'none' && name !== 'host');
    return Object.fromEntries(real.map(([name, asked]) => [name, attachmentOf(asked, id)]));
  }

  private look(id: string): Promise<Seen | undefined> {
    return this.endpoint.call(`look at ${id}`, async (docker) =>
      id === ''
        ? undefined
        : ((await docker.getContainer(id).inspect().catch(ifMissing)) as unknown as Seen | undefined),
    );
  }
}

/** What was asked for, not what came of it; a container's own id is an alias that the engine gives itself. */
function attachmentOf({ Aliases, IPAMConfig, DriverOpts }: Nullable<Attachment>, id: string): Attachment {
  const named = (Aliases ?? []).filter((alias) => !id.startsWith(alias));
  return {
    ...(named.length > 0 && { Aliases: named }),
    ...(isFilled(IPAMConfig) && { IPAMConfig }),
    ...(isFilled(DriverOpts) && { DriverOpts }),
  };
}

function goneAsLeft([first, ...others]: readonly string[]): Left {
  return first === undefined ? [] : [{ what: 'networks that are gone', count: others.length + 1, first }];
}

function isFilled<T extends object>(value: T | null | undefined): value is T {
  return Object.keys(value ?? {}).length > 0;
}

/** The label is ours; whoever has it otherwise has no networks to get back. */
function networksIn(text: string | undefined): Networks {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Networks) : {};
  } catch {
    return {};
  }
}

function isRefused(error: unknown): boolean {
  return (
    isStatus(error, 400, 404, 409, 500) &&
    /not supported|invalid network mode|network mode/i.test(String(error))
  );
}
