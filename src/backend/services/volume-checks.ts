/** Whether the volumes of a workspace are still the ones that it had: an empty one is never taken for a lost one. */
import { BerthError } from '../../api/errors';
import type { Driver } from '../drivers/driver';
import type { Drivers } from './drivers';
import { findVolume } from './mount-resolution';
import type { WorkspaceRecord } from './workspace-record';

export interface VolumeFindings {
  gone: string[];
  /** There is another one of that name. */
  replaced: string[];
  /** Ids of those that are there, by name. */
  ids: Record<string, string>;
}

/** All that it mounts by name. */
export function volumeNamesOf({ homeVolume, dockerVolume, spec }: WorkspaceRecord): string[] {
  const named = (spec.mounts ?? []).filter(({ kind }) => kind === 'volume').map(({ source }) => source);
  return [...new Set([homeVolume, ...(dockerVolume === undefined ? [] : [dockerVolume]), ...named])];
}

export async function lookAtVolumes(
  record: WorkspaceRecord,
  driver: Driver,
  drivers: Drivers,
): Promise<VolumeFindings> {
  const names = volumeNamesOf(record);
  const found = await Promise.all(names.map((name) => findVolume(name, driver, drivers)));
  const findings: VolumeFindings = { gone: [], replaced: [], ids: {} };
  names.forEach((name, index) => {
    const volume = found[index];
    const known = record.volumeIds?.[name];
    if (volume === undefined) {
      findings.gone.push(name);
      return;
    }
    if (known !== undefined && volume.id !== known) {
      findings.replaced.push(name);
    }
    if (volume.id !== undefined) {
      findings.ids[name] = volume.id;
    }
  });
  return findings;
}

export function volumesGone(workspace: string, { gone, replaced }: VolumeFindings): BerthError {
  const said = [
    ...gone.map((name) => `The volume ${name} is gone.`),
    ...replaced.map(
      (name) => `The volume ${name} is not the one that ${workspace} had, but another of its name.`,
    ),
  ];
  return new BerthError('volume_gone', `${said.join(' ')} Nothing was changed.`, {
    hint: `Bring it back from a backup, or go on without its files: \`--accept-empty\` (\`acceptEmpty\` in the API).`,
  });
}

/** What was accepted, for the record. */
export function acceptedLoss({ gone, replaced }: VolumeFindings): string {
  return [
    ...gone.map((name) => `The volume ${name} was gone: a new, empty one was made.`),
    ...replaced.map((name) => `The volume ${name} is another one than before: it is used as it is.`),
  ].join(' ');
}
