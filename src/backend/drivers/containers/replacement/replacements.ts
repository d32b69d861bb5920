/**
 * One container takes the place of another. The old one waits under another name until its successor has done all that
 * a start asks of it, so that whatever ends this process in between leaves at least one of them, with all its files.
 *
 * The steps of a rebuild, and what an engine that is killed after each of them leaves:
 *   1. `setAside`   the old container alone, without its name: it gets it back with the next look (`heal`).
 *   2. `create`     both. The services know from their record that the new one never answered: `takeBack`.
 *   3. its start    both, the new one runs: the same.
 *   4. `dropAside`  the new one alone: the rebuild is done.
 *
 * What a container publishes is fixed when it is made. To give it other ports (`refit`), another one gets its own files
 * (`Moves`) and takes its place: the same steps, but that both have the same files, so that one that is there under the
 * name stays, and `dropAside` of its next start removes the old one.
 */
import { BerthError } from '../../../../api/errors';
import { quote } from '../../../../api/rules/volume-path';
import { KeyedLock } from '../../../machine/keyed-lock';
import type { RefitInfo, RuntimeInfo, RuntimePlan } from '../../driver';
import { ifMissing, isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import type { Helpers } from '../engine/helpers';
import { isAnonymous, label } from '../engine/labels';
import type { Ownership } from '../engine/ownership';
import type { Left } from './carrying';
import type { Log } from '../../../machine/log';
import { Moves } from './moves';
import { PrivateImages, type KeptContainer } from '../images/private-images';
import { stateOf } from '../runtime/runtime-info';
import { dockerDirectory, homeAlias, homeFolder } from '../../../inside/places';
import type { CarriedVolume } from '../runtime/runtime-spec';
import type { Runtimes } from '../runtime/runtimes';
import { waitFor } from '../../../machine/wait';

const asideSuffix = '.before-';
const takeBackTimeoutMs = 30_000;

interface Inspected extends KeptContainer {
  State: { Status: string };
  Mounts: readonly { Type: string; Name?: string; Destination: string; RW: boolean }[];
}

export class Replacements {
  /** Without a container of their name for a moment, which is as it should be. */
  private readonly underWay = new Set<string>();
  /** By name: two that take back at once would remove what the first one has brought. */
  private readonly lock = new KeyedLock();
  private readonly images: PrivateImages;
  private readonly moves: Moves;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly runtimes: Runtimes,
    private readonly ownership: Ownership,
    helpers: Helpers,
    ownFilesSource: () => Promise<Buffer>,
    log: Log,
  ) {
    this.images = new PrivateImages(endpoint, ownership, helpers);
    this.moves = new Moves(endpoint, runtimes, ownership, ownFilesSource, log);
  }

  /**
   * Of a runtime that waits until its successor answers: nobody else makes a name with our id in it. It may be of
   * another installation, while it is taken over.
   */
  isAside({ name }: Pick<RuntimeInfo, 'name'>): boolean {
    return name.endsWith(this.suffix);
  }

  withoutSuffix(aside: string): string {
    return aside.slice(0, -this.suffix.length);
  }

  /** A container of the plan; with the volumes that an image asked for, where one waits aside that has such. */
  async create(plan: RuntimePlan, signal: AbortSignal): Promise<RuntimeInfo> {
    const aside = await this.findAside(plan.name);
    const volumes = aside === undefined ? [] : unplanned(plan, aside.Mounts);
    return this.runtimes.create(plan, signal, { volumes });
  }

  /** A container of the plan in place of the stopped one, with all that this one has outside of volumes. */
  refit(plan: RuntimePlan, signal: AbortSignal): Promise<RefitInfo> {
    return this.lock.run(plan.name, async () => {
      const { name } = plan;
      await this.moves.giveUp(name);
      const old = await this.stopped(name);
      const volumes = unplanned(plan, old.Mounts);
      const left = await this.moves.make(plan, { id: old.Id, image: old.Image, volumes }, signal);
      if (left === undefined) {
        const image = await this.images.keep(name, old, signal);
        return this.inPlaceOf(name, old, () => this.runtimes.create(plan, signal, { image, volumes }));
      }
      return this.inPlaceOf(name, old, () => this.takeName(name, left));
    });
  }

  setAside(name: string, anyOwner: boolean): Promise<void> {
    return this.lock.run(name, async () => {
      await this.moves.giveUp(name);
      const { Id: id } = await this.stopped(name, anyOwner);
      // Left by a start that was cut off after its copy was there: the copy is newer, and has all files of it.
      await this.removeAside(name);
      await this.putAside(name, id);
    });
  }

  /** false: nothing was aside. */
  takeBack(name: string): Promise<boolean> {
    return this.lock.run(name, async () => {
      await this.moves.giveUp(name);
      return this.bringBack(name);
    });
  }

  /** To be called when a container has done all that its start asks of it: nobody needs what was before it. */
  dropAside(name: string): Promise<void> {
    return this.lock.run(name, async () => {
      this.underWay.delete(name);
      if (await this.removeAside(name)) {
        await this.images.tidy(name);
      }
    });
  }

  /** With everything that was kept for it. */
  remove(name: string, anyOwner: boolean): Promise<void> {
    return this.lock.run(name, async () => {
      this.underWay.delete(name);
      await this.moves.giveUp(name);
      await this.runtimes.remove(name, anyOwner);
      await this.removeAside(name);
      await this.images.tidy(name);
    });
  }

  /** Of a runtime that another one is being made for, which has no name of its own yet. */
  isDraft(info: Pick<RuntimeInfo, 'name' | 'owner'>): boolean {
    return this.moves.isDraft(info);
  }

  /** An engine was killed while it moved the files of the runtime of this draft: that one is as it was. */
  async healMove(draft: string): Promise<boolean> {
    const name = this.moves.nameOfDraft(draft);
    return !this.moves.isUnderWay(name) && this.lock.run(name, () => this.moves.giveUp(name));
  }

  /** A move failed and could not be undone: answers whether it is so no more. */
  async healUnfinished(name: string): Promise<boolean> {
    return this.moves.isUnfinished(name) && !this.moves.isUnderWay(name) && this.settle(name);
  }

  /** Before a start: what a move has left of which nobody else has heard is undone. Answers whether there was such. */
  settle(name: string): Promise<boolean> {
    return this.lock.run(name, () => this.moves.giveUp(name));
  }

  /** What the owner of a runtime should know that is as it was before a move, but for this; each is answered once. */
  warningsOf(name: string): string[] {
    const lost = this.moves.takeLost(name).map(quote);
    return lost.length === 0
      ? []
      : [`It was on networks that are gone by now, and is left without them: ${lost.join(', ')}.`];
  }

  /** An engine was killed before there was a new container: the old one gets its name back. Answers whether it was so. */
  async heal(name: string): Promise<boolean> {
    if (name.endsWith(this.suffix) || this.underWay.has(name)) {
      return false;
    }
    return this.lock.run(name, async () => {
      if (this.underWay.has(name) || (await this.findAside(name)) === undefined) {
        return false;
      }
      // What the killed engine asked for last may come only now: then both are there, which is reported as well.
      await this.tryRename(this.asideOf(name), name);
      return true;
    });
  }

  private get suffix(): string {
    return `${asideSuffix}${this.ownership.id.slice(0, 8)}`;
  }

  private asideOf(name: string): string {
    return `${name}${this.suffix}`;
  }

  /** `bring` makes the one that is to have the name. One that the old one was to replace stays the one to go back to. */
  private async inPlaceOf(
    name: string,
    { Id: id }: Inspected,
    bring: () => Promise<RefitInfo>,
  ): Promise<RefitInfo> {
    if ((await this.findAside(name)) === undefined) {
      await this.putAside(name, id);
    } else {
      await this.runtimes.remove(id);
      this.underWay.add(name);
    }
    try {
      return await bring();
    } catch (error) {
      await this.bringBack(name);
      throw error;
    }
  }

  private async takeName(name: string, left: Left): Promise<RefitInfo> {
    const isFree = await this.tryRename(this.moves.draftOf(name), name);
    const info = isFree ? await this.runtimes.inspect(name) : undefined;
    if (info === undefined) {
      throw nameTaken(name);
    }
    return {
      ...info,
      leftBehind: left.map(({ what, count, first }) => `${what} (${count}, the first is ${quote(first)})`),
    };
  }

  /** By its id, as all that changes something here: anybody may take a name that is free for a moment. */
  private async putAside(name: string, id: string): Promise<void> {
    this.underWay.add(name);
    try {
      if (!(await this.tryRename(id, this.asideOf(name)))) {
        throw new BerthError('exists', `A container ${this.asideOf(name)} is in the way.`, {
          hint: 'Find out what it is, then rename or remove it.',
        });
      }
    } catch (error) {
      this.underWay.delete(name);
      throw error;
    }
  }

  private async bringBack(name: string): Promise<boolean> {
    try {
      if ((await this.findAside(name)) === undefined) {
        return false;
      }
      await waitFor(
        async () => {
          await this.removeSuccessor(name);
          // What an engine that was killed asked for last may have come just now.
          return (await this.tryRename(this.asideOf(name), name)) || undefined;
        },
        { what: `the name ${name} to be free`, timeoutMs: takeBackTimeoutMs, intervalMs: 200 },
      );
    } finally {
      this.underWay.delete(name);
    }
    await this.images.tidy(name);
    return true;
  }

  private async removeSuccessor(name: string): Promise<void> {
    const found = await this.inspect(name);
    if (found !== undefined) {
      this.refuseStranger(name, found);
      await this.runtimes.remove(found.Id);
    }
  }

  /** Where one waits aside, what has its name is of ours, or nothing of it may be touched. */
  private refuseStranger(name: string, { Config: config }: Inspected): void {
    if (config.Labels?.[label.installation] !== this.ownership.id) {
      throw nameTaken(name);
    }
  }

  private async removeAside(name: string): Promise<boolean> {
    const isThere = (await this.findAside(name)) !== undefined;
    await (isThere ? this.runtimes.remove(this.asideOf(name), true) : undefined);
    return isThere;
  }

  /** What is being removed just now, as a killed engine has asked for, is nothing to go back to. */
  private async findAside(name: string): Promise<Inspected | undefined> {
    const found = await this.inspect(this.asideOf(name));
    const isGoing = ['removing', 'dead'].includes(found?.State.Status ?? '');
    return isGoing ? undefined : found;
  }

  private async stopped(name: string, anyOwner = false): Promise<Inspected> {
    const found = await this.inspect(name);
    if (found === undefined) {
      throw new BerthError('not_found', `There is no container ${name}.`);
    }
    if (!anyOwner) {
      this.ownership.refuseRuntime(name, found.Config.Labels ?? null);
    }
    if ((await this.findAside(name)) !== undefined) {
      this.refuseStranger(name, found);
    }
    if (stateOf(found.State.Status) !== 'stopped') {
      throw new BerthError('illegal_state', `${name} runs: it can't be replaced.`, {
        hint: 'Stop it first.',
      });
    }
    return found;
  }

  private inspect(name: string): Promise<Inspected | undefined> {
    return this.endpoint.call(
      `look at ${name}`,
      async (docker) =>
        (await docker.getContainer(name).inspect().catch(ifMissing)) as unknown as Inspected | undefined,
    );
  }

  /** false: another container has that name. */
  private tryRename(from: string, to: string): Promise<boolean> {
    return this.endpoint.call(`rename ${from}`, async (docker) => {
      try {
        await docker.getContainer(from).rename({ name: to });
        return true;
      } catch (error) {
        // Podman answers 500.
        if (isStatus(error, 409, 500) && /already in use/i.test(String(error))) {
          return false;
        }
        throw error;
      }
    });
  }
}

function nameTaken(name: string): BerthError {
  return new BerthError('exists', `Another container has the name ${name} now.`, {
    hint: 'Find out what it is, then rename or remove it.',
  });
}

/** Volumes that an image asked for: nobody gave them a name, and they hold files of this container alone. */
function unplanned(plan: RuntimePlan, mounts: Inspected['Mounts']): CarriedVolume[] {
  const docker = plan.dockerVolume === undefined ? [] : [dockerDirectory];
  const planned = new Set([homeFolder, homeAlias, ...docker, ...plan.mounts.map(({ target }) => target)]);
  return mounts.flatMap(({ Type: type, Name: volume, Destination: target }) =>
    type === 'volume' && volume !== undefined && isAnonymous(volume) && !planned.has(target)
      ? [{ volume, target }]
      : [],
  );
}
