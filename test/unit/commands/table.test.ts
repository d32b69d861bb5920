import assert from 'node:assert/strict';
import '../../support/vscode/stand-in';
import { rareTable } from '../../../src/commands/rare';
import { commandTable } from '../../../src/commands/table';
import { commandRows } from '../../../src/ui/contributions/commands';

describe('commands/table', () => {
  it('has a handler for each command of package.json, and makes them all without touching anything', () => {
    // Whatever a handler needs it takes when it runs: a window must not wait for it when it opens.
    const touched: string[] = [];
    const untouchable = (name: string): object =>
      new Proxy(
        {},
        { get: (_, key) => (touched.push(`${name}.${String(key)}`), (): undefined => undefined) },
      );
    const context = { subscriptions: [] };
    const services = new Proxy(
      {},
      { get: (_, key) => (key === 'context' ? context : untouchable(String(key))) },
    );
    const table = commandTable(services as Parameters<typeof commandTable>[0]);
    assert.deepEqual(Object.keys(table).sort(), Object.keys(commandRows).sort());
    const rare = rareTable(services as Parameters<typeof rareTable>[0]);
    for (const id of Object.keys(rare)) assert.ok(id in table, id);
    assert.deepEqual(touched, []);
  });
});
