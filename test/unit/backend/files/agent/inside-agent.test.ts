import assert from 'node:assert/strict';
import { InsideAgent } from '../../../../../src/backend/files/agent/inside-agent';

describe('files/agent/inside-agent', () => {
  it('begins no process inside when it can not read what that one is to run', async () => {
    let begun = 0;
    const agent = new InsideAgent({
      volume: 'v',
      target: '/',
      agentDirectory: '/nowhere/at/all',
      run: () => {
        begun += 1;
        return Promise.reject(new Error('not reached'));
      },
    });
    await assert.rejects(agent.channel(), /nowhere/);
    assert.equal(begun, 0);
  });
});
