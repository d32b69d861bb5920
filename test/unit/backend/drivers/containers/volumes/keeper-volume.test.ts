import assert from 'node:assert/strict';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import type { BerthError } from '../../../../../../src/api';
import { Keeper } from '../../../../../../src/backend/drivers/containers/volumes/keeper-volume';
import { imagesDirectory } from '../../../../../../src/backend/resources';

const agentDirectory = join(imagesDirectory(), 'tools', 'agent');

/** An engine whose container is gone when it is started, or when an agent is. */
function engineThatAnswers(
  failing: 'start' | 'exec',
  statusCode: number,
  message: string,
): { docker: Dockerode; removed: () => number } {
  let removals = 0;
  const notThere = (status: number, text: string) => Object.assign(new Error(text), { statusCode: status });
  const container = {
    id: 'c',
    start: () => Promise.resolve(),
    exec: () => Promise.resolve(),
    [failing]: () => Promise.reject(notThere(statusCode, message)),
    remove: () => {
      removals += 1;
      return Promise.reject(notThere(404, 'No such container: c'));
    },
  };
  const docker = {
    getVolume: () => ({ inspect: () => Promise.resolve({}) }),
    // There is no claim.
    getContainer: () => ({ inspect: () => Promise.reject(notThere(404, 'No such container')) }),
    createContainer: () => Promise.resolve(container),
  };
  return { docker: docker as unknown as Dockerode, removed: () => removals };
}

describe('the keeper of a volume', () => {
  const plan = () => ({ volume: 'data', image: 'tools', owner: 'me' });

  for (const [failing, status, message, code] of [
    ['exec', 404, 'No such container: c', 'runtime_unavailable'],
    ['exec', 409, 'Container c is not running', 'runtime_unavailable'],
    ['start', 404, 'No such container: c', 'runtime_unavailable'],
    ['start', 404, 'No such image: tools', 'image_missing'],
  ] as const) {
    it(`says ${code} for ${status} "${message}" of ${failing}, not that a file is missing, and leaves none`, async () => {
      const { docker, removed } = engineThatAnswers(failing, status, message);
      const keeper = new Keeper(docker, plan, agentDirectory, 1_000);
      await assert.rejects(keeper.channel(), (error: BerthError) => {
        assert.equal(error.code, code);
        assert.equal(error.detail ?? error.message.replace(/^.*?: /, ''), message);
        return true;
      });
      assert.equal(removed(), 1);
    });
  }
});
