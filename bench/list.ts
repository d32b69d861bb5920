/** Lists of 1,000 workspaces and 1,000 volumes over the API. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isQuick, main, median, repeat, withEngine, type Row } from './lib';
import { docker, prefix } from './support/docker';

const count = isQuick ? 100 : 1000;
const rounds = 30;

/** Records of workspaces that were stopped and have no runtime, as an engine would find them at its start. */
function seedWorkspaces(home: string): void {
  const at = new Date().toISOString();
  for (let index = 0; index < count; index += 1) {
    const name = `bench-${index}`;
    const folder = join(home, 'workspaces', name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const record = {
      schemaVersion: 1,
      name,
      label: name,
      state: 'stopped',
      spec: { runtime: 'container', image: 'absent:latest', env: { A: 'b' }, limits: { memoryMiB: 512 } },
      sshPort: 30_000 + index,
      hostKey: 'ssh-ed25519 AAAA',
      homeVolume: `workspace-${name}`,
      createdVolumes: [],
      cloned: false,
      createdAt: at,
      lastUsedAt: at,
      warnings: [],
      steps: [],
    };
    writeFileSync(join(folder, 'workspace.json'), JSON.stringify(record), { mode: 0o600 });
  }
}

async function createVolumes(): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  for (let index = 0; index < count; index += 20) {
    await Promise.all(
      names
        .slice(index, index + 20)
        .map((Name) => docker.createVolume({ Name, Labels: { 'berth.bench': prefix } })),
    );
  }
  return names;
}

async function removeVolumes(names: readonly string[]): Promise<void> {
  for (let index = 0; index < names.length; index += 20) {
    const some = names.slice(index, index + 20);
    await Promise.allSettled(some.map((name) => docker.getVolume(name).remove()));
  }
}

function measure(): Promise<Row[]> {
  return withEngine(async ({ client }) => {
    const listed = await client.call('workspaces.list', {});
    if (listed.length !== count) {
      throw new Error(`The engine lists ${listed.length} of ${count} workspaces.`);
    }
    const workspaces = await repeat(rounds, () => client.call('workspaces.list', {}));
    const volumeNames = await createVolumes();
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
  }, seedWorkspaces);
}

function row(what: string, times: readonly number[]): Row {
  return {
    what,
    value: median(times),
    unit: 'ms',
    budget: { atMost: 50, of: 'value' },
    note: `median of ${rounds}`,
  };
}

main('Lists', measure);
