import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { commandRows } from '../../src/ui/contributions/commands';
import { extension } from './support';

/**
 * The budget is 50 ms. Measured as processor time, which does not grow when the machine is busy with something
 * else; but it counts what VS Code and other extensions do meanwhile, most of all during an activation.
 */
const loadMs = 60;
const activateMs = 200;

async function processorMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('activation', () => {
  it('loads and activates within its budget', async () => {
    const took = await processorMs(() => extension().activate());
    assert.ok(took < activateMs, `it took ${took.toFixed(1)} ms`);
  });

  it('reads its bundle quickly', async () => {
    const path = join(extension().extensionPath, 'dist', 'extension.js');
    const load = createRequire(__filename);
    // Once more than VS Code did: the code is parsed and run anew.
    const cached = load.cache[path];
    load.cache[path] = undefined;
    const took = await processorMs(() => load(path));
    load.cache[path] = cached;
    assert.ok(took < loadMs, `it took ${took.toFixed(1)} ms`);
  });

  it('registers every command before the engine runs', async () => {
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      Object.keys(commandRows).filter((id) => !registered.has(id)),
      [],
    );
  });

  it('starts nothing while nobody looks', () => {
    const home = process.env.BERTH_HOME;
    assert.ok(home, 'BERTH_HOME is set');
    assert.ok(!existsSync(join(home, 'engine.sock')));
  });
});
