/** Rows of the index in the words of the API. */
import { BerthError } from '../../../../api/errors';
import { isSessionVolume } from '../../../../api/rules/session-volume';
import { isName } from '../../../../api/rules/names';
import type { Holder, Volume } from '../../../../api/volumes/schemas';
import type { VolumeRow } from './volume-index';

const role = 'berth.role';
const workspaceLabel = 'workspace.name';
const workspacePrefix = 'workspace-';

/** The name, if a volume of ours can have it. Throws `bad_request`. */
export function checkName(name: string): string {
  if (!isName(name)) {
    throw new BerthError(
      'bad_request',
      `invalid volume name ${JSON.stringify(name)}: use lowercase letters, digits, and hyphens (1-63 chars, not starting or ending with a hyphen)`,
      { field: 'name' },
    );
  }
  return name;
}

/** What a volume is for: by its labels, else by its name. */
export function roleOf({
  name,
  labels = {},
}: Pick<VolumeRow, 'name' | 'labels'>): Pick<Volume, 'role' | 'workspace'> {
  const labelled = labels[role];
  const workspace = labels[workspaceLabel];
  if (labelled === 'home' || labelled === 'docker') {
    return { role: labelled, ...(workspace !== undefined && { workspace }) };
  }
  if (isSessionVolume(name)) {
    return { role: 'session' };
  }
  if (!name.startsWith(workspacePrefix)) {
    return { role: 'named' };
  }
  const rest = name.slice(workspacePrefix.length);
  return rest.endsWith('-docker')
    ? { role: 'docker', workspace: rest.slice(0, -'-docker'.length) }
    : { role: 'home', workspace: rest };
}

/** A row of the index as the API shows it. */
export function toVolume(row: VolumeRow, path: string, holders: Holder[]): Volume {
  return {
    name: row.name,
    kind: row.kind ?? 'disk',
    ...roleOf(row),
    managed: true,
    id: row.created_at,
    createdAt: row.created_at,
    ...(row.kind === undefined && { sizeMiB: row.size_mib }),
    path,
    holders,
    labels: { ...row.labels },
  };
}

/** The error `not_found` for a volume that has no row. */
export function notFound(name: string): BerthError {
  return new BerthError('not_found', `volume "${name}" not found`, {
    hint: '`berth volume list` shows the ones there are.',
  });
}
