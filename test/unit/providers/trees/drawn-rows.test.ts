import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { standIn } from '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { DrawnRows } from '../../../../src/providers/trees/drawn-rows';

describe('providers/trees/drawn-rows', () => {
  const waitMs = 5;
  let now: string;
  let redrawn: string[][];
  let rows: DrawnRows<string>;
  const itemOf = (): vscode.TreeItem => new vscode.TreeItem(now);

  beforeEach(() => {
    standIn.reset();
    now = 'creating';
    redrawn = [];
    rows = new DrawnRows<string>(itemOf, (old) => redrawn.push(old), waitMs);
  });
  afterEach(() => rows.dispose());

  it('asks for a row again that changed after it was drawn', async () => {
    rows.drawn('demo', itemOf());
    rows.changed(['demo', 'never drawn']);
    now = 'running';
    await sleep(10 * waitMs);
    assert.deepEqual(redrawn[0], ['demo']);
  });

  it('asks for nothing when what was drawn is so', async () => {
    rows.drawn('demo', itemOf());
    now = 'running';
    rows.changed(['demo']);
    rows.drawn('demo', itemOf());
    await sleep(10 * waitMs);
    assert.deepEqual(redrawn, []);
  });

  it('gives up a row that nobody looks at, until it changes again', async () => {
    rows.drawn('demo', itemOf());
    now = 'running';
    rows.changed(['demo']);
    await sleep(30 * waitMs);
    const asked = redrawn.length;
    assert.ok(asked > 0 && asked <= 5, `${asked} times`);
    await sleep(10 * waitMs);
    assert.equal(redrawn.length, asked);
    rows.changed(['demo']);
    await sleep(10 * waitMs);
    assert.ok(redrawn.length > asked);
  });
});
