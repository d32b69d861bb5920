/**
 * What every driver answers for a runtime that is missing, stopped, running or paused: held by the real ones, and by
 * the one in memory that stands in for them.
 */
import assert from 'node:assert/strict';
import type { Driver, PlannedMount, RuntimePlan } from '../../src/backend/drivers/driver';

export interface ContractBench {
  driver: Driver;
  /** Of a runtime that is not there yet. */
  plan: () => RuntimePlan | Promise<RuntimePlan>;
}

const states = ['missing', 'stopped', 'running', 'paused'] as const;
type State = (typeof states)[number];

/** What the runtime is afterwards, or the code of the error. */
type Outcome = State | { error: string };

const mountKinds = ['volume', 'disk', 'archive'] as const;
const networks = ['on', 'off', 'host-loopback'] as const;

const never = () => new AbortController().signal;

const verbs: Record<string, (driver: Driver, plan: RuntimePlan) => Promise<unknown>> = {
  inspect: (driver, { name }) => driver.inspect(name),
  start: (driver, { name }) => driver.start(name),
  stop: (driver, { name }) => driver.stop(name, 0),
  pause: (driver, { name }) => driver.pause(name),
  resume: (driver, { name }) => driver.resume(name),
  remove: (driver, { name }) => driver.remove(name),
  refit: (driver, plan) => driver.refit(plan, never()),
  setAside: (driver, { name }) => driver.setAside(name),
  takeBack: (driver, { name }) => driver.takeBack(name),
  dropAside: (driver, { name }) => driver.dropAside(name),
  dial: async (driver, { name }) => (await driver.dial(name, 22)).destroy(),
};

const expected: Record<string, Partial<Record<State, Outcome>>> = {
  inspect: { missing: 'missing', stopped: 'stopped', running: 'running', paused: 'paused' },
  start: { missing: { error: 'not_found' }, stopped: 'running', running: 'running' },
  stop: { missing: 'missing', stopped: 'stopped', running: 'stopped', paused: 'stopped' },
  pause: {
    missing: { error: 'not_found' },
    stopped: { error: 'illegal_state' },
    running: 'paused',
    paused: 'paused',
  },
  resume: {
    missing: { error: 'not_found' },
    stopped: { error: 'illegal_state' },
    running: 'running',
    paused: 'running',
  },
  remove: { missing: 'missing', stopped: 'missing', running: 'missing', paused: 'missing' },
  refit: { missing: { error: 'not_found' }, stopped: 'stopped', running: { error: 'illegal_state' } },
  setAside: {
    missing: { error: 'not_found' },
    stopped: 'missing',
    running: { error: 'illegal_state' },
    paused: { error: 'illegal_state' },
  },
  takeBack: { missing: 'missing', running: 'running' },
  dropAside: { missing: 'missing', running: 'running' },
  dial: {
    missing: { error: 'not_found' },
    stopped: { error: 'illegal_state' },
    running: 'running',
    paused: { error: 'illegal_state' },
  },
};

/** One runtime is led through all states. */
export function itKeepsTheContract(bench: () => ContractBench): void {
  /** On the shortest way, as starts may take long. */
  async function bring(plan: RuntimePlan, state: State): Promise<void> {
    const { driver } = bench();
    const { name } = plan;
    const now = (await driver.inspect(name))?.state ?? 'missing';
    if (now === state) {
      return;
    }
    if (state === 'missing') {
      await driver.remove(name);
    } else if (now === 'missing') {
      await driver.create(plan, never());
      await bring(plan, state);
    } else if (state === 'stopped') {
      await driver.stop(name, 0);
    } else if (state === 'paused' && now === 'running') {
      await driver.pause(name);
    } else {
      await (now === 'paused' ? driver.resume(name) : driver.start(name));
      await bring(plan, state);
    }
  }

  /** By force: what ends in order takes its time. */
  async function drop({ name }: RuntimePlan): Promise<void> {
    const { driver } = bench();
    await driver.stop(name, 0);
    await driver.remove(name);
    await driver.dropAside(name);
  }

  async function outcomeOf(verb: string, plan: RuntimePlan): Promise<Outcome> {
    const { driver } = bench();
    try {
      await verbs[verb]?.(driver, plan);
    } catch (error) {
      return { error: (error as { code?: string }).code ?? String(error) };
    }
    return (await driver.inspect(plan.name))?.state ?? 'missing';
  }

  for (const [verb, outcomes] of Object.entries(expected)) {
    it(`${verb}: of a runtime that is ${Object.keys(outcomes).join(', ')}`, async () => {
      const plan = await bench().plan();
      for (const state of states.filter((each) => outcomes[each] !== undefined)) {
        await bring(plan, state);
        assert.deepEqual(await outcomeOf(verb, plan), outcomes[state], `${verb} of one that is ${state}`);
      }
      await drop(plan);
    });
  }

  it('features: what they do not name is refused before anything is made, and what they name is there', async () => {
    const { driver } = bench();
    const plan = await bench().plan();
    const { features } = driver;
    const mount = (kind: (typeof mountKinds)[number]): PlannedMount => ({
      ...{ kind, source: '/none', target: '/none', readOnly: false },
    });
    const beyond = [
      ...networks.filter((each) => !features.networks.includes(each)).map((network) => ({ network })),
      ...mountKinds
        .filter((each) => !features.mounts.includes(each))
        .map((kind) => ({ mounts: [mount(kind)] })),
      ...(features.portsWithoutNetwork ? [] : [{ network: 'off' as const, ports: [{ host: 1, guest: 1 }] }]),
    ];
    for (const wanted of beyond) {
      await assert.rejects(driver.create({ ...plan, ...wanted }, never()), { code: 'not_supported' });
      assert.equal(await driver.inspect(plan.name), undefined, JSON.stringify(wanted));
    }
    assert.equal(driver.commit !== undefined, features.commit !== undefined);
    const home = features.volumeKinds[0];
    const found = await driver.create(plan, never()).then(() => driver.volumes.inspect(plan.homeVolume));
    assert.equal(found?.kind, home);
    await driver.remove(plan.name);
  });

  it('of several calls for one name at once each is done before or after the others', async () => {
    const { driver } = bench();
    const plan = await bench().plan();
    const made = await Promise.allSettled([1, 2].map(() => driver.create(plan, never())));
    const failed = made.flatMap((each) =>
      each.status === 'rejected' ? [each.reason as { code?: string }] : [],
    );
    assert.deepEqual(
      failed.map(({ code }) => code),
      ['exists'],
    );
    const started = await Promise.all([driver.start(plan.name), driver.start(plan.name)]);
    assert.deepEqual(
      started.map(({ state }) => state),
      ['running', 'running'],
    );
    await Promise.all([driver.pause(plan.name), driver.pause(plan.name)]);
    assert.equal((await driver.inspect(plan.name))?.state, 'paused');
    await Promise.all([driver.resume(plan.name), driver.resume(plan.name)]);
    await Promise.all([driver.stop(plan.name, 0), driver.stop(plan.name, 0)]);
    assert.equal((await driver.inspect(plan.name))?.state, 'stopped');
    await Promise.all([driver.remove(plan.name), driver.remove(plan.name)]);
    assert.equal(await driver.inspect(plan.name), undefined);
  });

  it('setAside, create, takeBack: the first one is back; dropAside: the second one stays', async () => {
    const { driver } = bench();
    const plan = await bench().plan();
    const first = await driver.create(plan, never());
    await driver.setAside(plan.name);
    const second = await driver.create(plan, never());
    assert.notEqual(second.id, first.id);
    assert.equal((await driver.list()).filter(({ workspace }) => workspace === plan.workspace).length, 1);
    assert.equal(await driver.takeBack(plan.name), true);
    assert.equal((await driver.inspect(plan.name))?.id, first.id);
    assert.equal(await driver.takeBack(plan.name), false);
    assert.equal((await driver.inspect(plan.name))?.id, first.id);
    await driver.setAside(plan.name);
    const third = await driver.create(plan, never());
    await driver.dropAside(plan.name);
    assert.equal(await driver.takeBack(plan.name), false);
    assert.equal((await driver.inspect(plan.name))?.id, third.id);
    await driver.remove(plan.name);
    assert.equal(await driver.inspect(plan.name), undefined);
  });

  it('refit of one that replaces another: that other one is still there to go back to', async () => {
    const { driver } = bench();
    const plan = await bench().plan();
    const first = await driver.create(plan, never());
    await driver.setAside(plan.name);
    await driver.create(plan, never());
    const { sshPort } = await bench().plan();
    assert.equal((await driver.refit({ ...plan, sshPort }, never())).sshPort, sshPort);
    assert.equal(await driver.takeBack(plan.name), true);
    const back = await driver.inspect(plan.name);
    assert.deepEqual([back?.id, back?.sshPort], [first.id, plan.sshPort]);
    await driver.remove(plan.name);
  });
}
