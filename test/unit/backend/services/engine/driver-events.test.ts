import assert from 'node:assert/strict';
import { DriverEvents } from '../../../../../src/backend/services/engine/driver-events';
import { Drivers } from '../../../../../src/backend/services/engine/drivers';
import { EventHub } from '../../../../../src/backend/services/operations/event-hub';
import { silentLog } from '../../../../support/engine/engine';
import { FakeDriver } from '../../../../support/fakes/fake-driver';
import { until } from '../../../../support/wait';

describe('services/engine/driver-events', () => {
  it('tells of the volumes of a runtime that started, and calls none deleted that clients never saw', async () => {
    const driver = new FakeDriver();
    const hub = new EventHub();
    const reported: string[] = [];
    hub.subscribe((event) => {
      reported.push(`${event.type} ${'name' in event.payload ? event.payload.name : ''}`);
    });
    driver.volumes.add('workspace-x', 'x');
    driver.addForeign('workspace-x', ['berth-tools-1-0123456789ab', 'workspace-x'], 'x');
    const events = new DriverEvents(new Drivers([driver]), hub, silentLog, (volume) => volume);
    events.start();
    try {
      driver.emit({ type: 'runtime', name: 'workspace-x', workspace: 'x', what: 'started' });
      await until('it is told', () => reported.includes('volume.changed workspace-x'));
      driver.emit({ type: 'volume', name: 'workspace-x.bundle-0', what: 'attached' });
      driver.emit({ type: 'volume', name: 'gone', what: 'removed' });
      await until('it is told', () => reported.includes('volume.deleted gone'));
    } finally {
      events.close();
    }
    assert.deepEqual(reported, ['volume.changed workspace-x', 'volume.deleted gone']);
  });
});
