/** One workspace `demo` that runs, in an engine of its own for each test: what the tests of its verbs begin with. */
import type { Workspace } from '../../../src/api/workspaces/schemas';
import { useEngine, type StartOptions, type TestEngine } from './engine';
import type { FakeDriver } from '../fakes/fake-driver';

const runtimeName = 'workspace-demo';

export interface Demo {
  /** The engine of the test that runs. */
  engine: () => TestEngine;
  /** Another one on the same home, which is meant from then on. */
  start: (options?: StartOptions, driver?: FakeDriver) => Promise<TestEngine>;
  home: () => string;
  workspace: () => Workspace;
  runtime: () => ReturnType<FakeDriver['runtimes']['get']>;
  /** Whether the driver was asked for that, since the workspace was made. */
  did: (verb: string) => boolean;
}

export function useDemo(): Demo {
  const { start, home } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
    test.driver.calls.length = 0;
  });
  return {
    ...{ home, engine: () => test },
    start: async (options, driver) => (test = await start(options, driver)),
    workspace: () => test.services.workspaces.get('demo'),
    runtime: () => test.driver.runtimes.get(runtimeName),
    did: (verb) => test.driver.calls.includes(`${verb} ${runtimeName}`),
  };
}
