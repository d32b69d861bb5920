/** The name of a new workspace, held to its rule before anything is asked of the engine. */
import { BerthError } from '../../api';
import { isName } from '../../api/rules/names';

const rule =
  'A name has lowercase letters, digits and hyphens, at most 63, and neither starts nor ends with a hyphen';

/** Throws `bad_request` with the nearest name that is right. */
export function checkWorkspaceName(name: string): void {
  if (!isName(name)) {
    const nearest = nearestName(name);
    throw new BerthError('bad_request', `${JSON.stringify(name)} can't be the name of a workspace.`, {
      field: 'name',
      hint: nearest === '' ? `${rule}.` : `${rule}: try \`${nearest}\`.`,
    });
  }
}

function nearestName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 64)
    .replace(/^-/, '')
    .slice(0, 63)
    .replace(/-$/, '');
}
