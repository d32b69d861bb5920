/** A microVM that is fitted to other ports, or waits until another one answers in its place. */
import { BerthError } from '../../../../api/errors';
import type { RuntimeInfo, RuntimePlan, RuntimeState } from '../../driver';
import { Aside } from './aside';
import type { DiskStore } from '../parts';
import { makeVolumes } from './plan-volumes';
import { toInfo } from './runtime-info';
import type { RuntimeLock } from './runtime-lock';
import type { RuntimeRecord } from './runtime-record';
import type { RuntimeStore } from './runtime-store';

export interface ReplacementsDeps {
  store: RuntimeStore;
  disks: DiskStore;
  /** Of all that is done to a microVM, by its name. */
  lock: RuntimeLock;
  stateOf: (record: RuntimeRecord) => Promise<RuntimeState>;
  /** Its QEMU does, with the ports that it was started with; not so one that is paused on disk. */
  runs: (record: RuntimeRecord) => Promise<boolean>;
  /** At once. */
  end: (record: RuntimeRecord) => Promise<unknown>;
}

export class Replacements {
  private readonly aside: Aside;
  private healing: Promise<void> | undefined;

  constructor(private readonly deps: ReplacementsDeps) {
    this.aside = new Aside(deps.store.files);
  }

  /** Once: what an engine that was killed had begun. */
  heal(): Promise<void> {
    this.healing ??= this.healAll();
    return this.healing;
  }

  /** Ports are a matter of the start; volumes that are missing are made. */
  async refit(plan: RuntimePlan): Promise<RuntimeInfo> {
    return this.deps.lock.runTaking(plan.name, async () => {
      const { store, disks } = this.deps;
      const before = await store.get(plan.name);
      if (await this.deps.runs(before)) {
        throw runs(plan.name, "can't be given other ports");
      }
      const state = await this.deps.stateOf(before);
      if (state === 'stopped') {
        await makeVolumes(disks, plan, []);
      }
      const { sshPort, ports } = plan;
      const record = await store.change(plan.name, {
        plan: { ...before.plan, sshPort, ...(ports !== undefined && { ports }) },
      });
      return toInfo(record, state);
    });
  }

  async setAside(name: string): Promise<void> {
    await this.deps.lock.run(name, async () => {
      if ((await this.deps.stateOf(await this.deps.store.get(name))) !== 'stopped') {
        throw runs(name, "can't be replaced");
      }
      await this.aside.put(name);
      await this.deps.disks.release({ runtime: name });
    });
  }

  /** false: nothing was aside. */
  async takeBack(name: string): Promise<boolean> {
    return this.deps.lock.run(name, async () => {
      if (!(await this.aside.isThere(name))) {
        return false;
      }
      const record = await this.deps.store.find(name);
      await (record === undefined ? undefined : this.deps.end(record));
      await this.deps.disks.release({ runtime: name });
      await this.aside.takeBack(name);
      return true;
    });
  }

  /** To be called when it has done all that its start asks of it: nobody needs what was before it. */
  async dropAside(name: string): Promise<void> {
    await this.deps.lock.run(name, () => this.aside.drop(name));
  }

  private async healAll(): Promise<void> {
    const names = await this.deps.store.names();
    await Promise.all(names.map((name) => this.aside.heal(name)));
  }
}

function runs(name: string, what: string): BerthError {
  return new BerthError('illegal_state', `${name} runs: it ${what}.`, { hint: 'Stop it first.' });
}
