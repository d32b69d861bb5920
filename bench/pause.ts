/** Pause and resume over the API, against the same calls of Docker's API. */
import { isQuick, main, median, time, withEngine, type Row } from './lib';
import { docker, prefix } from './support/docker';

const image = 'workspace:latest';
const rounds = isQuick ? 5 : 15;

interface Times {
  pause: number[];
  resume: number[];
}

async function pauseAndResume(pause: () => Promise<unknown>, resume: () => Promise<unknown>, times: Times) {
  times.pause.push(await time(pause));
  times.resume.push(await time(resume));
}

function measure(): Promise<Row[]> {
  return withEngine(async ({ client }) => {
    const params = { name: prefix };
    const query = { wait: 30_000 };
    const container = await docker.createContainer({
      name: `${prefix}-plain`,
      Image: image,
      Cmd: ['sleep', '600'],
    });
    try {
      await container.start();
      await client.waitFor(await client.call('workspaces.create', { body: { name: prefix, image }, query }));
      const berth: Times = { pause: [], resume: [] };
      const plain: Times = { pause: [], resume: [] };
      for (let round = 0; round < rounds; round += 1) {
        await pauseAndResume(
          () => container.pause(),
          () => container.unpause(),
          plain,
        );
        await pauseAndResume(
          async () => client.waitFor(await client.call('workspaces.pause', { params, query })),
          async () => client.waitFor(await client.call('workspaces.resume', { params, query })),
          berth,
        );
      }
      return (['pause', 'resume'] as const).map((what) => ({
        what,
        value: median(berth[what]),
        unit: 'ms',
        baseline: { what: "Docker's API", value: median(plain[what]) },
        budget: { atMost: 25, of: 'value' },
        note: `median of ${rounds}`,
      }));
    } finally {
      await container.remove({ force: true });
      await client.waitFor(await client.call('workspaces.delete', { params, query }));
    }
  });
}

main('Pause and resume', measure);
