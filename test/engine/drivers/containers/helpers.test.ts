/** What an engine leaves that is killed while it reads an image. */
import assert from 'node:assert/strict';
import { fillerOwner } from '../../../../src/backend/drivers/containers/tools/filler-lock';
import { Endpoint } from '../../../../src/backend/drivers/containers/engine/endpoint';
import { Helpers } from '../../../../src/backend/drivers/containers/engine/helpers';
import { label } from '../../../../src/backend/drivers/containers/engine/labels';
import { Ownership } from '../../../../src/backend/drivers/containers/engine/ownership';
import { Bench, quiet } from './support';

describe('containers that read an image', function () {
  this.timeout(60_000);
  let bench: Bench;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  it('are removed by the next engine of the same installation when nobody waits for them', async () => {
    const environment = { env: {}, home: '/', platform: process.platform, uid: 0 };
    const endpoint = new Endpoint({ dockerHost: () => undefined, environment: environment, log: quiet });
    const ours = new Ownership(bench.name());
    const dead = JSON.stringify({ ...fillerOwner('another'), pid: 4_000_000, startTime: '1' });
    const helpers = new Helpers(endpoint, ours);
    const make = async (labels: Record<string, string>): Promise<string> =>
      (await bench.docker.createContainer({ Image: 'berth-tools:1', Cmd: ['none'], Labels: labels })).id;
    const left = await Promise.all(
      (['export', 'script', 'tools-export'] as const).map((role) =>
        make({ ...helpers.labels(role), [label.filler]: dead }),
      ),
    );
    const waitedFor = await make(helpers.labels('export'));
    const theirs = await make({
      ...new Helpers(endpoint, new Ownership('another')).labels('export'),
      [label.filler]: dead,
    });
    try {
      await new Helpers(endpoint, ours).sweep();
      for (const id of left) {
        await assert.rejects(bench.docker.getContainer(id).inspect(), { statusCode: 404 });
      }
      await bench.docker.getContainer(waitedFor).inspect();
      await bench.docker.getContainer(theirs).inspect();
    } finally {
      for (const id of [...left, waitedFor, theirs]) {
        await bench.docker
          .getContainer(id)
          .remove({ force: true })
          .catch(() => undefined);
      }
    }
  });
});
