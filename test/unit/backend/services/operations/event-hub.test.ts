import assert from 'node:assert/strict';
import type { EngineEvent } from '../../../../../src/api/events';
import { EventHub } from '../../../../../src/backend/services/operations/event-hub';

describe('services/operations/event-hub', () => {
  const deleted = (hub: EventHub, name: string) => hub.publish('workspace.deleted', { name });
  const names = (events: EngineEvent[]) =>
    events.map((event) => (event.type === 'workspace.deleted' ? event.payload.name : event.type));

  function follow(hub: EventHub, lastId?: number) {
    const events: EngineEvent[] = [];
    const stop = hub.subscribe((event) => events.push(event), lastId);
    return { events, stop };
  }

  it('gives every subscriber every event, with growing ids, until it stops', () => {
    const hub = new EventHub();
    const [a, b] = [follow(hub), follow(hub)];
    deleted(hub, 'one');
    a.stop();
    deleted(hub, 'two');
    assert.deepEqual(names(a.events), ['one']);
    assert.deepEqual(names(b.events), ['one', 'two']);
    assert(b.events[1]!.id > b.events[0]!.id);
    assert(Number.isSafeInteger(b.events[1]!.id));
    assert.equal(hub.subscriberCount, 1);
  });

  it('resumes after the last id that was seen, missing nothing, repeating nothing', () => {
    const hub = new EventHub();
    const first = follow(hub);
    ['one', 'two', 'three'].forEach((name) => deleted(hub, name));
    const seen = first.events[0]!.id;
    const again = follow(hub, seen);
    assert.deepEqual(names(again.events), ['two', 'three']);
    deleted(hub, 'four');
    assert.deepEqual(names(again.events), ['two', 'three', 'four']);
    assert.deepEqual(names(follow(hub, first.events.at(-1)!.id).events), []);
    assert.deepEqual(names(follow(hub).events), [], 'without an id: from now on');
  });

  it('says reset when what was missed is no longer known, or is of another engine', () => {
    const hub = new EventHub();
    const all = follow(hub);
    for (let count = 0; count < 2_100; count += 1) {
      deleted(hub, String(count));
    }
    const oldest = all.events[0]!.id;
    for (const unknown of [oldest, 1, all.events.at(-1)!.id + 1]) {
      const late = follow(hub, unknown);
      assert.deepEqual(names(late.events), ['reset']);
      assert.equal(late.events[0]!.id, all.events.at(-1)!.id, 'and goes on from the newest');
    }
    assert.deepEqual(names(follow(hub, all.events.at(-3)!.id).events), ['2098', '2099']);
  });

  it('lets an engine that starts anew recognise ids of an earlier one', () => {
    const earlier = new EventHub();
    const seen = follow(earlier);
    deleted(earlier, 'one');
    const later = new EventHub();
    const id = seen.events[0]!.id - 5_000_000;
    assert.deepEqual(names(follow(later, id).events), ['reset']);
  });

  it('calls observers after all subscribers, and does not count them as clients', () => {
    const hub = new EventHub();
    const order: string[] = [];
    const stop = hub.observe((event) => {
      if (event.type === 'workspace.deleted' && event.payload.name === 'one') {
        deleted(hub, 'consequence');
      }
    });
    hub.subscribe((event) => order.push(`a ${names([event])[0]}`));
    hub.subscribe((event) => order.push(`b ${names([event])[0]}`));
    deleted(hub, 'one');
    assert.deepEqual(order, ['a one', 'b one', 'a consequence', 'b consequence']);
    assert.equal(hub.subscriberCount, 2);
    stop();
    deleted(hub, 'one');
    assert.equal(order.length, 6);
  });

  it('goes on when one stops while it is called', () => {
    const hub = new EventHub();
    const stop = hub.subscribe(() => stop());
    const other = follow(hub);
    deleted(hub, 'one');
    assert.deepEqual(names(other.events), ['one']);
    assert.equal(hub.subscriberCount, 1);
  });
});
