/** Who has a shared folder: workspaces of all kinds at once, which no single driver knows. */
import { isRuntimeState } from '../../../api/rules/lifecycle';
import type { Holder, Volume } from '../../../api/volumes/schemas';
import { runtimeNameOf, type WorkspaceRecord } from '../workspaces/record';

/** As long as there is a runtime that was built with it. Other volumes are as their driver says. */
export function withUsers(volume: Volume, records: readonly WorkspaceRecord[]): Volume {
  if (volume.kind !== 'directory') {
    return volume;
  }
  const holders = records.flatMap((record): Holder[] => {
    const mounts = (record.spec.mounts ?? []).filter(
      ({ kind, source }) => kind === 'volume' && source === volume.name,
    );
    return record.runtimeId === undefined || mounts.length === 0
      ? []
      : [
          {
            runtime: runtimeNameOf(record.name),
            workspace: record.name,
            state: stateOf(record),
            readOnly: mounts.every(({ readOnly }) => readOnly),
          },
        ];
  });
  return { ...volume, holders };
}

function stateOf({ state }: WorkspaceRecord): Holder['state'] {
  return isRuntimeState(state) ? state : 'unknown';
}
