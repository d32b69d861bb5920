/** The one table of legal transitions (DESIGN.md, section 4). */
import { BerthError } from '../errors';
import type { WorkspaceState } from '../workspaces/schemas';

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
  /** Where people are offered it, when not wherever it works: another verb says better what it does there. */
  offered?: readonly WorkspaceState[];
}

const settledStates = ['running', 'paused', 'stopped', 'archived', 'error'] as const;

export const transitions: Readonly<Record<Verb, Transition>> = {
  start: {
    from: ['stopped', 'paused'],
    via: 'starting',
    to: 'running',
    already: ['running'],
    offered: ['stopped'],
  },
  stop: { from: ['running', 'paused'], via: 'stopping', to: 'stopped', already: ['stopped'] },
  restart: {
    from: ['running', 'paused', 'stopped'],
    via: 'starting',
    to: 'running',
    already: [],
    offered: ['running', 'paused'],
  },
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

/** The states of workspaces in whose menus the verb is. */
export const offeredIn = (verb: Verb): readonly WorkspaceState[] =>
  transitions[verb].offered ?? transitions[verb].from;

/** What leads out of a state that lasts, as a verb of the command line. */
const remedies: Partial<Record<WorkspaceState, (name: string) => string>> = {
  archived: (name) => `Restore it first: \`berth restore ${name}\`.`,
  error: (name) => `Recover it first: \`berth recover ${name}\`. Or delete it.`,
  stopped: (name) => `Start it first: \`berth start ${name}\`.`,
  paused: (name) => `Resume it first: \`berth resume ${name}\`.`,
  running: (name) => `Stop it first: \`berth stop ${name}\`.`,
};

/** `illegal_state`: what can't be done in this state, and what to do first. */
export function notWhile(state: WorkspaceState, name: string, what: string): BerthError {
  return new BerthError('illegal_state', `Workspace ${name} is ${state}: ${what} now.`, {
    hint: remedies[state]?.(name) ?? 'Wait until that is done.',
  });
}

/** What leads to the same: who asks for it while it is under way waits for that. */
const sameEnd: Partial<Record<Verb, readonly Verb[]>> = {
  start: ['start', 'restart', 'resume', 'restore', 'recover'],
  stop: ['stop'],
  pause: ['pause'],
  resume: ['resume', 'start'],
  archive: ['archive'],
  restore: ['restore'],
  recover: ['recover'],
};

/** Whether an operation of that kind, which runs on the workspace, is what the verb asks for. */
export function joins(verb: Verb, kind: string): boolean {
  return sameEnd[verb]?.some((other) => kind === `workspace.${other}`) === true;
}

/** true: go on; false: nothing to do; throws `illegal_state` naming state and verb. */
export function mayBegin(verb: Verb, state: WorkspaceState, name: string): boolean {
  const { from, already } = transitions[verb];
  if (already.includes(state)) {
    return false;
  }
  if (from.includes(state)) {
    return true;
  }
  throw notWhile(state, name, `it can't ${verb}`);
}

export function isSettled(state: WorkspaceState): boolean {
  return settledStates.some((settled) => settled === state);
}
