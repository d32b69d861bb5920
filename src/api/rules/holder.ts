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

/** That it is not deleted while it is protected, and what to do. */
export function protectedVolume(name: string): BerthError {
  return new BerthError('illegal_state', `Volume ${name} is protected: it can't be deleted now.`, {
    hint: `Take the protection away first: \`berth volume unprotect ${name}\`.`,
  });
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
