import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AgentChannel } from '../../../../../src/backend/files/agent/channel';
import { type AgentSession, LeasedChannel } from '../../../../../src/backend/files/agent/leased-channel';
import { turns, until } from '../../../../support/wait';

class Agents {
  readonly events: string[] = [];
  /** Fails, or is waited for. */
  starting: () => Promise<void> = () => Promise.resolve();
  ending: () => Promise<void> = () => Promise.resolve();
  last: PassThrough | undefined;
  private count = 0;

  readonly start = async (): Promise<AgentSession> => {
    const number = ++this.count;
    this.events.push(`start ${number}`);
    await this.starting();
    const output = (this.last = new PassThrough());
    const channel = new AgentChannel(new PassThrough(), output);
    const end = async (isLost: boolean): Promise<void> => {
      this.events.push(`${isLost ? 'lost' : 'end'} ${number}`);
      channel.end();
      await this.ending();
      this.events.push(`ended ${number}`);
    };
    return { channel, end };
  };
}

/** Resolves when `go` is called. */
function gate(): { opened: () => Promise<void>; go: () => void } {
  let go = (): void => undefined;
  const promise = new Promise<void>((resolve) => (go = resolve));
  return { opened: () => promise, go };
}

describe('a leased channel', () => {
  const longMs = 60_000;

  it('is opened once for all who ask, and not before', async () => {
    const agents = new Agents();
    const lease = new LeasedChannel(agents.start, longMs);
    lease.hold();
    await turns();
    assert.deepEqual([agents.events, lease.isOpen, await lease.current()], [[], false, undefined]);
    const [one, two] = await Promise.all([lease.channel(), lease.channel()]);
    assert.equal(one, two);
    assert.deepEqual(agents.events, ['start 1']);
    await lease.close();
  });

  it('is closed when it was not needed for a while, also when nobody ever held it', async () => {
    const agents = new Agents();
    const lease = new LeasedChannel(agents.start, 30);
    await lease.channel();
    await until('it is closed', () => agents.events.includes('ended 1'));
    const release = lease.hold();
    await lease.channel();
    const other = lease.hold();
    release();
    release();
    await sleep(90);
    assert.ok(lease.isOpen, 'it is held by one of two');
    other();
    await until('it is closed', () => agents.events.includes('ended 2'));
    assert.equal(lease.isOpen, false);
  });

  it('opens the next one when the one before has ended', async () => {
    const agents = new Agents();
    const lease = new LeasedChannel(agents.start, longMs);
    const first = await lease.channel();
    const { opened, go } = gate();
    agents.ending = opened;
    const closing = lease.close();
    const next = lease.channel();
    await turns();
    assert.deepEqual(agents.events, ['start 1', 'end 1']);
    go();
    assert.notEqual(await next, first);
    await closing;
    assert.deepEqual(agents.events, ['start 1', 'end 1', 'ended 1', 'start 2']);
    await lease.close();
  });

  it('is closed also while it is being opened', async () => {
    const agents = new Agents();
    const lease = new LeasedChannel(agents.start, longMs);
    const { opened, go } = gate();
    agents.starting = opened;
    const opening = lease.channel();
    await turns();
    const closing = Promise.all([lease.close(), lease.close()]);
    await turns();
    assert.deepEqual(agents.events, ['start 1']);
    go();
    await Promise.all([opening, closing]);
    assert.deepEqual(agents.events, ['start 1', 'end 1', 'ended 1']);
    assert.equal(lease.isOpen, false);
  });

  it('that dies is ended once, and another is opened', async () => {
    const agents = new Agents();
    const lease = new LeasedChannel(agents.start, longMs);
    lease.hold();
    const first = await lease.channel();
    agents.last?.destroy(new Error('the agent is gone'));
    await first.closed;
    await turns();
    assert.equal(lease.isOpen, false);
    assert.notEqual(await lease.channel(), first);
    assert.deepEqual(agents.events, ['start 1', 'lost 1', 'ended 1', 'start 2']);
    await lease.close();
    await turns();
    assert.deepEqual(agents.events.slice(4), ['end 2', 'ended 2']);
  });

  it('fails for those who wait when it can not be opened, and is tried again by the next', async () => {
    const agents = new Agents();
    const lease = new LeasedChannel(agents.start, longMs);
    agents.starting = () => Promise.reject(new Error('no room'));
    await assert.rejects(Promise.all([lease.channel(), lease.channel()]), /no room/);
    assert.equal(await lease.current(), undefined);
    agents.starting = () => Promise.resolve();
    assert.ok((await lease.channel()).isOpen);
    assert.deepEqual(agents.events, ['start 1', 'start 2']);
    await lease.close();
  });

  it('whose end fails says so to whoever closes it, and is opened again all the same', async () => {
    const agents = new Agents();
    const lease = new LeasedChannel(agents.start, longMs);
    await lease.channel();
    agents.ending = () => Promise.reject(new Error('not tidy'));
    await assert.rejects(lease.close(), /not tidy/);
    agents.ending = () => Promise.resolve();
    assert.ok((await lease.channel()).isOpen);
    await lease.close();
  });

  it('keeps no process alive that has nothing else to do', async () => {
    const script = `
      const { LeasedChannel } = require(${JSON.stringify(require.resolve('../../../../../src/backend/files/agent/leased-channel'))});
      const channel = { closed: new Promise(() => undefined) };
      const lease = new LeasedChannel(() => Promise.resolve({ channel, end: () => undefined }), 600000);
      const release = lease.hold();
      lease.channel().then(release);`;
    await promisify(execFile)(process.execPath, ['-e', script], { timeout: 20_000 });
  });
});
