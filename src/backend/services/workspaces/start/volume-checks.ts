/** Whether the volumes of a workspace are still the ones that it had: an empty one is never taken for a lost one. */
import { BerthError } from '../../../../api/errors';
import { ownerWords } from '../../../../api/rules/owner';
import type { Owner } from '../../../../api/common';
import type { Driver } from '../../../drivers/driver';
import type { Drivers } from '../../engine/drivers';
import { findVolume } from './mount-resolution';
import type { WorkspaceRecord } from '../record';

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

/** Throws `in_use` for a home, or a Docker's files, that another installation has taken over: two would spoil them. */
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
    if (volume.owner !== undefined && [record.homeVolume, record.dockerVolume].includes(name)) {
      throw takenOver(name, record.name, volume.owner);
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

function takenOver(volume: string, workspace: string, owner: Owner): BerthError {
  return new BerthError('in_use', `The volume ${volume} of ${workspace} belongs to ${ownerWords(owner)}.`, {
    hint: `Use it from there, or take it back: \`berth volume adopt ${volume} --take-over\`.`,
  });
}

/** `isSaved`: it is paused on disk, and goes on with these very volumes or not at all. */
export function volumesGone(
  workspace: string,
  { gone, replaced }: VolumeFindings,
  isSaved: boolean,
): BerthError {
  const said = [
    ...gone.map((name) => `The volume ${name} is gone.`),
    ...replaced.map(
      (name) => `The volume ${name} is not the one that ${workspace} had, but another of its name.`,
    ),
  ];
  return new BerthError('volume_gone', `${said.join(' ')} Nothing was changed.`, {
    hint: isSaved
      ? `It is paused, and what it has in memory needs that very volume. Stop it, which gives up its memory: \`berth stop ${workspace}\`. Then \`berth start ${workspace} --accept-empty\` goes on with ${wayOut(gone)}.`
      : `${gone.length > 0 ? 'Bring it back from a backup, or go' : 'Go'} on with ${wayOut(gone)}: \`--accept-empty\` (\`acceptEmpty\` in the API).`,
  });
}

/** One that was brought back is another one of that name, too. */
function wayOut(gone: readonly string[]): string {
  return gone.length > 0
    ? 'a new, empty one, or with what you brought back'
    : 'the one that is there now, as it is, e.g. when you brought it back from a backup';
}

/** What was accepted, for the record. */
export function acceptedLoss({ gone, replaced }: VolumeFindings): string {
  return [
    ...gone.map((name) => `The volume ${name} was gone: a new, empty one was made.`),
    ...replaced.map((name) => `The volume ${name} is another one than before: it is used as it is.`),
  ].join(' ');
}
