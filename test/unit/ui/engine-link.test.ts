import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from '../../../src/backend/server/server';
import { listen } from '../../../src/backend/listen';
import { endEngineOf } from '../../../src/client/end-engine';
import { EngineLink, type LinkState } from '../../../src/ui/engine-link';
import { SentSettings } from '../../../src/ui/sent-settings';
import { Store } from '../../../src/ui/store';
import { EngineProcess, enginePath } from '../../support/engine/engine-process';
import { useServer } from '../../support/engine/server';
import { TestMemory } from '../../support/vscode/memory';
import { useTempFolder } from '../../support/temp';
import { until } from '../../support/wait';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('the line to the engine', () => {
  const { start } = useServer();
  let engine: Awaited<ReturnType<typeof start>>;
  let link: EngineLink;
  let states: LinkState['kind'][];

  beforeEach(async () => {
    engine = await start();
    const launch = () => ({ enginePath: '/not/there.js', version: '1.0.0', home: dirname(engine.socket) });
    link = new EngineLink(
      { launch, settings: new SentSettings(new TestMemory(), () => ({})), isWatched: () => true },
      new Store(),
      quiet,
    );
    states = [];
    link.onDidChange(({ kind }) => states.push(kind));
    await link.client();
  });
  afterEach(() => link.dispose());

  it('is ready when all is known', () => {
    assert.deepEqual(states, ['starting', 'ready']);
  });

  it('is mended when it breaks', async () => {
    engine.server.server.closeAllConnections();
    await until('it is back', () => states.length === 4);
    assert.deepEqual(states, ['starting', 'ready', 'starting', 'ready']);
  });

  it('stays cut when the engine was told to end, until somebody starts one', async () => {
    await engine.server.close();
    await until('it is stopped', () => link.state.kind === 'stopped');
    assert.deepEqual(states, ['starting', 'ready', 'stopped']);
    const again = await createServer(engine.services, '1.0.0');
    try {
      await listen(again, engine.socket);
      await until('it is back', () => link.state.kind === 'ready');
    } finally {
      link.dispose();
      await again.close();
    }
  });

  it('watches on when it may not start anything for now: the engine that comes later is used', async () => {
    const now = Date.now;
    const listenAgain = async () => {
      const again = await createServer(engine.services, '1.0.0');
      await listen(again, engine.socket);
      return again;
    };
    // More often than it may within a minute, as when windows of two versions take turns.
    for (let breaks = 1; link.state.kind !== 'stopped'; breaks += 1) {
      engine.server.server.closeAllConnections();
      await until('it has seen that', () => states.length === 2 + 2 * breaks || states.at(-1) === 'stopped');
    }
    await engine.server.close();
    const early = await listenAgain();
    await sleep(100);
    assert.equal(link.state.kind, 'stopped');
    await early.close();
    Date.now = () => now() + 61_000;
    const late = await listenAgain();
    try {
      await until('it is back', () => link.state.kind === 'ready');
    } finally {
      Date.now = now;
      link.dispose();
      await late.close();
    }
  });
});

describe('the line to an engine that hangs', function () {
  this.timeout(60_000);
  const temp = useTempFolder();

  it('ends it and starts another, also in a window that it has never answered', async () => {
    const home = join(temp(), 'home');
    const hanging = await EngineProcess.start(home);
    process.kill(hanging.pid, 'SIGSTOP');
    const launch = () => ({ enginePath, version: '1.0.0', home });
    const settings = new SentSettings(new TestMemory(), () => ({}));
    const link = new EngineLink(
      { launch, settings, isWatched: () => true, endTimeoutMs: 500 },
      new Store(),
      quiet,
    );
    try {
      await link.restart();
      assert(link.state.kind === 'ready');
      assert.notEqual(link.state.info.pid, hanging.pid);
      assert.equal(await hanging.exited, 'SIGKILL');
    } finally {
      link.dispose();
      if (hanging.isRunning) {
        process.kill(hanging.pid, 'SIGKILL');
      }
      await endEngineOf(home, { warn: () => undefined });
    }
  });
});
