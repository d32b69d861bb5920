/** The command line in this process, with an engine of this process that answers it. */
import { EventEmitter } from 'node:events';
import { listen } from '../../../src/backend/listen';
import { createServer } from '../../../src/backend/server/server';
import { socketPath } from '../../../src/api/rules/endpoint';
import { Cli } from '../../../src/cli/cli';
import { Interrupts } from '../../../src/cli/interrupts';
import { run } from '../../../src/cli/program';
import { createStreams, type Invocation } from '../../unit/cli/harness';
import { useEngine, type TestEngine } from './engine';

export interface CallOptions {
  input?: string;
  /** Its standard input does not end. */
  openInput?: boolean;
  env?: NodeJS.ProcessEnv;
}

export interface TestCli extends TestEngine {
  /** One invocation, from start to end. */
  berth(argv: readonly string[], options?: CallOptions): Promise<Invocation>;
}

/** A new engine and a command line for each test. */
export function useCli(): { start: () => Promise<TestCli> } {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()));
  });
  const engines = useEngine();
  const start = async (): Promise<TestCli> => {
    const test = await engines.start();
    const server = await createServer(test.services, '1.0.0');
    closing.push(() => server.close());
    await listen(server, socketPath(test.state.home));
    return Object.assign(test, { berth: invokeOn(test.state.home) });
  };
  return { start };
}

function invokeOn(home: string): TestCli['berth'] {
  return async (argv, { input, openInput, env } = {}) => {
    const streams = createStreams();
    if (input !== undefined) {
      streams.stdin.push(input);
    }
    if (openInput !== true) {
      streams.stdin.push(null);
    }
    const interrupts = new Interrupts(new EventEmitter(), { exit: () => undefined, die: () => undefined });
    const cli = new Cli({
      streams,
      env: { BERTH_HOME: home, ...env },
      cwd: home,
      version: '1.0.0',
      interrupts,
    });
    try {
      const code = await run(argv, cli);
      return { code, ...streams.read() };
    } finally {
      interrupts.dispose();
    }
  };
}
