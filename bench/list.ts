/** Lists of 1,000 workspaces and 1,000 volumes over the API. */
import { isQuick, main, median, repeat, withEngine, type Row } from './lib';
import { docker } from './support/docker';
import { seedWorkspaces } from './support/records';
import { createVolumes, removeVolumes } from './support/volumes';

const count = isQuick ? 100 : 1000;
const rounds = 30;

function measure(): Promise<Row[]> {
  return withEngine(
    async ({ client }) => {
      const listed = await client.call('workspaces.list', {});
      if (listed.length !== count) {
        throw new Error(`The engine lists ${listed.length} of ${count} workspaces.`);
      }
      const workspaces = await repeat(rounds, () => client.call('workspaces.list', {}));
      const volumeNames = await createVolumes(count);
      try {
        const volumes = await repeat(rounds, () => client.call('volumes.list', {}));
        const plain = await repeat(rounds, () => docker.listVolumes());
        return [
          row(`list ${count} workspaces over the API`, workspaces),
          {
            ...row(`list ${count} volumes over the API`, volumes),
            baseline: { what: "Docker's API", value: median(plain) },
          },
        ];
      } finally {
        await removeVolumes(volumeNames);
      }
    },
    (home) => seedWorkspaces(home, count),
  );
}

function row(what: string, times: readonly number[]): Row {
  return {
    what,
    value: median(times),
    unit: 'ms',
    budget: { atMost: 15, of: 'value' },
    note: `median of ${rounds}`,
  };
}

main('Lists', measure);
