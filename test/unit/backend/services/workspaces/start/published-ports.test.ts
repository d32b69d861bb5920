import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { PortLedger } from '../../../../../../src/backend/ssh/ports';
import {
  movePorts,
  portsNamedIn,
  reservePorts,
} from '../../../../../../src/backend/services/workspaces/start/published-ports';
import { useEngine, type TestEngine } from '../../../../../support/engine/engine';
import { failure } from '../../../../../support/errors';
import { occupy, ownPortRange, vacate } from '../../../../../support/ports';

describe('services/workspaces/start/published-ports', () => {
  const range = ownPortRange(20);
  const at = (offset: number): number => range.first + offset;

  describe('reserving', () => {
    let ledger: PortLedger;
    beforeEach(() => (ledger = new PortLedger(() => range)));

    it('takes what is named, and the lowest that is free for what is not', async () => {
      const ports = await reservePorts(ledger, 'one', [
        { guest: 80 },
        { host: at(9), guest: 81 },
        { guest: 82 },
      ]);
      assert.deepEqual(
        ports.map(({ guest }) => guest),
        [80, 81, 82],
      );
      assert.equal(ports[1]?.host, at(9));
      assert(ports.every(({ host }) => ledger.ownerOf(host) === 'one'));
    });

    it('keeps the port of one that stays', async () => {
      const before = await reservePorts(ledger, 'one', [{ guest: 80 }]);
      const after = await reservePorts(ledger, 'one', [{ guest: 81 }, { guest: 80 }], before);
      assert.equal(after[1]?.host, before[0]?.host);
      assert.notEqual(after[0]?.host, before[0]?.host);
    });

    it('pins what the user names, also one that Berth had chosen; what is sent back stays as it was', async () => {
      const before = await reservePorts(ledger, 'one', [{ guest: 80 }]);
      assert.deepEqual(await reservePorts(ledger, 'one', before, before), before);
      const { host = 0 } = before[0] ?? {};
      const pinned = await reservePorts(ledger, 'one', [{ host, guest: 80 }], before);
      assert.deepEqual(pinned, [{ host, guest: 80 }]);
      assert.deepEqual(await reservePorts(ledger, 'one', [{ guest: 80 }], pinned), pinned);
    });

    it('gives back what it has moved to when not all can move', async () => {
      const small = { first: at(0), last: at(2) };
      const few = new PortLedger(() => small);
      const ports = await reservePorts(few, 'one', [{ guest: 80 }, { guest: 81 }]);
      const refused = new Set(ports.map(({ host }) => host));
      await failure(movePorts(few, 'one', ports, refused), 'capacity');
      assert.equal(few.ownerOf(at(2)), undefined);
    });

    it('knows the ports that a refusal names', () => {
      const said = 'Bind for 127.0.0.1:2201 failed: port 8080 is taken, and 9 others';
      assert.deepEqual([...portsNamedIn(said)], [2201, 8080]);
    });

    it('refuses what somebody has, naming the field, and keeps nothing of the rest', async () => {
      await reservePorts(ledger, 'one', [{ host: at(3), guest: 80 }]);
      const ours = reservePorts(ledger, 'two', [
        { host: at(4), guest: 80 },
        { host: at(3), guest: 81 },
      ]);
      const error = await failure(ours, 'in_use');
      assert.equal(error.field, 'ports.1.host');
      assert.match(error.message, /workspace one/);
      assert.equal(ledger.ownerOf(at(4)), undefined);
      const server = await occupy(at(5), '127.0.0.1');
      try {
        const theirs = reservePorts(ledger, 'two', [{ host: at(5), guest: 80 }]);
        assert.match(
          (await failure(theirs, 'in_use')).message,
          new RegExp(`is used by \\S+ \\(process ${process.pid}\\)`),
        );
        assert.equal(ledger.ownerOf(at(5)), undefined);
      } finally {
        await vacate(server);
      }
    });

    it('refuses to have one twice', async () => {
      const same = { host: at(1), guest: 80 };
      for (const ports of [
        [same, { ...same, guest: 81 }],
        [{ guest: 80 }, { guest: 80 }],
      ]) {
        assert.equal((await failure(reservePorts(ledger, 'one', ports), 'bad_request')).field, 'ports.1');
      }
    });
  });

  describe('of workspaces', () => {
    const { start } = useEngine();
    let test: TestEngine;
    beforeEach(async () => {
      test = await start();
      await test.create('demo', { ports: [{ guest: 8080 }, { host: at(15), guest: 9090 }] });
    });
    const workspace = () => test.services.workspaces.get('demo');

    it('are in the record, in the plan and in the ledger, also of the next engine', async () => {
      const ports = workspace().spec.ports!;
      assert.deepEqual(
        ports.map(({ guest, host }) => [guest, typeof host]),
        [
          [8080, 'number'],
          [9090, 'number'],
        ],
      );
      assert.notEqual(ports[0]?.host, workspace().sshPort);
      assert.deepEqual(
        test.driver.plans.get('workspace-demo')?.ports,
        ports.map(({ host, guest }) => ({ host, guest })),
      );
      assert.deepEqual(
        ports.map(({ chosen }) => chosen),
        [true, undefined],
      );
      assert.match(await readFile(test.state.workspaceRecord('demo'), 'utf8'), new RegExp(`${at(15)}`));
      const next = await start();
      await failure(
        next.services.creator.create({ name: 'other', ports: [{ host: at(15), guest: 1 }] }),
        'in_use',
      );
    });

    it('are refused with nothing made when one is taken', async () => {
      const other = test.services.creator.create({
        name: 'other',
        ports: [{ guest: 1 }, { host: at(15), guest: 2 }],
      });
      assert.equal((await failure(other, 'in_use')).field, 'ports.1.host');
      await failure(() => test.services.workspaces.get('other'), 'not_found');
    });

    it('are changed as a whole; what needs a rebuild is told until it is done or taken back', async () => {
      const before = workspace().spec.ports!;
      const shown = await test.services.workspaces.update('demo', { ports: [{ guest: 8080 }, { guest: 7 }] });
      assert.equal(shown.spec.ports?.[0]?.host, before[0]?.host);
      assert.equal(shown.warnings[0]?.code, 'ports');
      await test.services.workspaces.update('demo', { ports: before });
      assert.deepEqual(workspace().warnings, []);
      await test.services.workspaces.update('demo', { ports: [] });
      await test.done(test.services.verbs.rebuild('demo', { confirm: true }));
      assert.deepEqual(workspace().warnings, []);
      assert.deepEqual(test.driver.plans.get('workspace-demo')?.ports, []);
      await test.create('other', { ports: [{ host: at(15), guest: 1 }] });
    });

    it('stay as they were when the runtime refuses them', async () => {
      const before = workspace().spec.ports;
      test.driver.fail('setPorts', new Error('no'));
      await assert.rejects(test.services.workspaces.update('demo', { ports: [{ host: at(16), guest: 1 }] }));
      assert.deepEqual(workspace().spec.ports, before);
      await test.create('other', { ports: [{ host: at(16), guest: 1 }] });
    });

    it('keep it from starting while another program has one, which is said', async () => {
      await test.done(test.services.verbs.stop('demo'));
      const server = await occupy(at(15), '127.0.0.1');
      try {
        const { status, error } = await test.done(test.services.verbs.start('demo'));
        assert.deepEqual([status, error?.code, error?.field], ['failed', 'in_use', 'ports.1.host']);
      } finally {
        await vacate(server);
      }
      assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
    });
  });
});
