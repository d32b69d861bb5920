import assert from 'node:assert/strict';
import type { Server } from 'node:net';
import { PortLedger, defaultPortRange, isFree } from '../../../../src/backend/ssh/ports';
import { failure } from '../../../support/errors';
import { occupy, ownPortRange, vacate } from '../../../support/ports';

describe('ssh/ports', () => {
  let servers: Server[];
  beforeEach(() => (servers = []));
  afterEach(() => Promise.all(servers.map(vacate)));

  async function taken(port: number, host: string): Promise<void> {
    servers.push(await occupy(port, host));
  }

  for (const host of ['0.0.0.0', '127.0.0.1', '::', '::1']) {
    it(`sees a port that another program has on ${host}`, async () => {
      const range = ownPortRange();
      assert.equal(await isFree(range.first), true);
      await taken(range.first, host);
      assert.equal(await isFree(range.first), false);
      assert.equal(await new PortLedger(() => range).assign('demo'), range.first + 1);
    });
  }

  it('gives the lowest first, keeps it, and gives it again once released', async () => {
    const range = ownPortRange();
    const ledger = new PortLedger(() => range);
    assert.equal(await ledger.assign('a'), range.first);
    assert.equal(await ledger.assign('b'), range.first + 1);
    assert.equal(ledger.ownerOf(range.first), 'a');
    ledger.release('a');
    assert.equal(ledger.ownerOf(range.first), undefined);
    assert.equal(await ledger.assign('c'), range.first);
  });

  it('leaves the ports of stopped workspaces alone: they are reserved in records', async () => {
    const range = ownPortRange();
    const ledger = new PortLedger(() => range);
    ledger.reserve(range.first, 'stopped');
    ledger.reserve(range.first + 2, 'other');
    assert.equal(await ledger.assign('a'), range.first + 1);
    assert.equal(await ledger.assign('b'), range.first + 3);
  });

  it('never gives the same port twice, to ten at once', async () => {
    const range = ownPortRange();
    const ledger = new PortLedger(() => range);
    const ports = await Promise.all(Array.from({ length: 10 }, (_, index) => ledger.assign(`w${index}`)));
    assert.equal(new Set(ports).size, 10);
    assert.equal(Math.max(...ports), range.first + 9);
  });

  it('says so when the range is exhausted, and goes on when there is room again', async () => {
    const range = ownPortRange(2);
    const ledger = new PortLedger(() => range);
    await ledger.assign('a');
    await ledger.assign('b');
    const error = await failure(ledger.assign('c'), 'capacity');
    assert.equal(error.message, `No available port in range ${range.first}-${range.last}.`);
    assert.match(error.hint ?? '', /widen the port range/);
    ledger.release('b');
    assert.equal(await ledger.assign('c'), range.last);
  });

  it('releases one port only from its owner', () => {
    const ledger = new PortLedger(() => defaultPortRange);
    ledger.reserve(2200, 'a');
    ledger.releasePort(2200, 'b');
    assert.equal(ledger.ownerOf(2200), 'a');
    ledger.releasePort(2200, 'a');
    assert.equal(ledger.ownerOf(2200), undefined);
    assert.deepEqual(defaultPortRange, { first: 2200, last: 2400 });
  });
});
