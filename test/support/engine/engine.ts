/** An engine in this process: everything of it is real but the runtime product, and the clock if asked for. */
import type { EngineEvent, EventType } from '../../../src/api/events';
import type { Operation } from '../../../src/api/operations/schemas';
import type { WorkspaceCreate } from '../../../src/api/workspaces/schemas';
import { createEngine, type Engine, type EngineOptions } from '../../../src/backend/engine';
import type { Log } from '../../../src/backend/machine/log';
import { Settings } from '../../../src/backend/services/engine/settings';
import { StateDirectory } from '../../../src/backend/store/state-directory';
import { FakeDriver } from '../fakes/fake-driver';
import { ownPortRange } from '../ports';
import { useTempFolder } from '../temp';

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface TestEngine {
  driver: FakeDriver;
  state: StateDirectory;
  engine: Engine;
  services: Engine['services'];
  events: EngineEvent[];
  exits: number;
  /** Waits for the end of an operation. */
  done(operation: Operation | Promise<Operation>): Promise<Operation>;
  create(name: string, more?: Partial<WorkspaceCreate>): Promise<Operation>;
  payloads<T extends EventType>(type: T): (EngineEvent & { type: T })['payload'][];
}

export type StartOptions = Partial<Omit<EngineOptions, 'state' | 'settings' | 'makeDrivers' | 'exit'>>;

/** Starts engines on one home, a fresh one for each test; all are closed at its end. */
export function useEngine(): {
  start: (options?: StartOptions, driver?: FakeDriver) => Promise<TestEngine>;
  home: () => string;
} {
  const running = new Set<Engine>();
  const range = ownPortRange(40);
  // Before the folder goes: hooks run in the order in which they are given.
  afterEach(async () => {
    await Promise.all([...running].map((engine) => engine.close()));
    running.clear();
  });
  const home = useTempFolder();
  const start = async (options: StartOptions = {}, driver = new FakeDriver()): Promise<TestEngine> => {
    const state = new StateDirectory(home());
    await state.ensure();
    const settings = new Settings(state.settings);
    await settings.load();
    if (settings.get().portRange === undefined) {
      await settings.change({ portRange: range });
    }
    const engine = createEngine({
      ...{ state, settings, version: '1.0.0', idleExitMs: 60_000, log: silentLog },
      makeDrivers: () => [driver],
      recoverDelaysMs: [1, 1, 1],
      exit: () => void (test.exits += 1),
      ...options,
    });
    running.add(engine);
    const test = testEngine(engine, driver, state);
    await engine.load();
    return test;
  };
  return { start, home };
}

function testEngine(engine: Engine, driver: FakeDriver, state: StateDirectory): TestEngine {
  const { services } = engine;
  const events: EngineEvent[] = [];
  services.events.observe((event) => events.push(event));
  const done = async (operation: Operation | Promise<Operation>) =>
    services.operations.wait((await operation).id, 10_000);
  return {
    ...{ driver, state, engine, services, events, exits: 0, done },
    create: (name, more = {}) => done(services.creator.create({ name, ...more })),
    payloads: (type) => events.flatMap((event) => (event.type === type ? [event.payload as never] : [])),
  };
}
