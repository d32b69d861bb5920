import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { commandIds } from '../../src/commands/ids';
import { extension } from './support';

/** The budget is 50 ms; a machine that is busy with other tests gets some more. */
const budgetMs = 100;

describe('activation', () => {
  it('loads and activates within its budget', async () => {
    const started = performance.now();
    await extension().activate();
    const took = performance.now() - started;
    assert.ok(took < budgetMs, `it took ${took.toFixed(1)} ms`);
  });

  it('reads its bundle quickly', () => {
    const path = join(extension().extensionPath, 'dist', 'extension.js');
    const load = createRequire(__filename);
    // Once more than VS Code did: the code is parsed and run anew.
    const cached = load.cache[path];
    load.cache[path] = undefined;
    const started = performance.now();
    load(path);
    const took = performance.now() - started;
    load.cache[path] = cached;
    assert.ok(took < budgetMs, `it took ${took.toFixed(1)} ms`);
  });

  it('registers every command before the engine runs', async () => {
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      commandIds.filter((id) => !registered.has(id)),
      [],
    );
  });

  it('starts nothing while nobody looks', () => {
    const home = process.env.BERTH_HOME;
    assert.ok(home, 'BERTH_HOME is set');
    assert.ok(!existsSync(join(home, 'engine.sock')));
  });
});
