import assert from 'node:assert/strict';
import { once } from 'node:events';
import { failure } from '../../../../support/errors';
import { startAgent, type Agent } from './harness';

/** In `main.py`. */
const jobsAtOnce = 32;
const more = 8;

describe('the agent with more long jobs than it does at once', function () {
  this.timeout(60_000);
  let agent: Agent;
  before(async () => (agent = await startAgent('/usr')));
  after(async () => {
    agent.channel.end();
    await once(agent.child, 'exit');
  });

  it('answers what is quick, and ends what waits, while none of them is done', async () => {
    let done = 0;
    const { channel } = agent;
    const jobs = Array.from({ length: jobsAtOnce + more }, () => {
      const cancel = new AbortController();
      const answer = channel.request('usage', { path: '/' }, { signal: cancel.signal });
      const ended = answer.then(
        () => void (done += 1),
        () => undefined,
      );
      return { cancel, answer, ended };
    });
    await channel.request('stat', { path: '/share' });
    // Each that waits would have had to wait for one that ends.
    assert(done < more, `${done} were done`);
    const last = jobs.at(-1) ?? assert.fail();
    last.cancel.abort();
    await failure(last.answer, 'cancelled');
    assert(done < more, `${done} were done`);
    jobs.slice(1).forEach(({ cancel }) => cancel.abort());
    await Promise.all(jobs.map(({ ended }) => ended));
    assert(done >= 1, 'what was not cancelled is done');
    await channel.request('stat', { path: '/share' });
  });

  it('says that it knows no such job', async () => {
    await failure(agent.channel.request('dance', {}), 'internal');
  });
});
