/** Who has a volume, in words that say where to look for it. */
import { BerthError } from '../errors';
import type { Holder, Volume } from '../volumes/schemas';
import { ownerWords } from './owner';

type HeldVolume = Pick<Volume, 'name' | 'kind'> & { holders: readonly Holder[] };

/** `the workspace demo (running)`, `the container db of another tool (stopped)`. */
export function holderWords({ runtime, workspace, owner, state }: Holder, kind: Volume['kind']): string {
  const what = kind === 'docker' ? 'container' : 'microVM';
  const who =
    owner !== undefined
      ? `the ${what} ${runtime} of ${ownerWords(owner)}`
      : workspace !== undefined
        ? `the workspace ${workspace}`
        : `the ${what} ${runtime} of another tool`;
  return `${who} (${state})`;
}

/** That it can't be deleted: whose it is, and what to do. */
export function heldVolume({ name, kind, holders }: HeldVolume): BerthError {
  const who = holders.map((holder) => holderWords(holder, kind)).join(', ');
  return new BerthError(
    'in_use',
    `The volume ${name} is in use by ${who || 'a container that is not listed'}.`,
    {
      hint: holders[0] === undefined ? 'Try again.' : remedyOf(holders[0], kind),
    },
  );
}

/** That it can't be put back while somebody runs on it, and what to do. */
export function runningOn({ name, kind, holders }: HeldVolume): BerthError {
  const who = holders.map((holder) => holderWords(holder, kind)).join(', ');
  const workspaces = holders.flatMap(({ workspace }) => workspace ?? []);
  return new BerthError('in_use', `The volume ${name} is in use by ${who}.`, {
    hint:
      workspaces.length === holders.length
        ? `Stop it first: \`berth stop ${workspaces.join(' ')}\`.`
        : 'Stop what runs on it first.',
  });
}

/** That it is not deleted while it is protected, and what to do. */
export function protectedVolume(name: string): BerthError {
  return new BerthError('illegal_state', `Volume ${name} is protected: it can't be deleted now.`, {
    hint: `Take the protection away first: \`berth volume unprotect ${name}\`.`,
  });
}

/** That it is not deleted, as nobody knows whether it is protected, and what to do. */
export function protectionUnknown(name: string, damagedList: string): BerthError {
  return new BerthError(
    'illegal_state',
    `Volume ${name} is not deleted: it may be protected, as the list of protected volumes was damaged and could not be read.`,
    {
      hint: `Take its protection away first: \`berth volume unprotect ${name}\`. ${damagedListHint(damagedList)}`,
    },
  );
}

/** What to do about a damaged list of protected volumes that lies, set aside, at `path`. */
export function damagedListHint(path: string): string {
  return `For all volumes at once, mend ${path} and move it back to its name without ".damaged-…", or move it away.`;
}

function remedyOf({ runtime, workspace, owner }: Holder, kind: Volume['kind']): string {
  if (owner !== undefined) {
    return 'Delete its workspace from there first.';
  }
  if (workspace !== undefined) {
    return `Delete the workspace first: \`berth delete ${workspace}\`.`;
  }
  return kind === 'docker' ? `Remove it first: \`docker rm ${runtime}\`.` : 'Remove it first.';
}
