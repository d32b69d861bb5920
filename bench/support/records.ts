/** Records of workspaces as an engine would find them at its start: many, in no time. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The names of so many. */
export const recordNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `bench-${index}`);

/** Writes records of workspaces that were stopped and have no runtime into a state directory. */
export function seedWorkspaces(home: string, count: number): void {
  const at = new Date().toISOString();
  recordNames(count).forEach((name, index) => {
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
  });
}
