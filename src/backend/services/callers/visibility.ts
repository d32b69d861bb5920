/** What a caller may reach: the owner everything, a token what belongs to its workspaces, and what it began itself. */
import type { EngineEvent } from '../../../api/events';
import { snapshotOfFiles, workspaceOfRoot } from '../../../api/rules/root-files';
import type { Named, Principal } from '../../../api/rules/principal';
import type { Operation } from '../../../api/operations/schemas';
import type { Operations } from '../operations/operations';
import { homeVolumeOf } from '../../../api/rules/home-volume';
import type { SnapshotRecords } from '../../store/snapshot-records';
import type { WorkspaceRecord } from '../workspaces/record';
import type { WorkspaceRegistry } from '../workspaces/registry';

export interface VisibilityDeps {
  registry: Pick<WorkspaceRegistry, 'find'>;
  operations: Pick<Operations, 'get'>;
  snapshots: Pick<SnapshotRecords, 'get'>;
}

type Seen = Pick<Operation, 'workspace' | 'volume' | 'by'>;

export class Visibility {
  constructor(private readonly deps: VisibilityDeps) {}

  workspace(principal: Principal, name: string): boolean {
    return (
      principal.kind === 'owner' || principal.workspaces === 'all' || principal.workspaces.includes(name)
    );
  }

  /**
   * Also the root file system of a workspace, by the name that it has among volumes, and a snapshot, which goes with its
   * volume.
   */
  volume(principal: Principal, name: string): boolean {
    if (principal.kind === 'owner' || principal.workspaces === 'all') {
      return true;
    }
    const snapshot = snapshotOfFiles(name);
    if (snapshot !== undefined) {
      const record = this.deps.snapshots.get(snapshot);
      return record !== undefined && this.volume(principal, record.volume);
    }
    const ofRoot = workspaceOfRoot(name);
    return ofRoot === undefined
      ? principal.workspaces.some((workspace) => this.volumesOf(workspace).includes(name))
      : principal.workspaces.includes(ofRoot);
  }

  operation(principal: Principal, { workspace, volume, by }: Seen): boolean {
    if (principal.kind === 'owner' || principal.workspaces === 'all' || by === principal.id) {
      return true;
    }
    return workspace === undefined
      ? volume !== undefined && this.volume(principal, volume)
      : this.workspace(principal, workspace);
  }

  event(principal: Principal, { type, payload }: EngineEvent): boolean {
    switch (type) {
      case 'workspace.changed':
      case 'workspace.deleted':
        return this.workspace(principal, payload.name);
      case 'volume.changed':
      case 'volume.deleted':
        return this.volume(principal, payload.name);
      case 'files.changed':
        return this.volume(principal, payload.volume);
      case 'operation.changed':
        return this.operation(principal, payload);
      case 'driver.changed':
      case 'reset':
        return true;
    }
  }

  /** What a request names. An operation that is not there is answered as one that may not be seen. */
  named(principal: Principal, kind: Named, name: string): boolean {
    if (kind === 'operation') {
      return principal.kind === 'owner' || this.operation(principal, this.deps.operations.get(name));
    }
    return kind === 'snapshot' || this[kind](principal, name);
  }

  private volumesOf(workspace: string): string[] {
    const record = this.deps.registry.find(workspace);
    // Its home goes after its record.
    return record === undefined ? [homeVolumeOf(workspace)] : namedIn(record);
  }
}

function namedIn({ homeVolume, dockerVolume, spec }: WorkspaceRecord): string[] {
  const mounted = (spec.mounts ?? []).filter(({ kind }) => kind === 'volume').map(({ source }) => source);
  return [homeVolume, ...(dockerVolume === undefined ? [] : [dockerVolume]), ...mounted];
}
