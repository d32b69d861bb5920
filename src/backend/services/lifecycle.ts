/** The one table of legal transitions (DESIGN.md, section 4). */
import { BerthError } from '../../api/errors';
import type { WorkspaceState } from '../../api/schemas/workspace';

export type Verb =
  | 'start'
  | 'stop'
  | 'restart'
  | 'pause'
  | 'resume'
  | 'archive'
  | 'restore'
  | 'recover'
  | 'rebuild'
  | 'delete';

interface Transition {
  from: readonly WorkspaceState[];
  /** The in-between state, shown as a spinner. */
  via: WorkspaceState;
  to: WorkspaceState;
  /** States in which the verb succeeds and changes nothing. */
  already: readonly WorkspaceState[];
}

const settledStates = ['running', 'paused', 'stopped', 'archived', 'error'] as const;

export const transitions: Readonly<Record<Verb, Transition>> = {
  start: { from: ['stopped', 'paused'], via: 'starting', to: 'running', already: ['running'] },
  stop: { from: ['running', 'paused'], via: 'stopping', to: 'stopped', already: ['stopped'] },
  restart: { from: ['running', 'paused', 'stopped'], via: 'starting', to: 'running', already: [] },
  pause: { from: ['running'], via: 'pausing', to: 'paused', already: ['paused'] },
  resume: { from: ['paused'], via: 'resuming', to: 'running', already: ['running'] },
  archive: {
    from: ['running', 'paused', 'stopped'],
    via: 'archiving',
    to: 'archived',
    already: ['archived'],
  },
  restore: { from: ['archived'], via: 'restoring', to: 'running', already: ['running'] },
  recover: { from: ['error'], via: 'recovering', to: 'running', already: ['running'] },
  rebuild: { from: ['running', 'paused', 'stopped', 'error'], via: 'starting', to: 'running', already: [] },
  // A delete that nothing works at any more is begun again.
  delete: { from: [...settledStates, 'deleting'], via: 'deleting', to: 'deleting', already: [] },
};

const remedies: Partial<Record<WorkspaceState, string>> = {
  archived: 'Restore it first.',
  error: 'Recover it first, or delete it.',
  stopped: 'Start it first.',
  paused: 'Resume it first.',
  running: 'Stop it first.',
};

/** true: go on; false: nothing to do; throws `illegal_state` naming state and verb. */
export function mayBegin(verb: Verb, state: WorkspaceState, name: string): boolean {
  const { from, already } = transitions[verb];
  if (already.includes(state)) {
    return false;
  }
  if (from.includes(state)) {
    return true;
  }
  const hint = remedies[state] ?? 'Wait until that is done.';
  throw new BerthError('illegal_state', `Workspace ${name} is ${state}: it can't ${verb} now.`, { hint });
}

export function isSettled(state: WorkspaceState): boolean {
  return settledStates.some((settled) => settled === state);
}
