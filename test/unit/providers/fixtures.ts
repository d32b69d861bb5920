/** Whole records for tests that care about a field or two. */
import type { FileEntry, Operation, Volume, Workspace } from '../../../src/api';

export function workspace(name: string, more: Partial<Workspace> = {}): Workspace {
  return {
    name,
    label: name,
    state: 'stopped',
    spec: { runtime: 'container', image: 'workspace:latest' },
    runtimeName: `workspace-${name}`,
    homeVolume: `workspace-${name}`,
    sshPort: 2200,
    sshAlias: `berth-${name}`,
    createdAt: '2026-01-01T00:00:00Z',
    lastUsedAt: '2026-01-02T00:00:00Z',
    warnings: [],
    steps: [],
    operations: [],
    ...more,
  };
}

export function volume(name: string, more: Partial<Volume> = {}): Volume {
  return { name, kind: 'docker', role: 'named', managed: true, holders: [], labels: {}, ...more };
}

export function operation(id: string, more: Partial<Operation> = {}): Operation {
  return {
    id,
    kind: 'workspace.start',
    title: `Start ${id}`,
    status: 'running',
    cancellable: true,
    startedAt: '2026-01-01T00:00:00Z',
    steps: [],
    warnings: [],
    ...more,
  };
}

export function entry(name: string, more: Partial<FileEntry> = {}): FileEntry {
  return { name, type: 'file', size: 1, mode: 0o644, uid: 1000, gid: 1000, mtimeMs: 0, ctimeMs: 0, ...more };
}
