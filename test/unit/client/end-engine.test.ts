import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { endEngine, endEngineOf } from '../../../src/client/end-engine';
import { EngineClient } from '../../../src/client/engine-client';
import { currentOwner } from '../../../src/backend/machine/lock-owner';
import { useTempFolder } from '../../support/temp';

/** Listens as an engine does, and answers nothing. */
const hanging = `
  process.on('SIGTERM', () => {});
  require('node:http').createServer(() => {}).listen(process.argv[1], () => process.send('listening'));
`;

describe('client/end-engine', () => {
  const home = useTempFolder();
  let child: ChildProcess;
  let client: EngineClient;
  let warnings: string[];

  beforeEach(async () => {
    const socket = join(home(), 'engine.sock');
    child = spawn(process.execPath, ['-e', hanging, socket], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    await once(child, 'message');
    client = new EngineClient(socket);
    warnings = [];
  });
  afterEach(() => {
    client.dispose();
    child.kill('SIGKILL');
  });

  const lock = (more: object = {}) =>
    writeFileSync(
      join(home(), 'engine.lock'),
      JSON.stringify({ ...currentOwner(), pid: child.pid, ...more }),
    );
  const endIt = (pid = child.pid) =>
    endEngine(client, home(), pid, { timeoutMs: 300, warn: (text) => warnings.push(text) });

  it('ends the process of one that hangs', async () => {
    lock();
    const gone = once(child, 'exit');
    await endIt();
    await gone;
    assert.equal(child.signalCode, 'SIGKILL');
    assert(
      warnings.some((text) => text.includes(`SIGKILL to its process ${child.pid}`)),
      warnings.join(),
    );
  });

  it('ends one that hangs for whoever knows its state directory alone', async () => {
    lock();
    const gone = once(child, 'exit');
    const options = { timeoutMs: 300, warn: (text: string) => warnings.push(text) };
    assert.equal(await endEngineOf(home(), options), true);
    await gone;
    assert.equal(child.signalCode, 'SIGKILL');
    assert.equal(await endEngineOf(home(), options), false);
  });

  it('is done when another engine answers, which somebody has started meanwhile', async () => {
    const socket = join(home(), 'next.sock');
    const next = createServer((_, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ pid: process.pid })),
    );
    next.listen(socket);
    await once(next, 'listening');
    const toNext = new EngineClient(socket);
    try {
      const options = { timeoutMs: 300, warn: (text: string) => warnings.push(text) };
      await endEngine(toNext, home(), child.pid, options);
      assert.deepEqual(warnings, []);
      assert.equal(child.exitCode ?? child.signalCode, null);
    } finally {
      toNext.dispose();
      next.close();
    }
  });

  it('leaves a process alone that is not known to be that engine', async () => {
    for (const [more, pid] of [
      [{ pidNamespace: 'pid:[1]' }, child.pid],
      [{ hostName: 'elsewhere.example' }, child.pid],
      [{ pid: process.pid }, child.pid],
      [{}, process.pid],
    ] as const) {
      lock(more);
      await assert.rejects(endIt(pid), { code: 'timeout' });
    }
    assert.equal(child.exitCode ?? child.signalCode, null);
  });
});
