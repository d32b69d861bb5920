import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { standIn } from '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { openPort } from '../../../../src/commands/port/open';
import { Cancelled } from '../../../../src/ui/runner';
import { workspace } from '../../providers/fixtures';

describe('commands/port/open', () => {
  const unlinked = useUnlinked();
  let opened: string[];

  beforeEach(() => {
    opened = [];
    mock.method(vscode.env, 'openExternal', (uri: vscode.Uri) => {
      opened.push(uri.toString());
      return Promise.resolve(true);
    });
    mock.method(unlinked().link, 'client', () => Promise.resolve());
  });
  afterEach(() => mock.restoreAll());

  it('opens the port of the clicked row in the browser', async () => {
    const row = { type: 'published', workspace: 'demo', host: 18_080, guest: 8080 };
    await openPort(unlinked())(row, undefined);
    assert.deepEqual(opened, ['http://127.0.0.1:18080/']);
  });

  it('opens the one that was chosen, of those that have an address', async () => {
    const ports = [{ host: 18_080, guest: 8080 }, { guest: 9000 }];
    const { store } = unlinked();
    const spec = { ...workspace('demo').spec, ports };
    store.take({ type: 'workspace.changed', payload: workspace('demo', { spec }) });
    let offered: string[] = [];
    standIn.chosen = (items) => {
      offered = items.map(({ label, description }) => `${label} ${description ?? ''}`);
      return items[0];
    };
    await openPort(unlinked())(undefined, undefined);
    assert.deepEqual(offered, ['Port 8080 of demo 127.0.0.1:18080']);
    assert.deepEqual(opened, ['http://127.0.0.1:18080/']);
  });

  it('says what publishes one where none is published', async () => {
    await assert.rejects(async () => openPort(unlinked())(undefined, undefined), Cancelled);
    assert.deepEqual(opened, []);
    assert.match(JSON.stringify(standIn.messages), /No workspace publishes a port/);
  });
});
