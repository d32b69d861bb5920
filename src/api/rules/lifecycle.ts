/**
 * The one table of the life of workspaces: which states there are, what each verb does from which of them, and what can be
 * done meanwhile. Engine, command line and VS Code take states, verbs, kinds of operations, menus and texts from here.
 */
import { BerthError } from '../errors';
import type { RouteScope } from './principal';

interface StateRow {
  /** The state that it ends in when nothing goes wrong; the state itself where it lasts. */
  goal: string;
  /** The verb that people are told about, or that is begun for them, to leave a state that lasts. */
  wayOut?: string;
  /** Its runtime was set up by a start of ours, and still has what that put into it. */
  isSetUp?: true;
  /** Set aside: it stays so while nothing of it runs. */
  isSetAside?: true;
  /** What went wrong still counts, though its runtime may run. */
  isBroken?: true;
}

const states = {
  creating: { goal: 'running' },
  starting: { goal: 'running' },
  running: { goal: 'running', wayOut: 'stop', isSetUp: true },
  pausing: { goal: 'paused', isSetUp: true },
  paused: { goal: 'paused', wayOut: 'resume', isSetUp: true },
  resuming: { goal: 'running', isSetUp: true },
  stopping: { goal: 'stopped', isSetUp: true },
  stopped: { goal: 'stopped', wayOut: 'start' },
  archiving: { goal: 'archived', isSetAside: true },
  archived: { goal: 'archived', wayOut: 'restore', isSetAside: true },
  restoring: { goal: 'running', isSetAside: true },
  recovering: { goal: 'running', isBroken: true },
  error: { goal: 'error', wayOut: 'recover', isBroken: true },
  deleting: { goal: 'deleting' },
} as const satisfies Record<string, StateRow>;

export type WorkspaceState = keyof typeof states;
type Goal = (typeof states)[WorkspaceState]['goal'];

const isStateName = (name: string): name is WorkspaceState => Object.hasOwn(states, name);
/** The state of that name; undefined for a word that is none, e.g. of a later version. */
export const stateNamed = (name: string): WorkspaceState | undefined =>
  isStateName(name) ? name : undefined;
export const workspaceStates: readonly WorkspaceState[] = Object.keys(states).filter(isStateName);

/** The states that a runtime itself can be in, whatever drives it. */
export const runtimeStates = ['running', 'paused', 'stopped'] as const;
export type RuntimeState = (typeof runtimeStates)[number];

/** Whether a driver can report the state of its runtime as this one. */
export const isRuntimeState = (state: WorkspaceState): state is RuntimeState =>
  runtimeStates.some((each) => each === state);

const rowOf = (state: WorkspaceState): StateRow => states[state];

/** The state that a transition ends in when nothing goes wrong; a state that lasts is its own. */
export const goalOf = (state: WorkspaceState): Goal => states[state].goal;
/** It ends by itself, as an operation is under way. */
export const isInTransition = (state: WorkspaceState): boolean =>
  state === 'deleting' || goalOf(state) !== state;
/** It lasts until somebody asks for something else. */
export const isSettled = (state: WorkspaceState): boolean => !isInTransition(state);
/** It has processes and memory. */
export const isLive = (state: WorkspaceState): boolean => state === 'running' || state === 'paused';
/** Nothing of it runs, and nothing is wrong. */
export const isAtRest = (state: WorkspaceState): boolean => state === 'stopped' || state === 'archived';
/** Its runtime has what our last start put into it: see `StateRow`. */
export const isSetUp = (state: WorkspaceState): boolean => rowOf(state).isSetUp === true;
/** Whether the workspace has volumes only, and no runtime. */
export const isSetAside = (state: WorkspaceState): boolean => rowOf(state).isSetAside === true;
/** Whether somebody must look at what went wrong before it can be used. */
export const isBroken = (state: WorkspaceState): boolean => rowOf(state).isBroken === true;

interface Transition {
  from: readonly WorkspaceState[];
  /** The in-between state, shown as a spinner. */
  via: WorkspaceState;
  to: WorkspaceState;
  /** States in which the verb succeeds and changes nothing. */
  already: readonly WorkspaceState[];
  /** Where people are offered it, when not wherever it works: another verb says better what it does there. */
  offered?: readonly WorkspaceState[];
  /** In titles of operations, before `workspace NAME`. */
  title: string;
  /** What its route does, for the API's document. */
  summary: string;
  scope: RouteScope;
  /** In the help of the command line, where it has no command of its own. */
  help?: string;
  /** It starts the runtime anew, which needs its volumes: it may be told to go on with empty ones. */
  starts?: true;
  /** A runtime starts with it, so that its steps are the last start's. */
  isStart?: true;
  /** It takes a guest that stands still by itself, too. */
  takesHalted?: true;
  /** It takes away what somebody may want to keep: what a workspace that is protected can't be, e.g. `deleted`. */
  guarded?: string;
  /** The verbs that lead to the same: who asks for it while one of these is under way waits for that. */
  joins?: readonly string[];
}

export const transitions = {
  start: {
    from: ['stopped', 'paused'],
    via: 'starting',
    to: 'running',
    already: ['running'],
    offered: ['stopped'],
    title: 'Start',
    summary: 'Start',
    scope: 'use',
    help: 'start workspaces',
    starts: true,
    isStart: true,
    takesHalted: true,
    joins: ['start', 'restart', 'resume', 'restore', 'recover'],
  },
  stop: {
    from: ['running', 'paused'],
    via: 'stopping',
    to: 'stopped',
    already: ['stopped'],
    title: 'Stop',
    summary: 'Stop: 10 s of grace, then kill; nothing is deleted',
    scope: 'use',
    help: 'stop workspaces: 10 s of grace, then kill; no data is removed',
    takesHalted: true,
    joins: ['stop'],
  },
  restart: {
    from: ['running', 'paused', 'stopped'],
    via: 'starting',
    to: 'running',
    already: [],
    offered: ['running', 'paused'],
    title: 'Restart',
    summary: 'Stop and start',
    scope: 'use',
    help: 'stop and start workspaces',
    starts: true,
    isStart: true,
    takesHalted: true,
  },
  pause: {
    from: ['running'],
    via: 'pausing',
    to: 'paused',
    already: ['paused'],
    title: 'Pause',
    summary: 'Freeze all processes',
    scope: 'use',
    help: 'freeze all processes of workspaces',
    joins: ['pause'],
  },
  resume: {
    from: ['paused'],
    via: 'resuming',
    to: 'running',
    already: ['running'],
    title: 'Resume',
    summary: 'Go on after a pause',
    scope: 'use',
    help: 'go on after a pause',
    takesHalted: true,
    joins: ['resume', 'start'],
  },
  archive: {
    from: ['running', 'paused', 'stopped'],
    via: 'archiving',
    to: 'archived',
    already: ['archived'],
    title: 'Archive',
    summary: 'Stop it and set it aside: record, volumes and its own files stay',
    scope: 'manage',
    help: 'set workspaces aside: they stop, and all their files stay',
    takesHalted: true,
    guarded: 'archived',
    joins: ['archive'],
  },
  restore: {
    from: ['archived'],
    via: 'restoring',
    to: 'running',
    already: ['running'],
    title: 'Restore',
    summary: 'Start an archived one: with its own files, on its volumes',
    scope: 'manage',
    help: 'start archived workspaces again',
    starts: true,
    isStart: true,
    joins: ['restore'],
  },
  recover: {
    from: ['error'],
    via: 'recovering',
    to: 'running',
    already: ['running'],
    title: 'Recover',
    summary: 'Start it after an error; a new runtime only where there is none',
    scope: 'manage',
    help: 'start workspaces after an error, with new runtimes where there are none',
    starts: true,
    isStart: true,
    takesHalted: true,
    joins: ['recover'],
  },
  rebuild: {
    from: ['running', 'paused', 'stopped', 'error'],
    via: 'starting',
    to: 'running',
    already: [],
    title: 'Rebuild',
    summary: 'A new runtime on the same volumes, from the image as it is now or another one',
    scope: 'manage',
    isStart: true,
    takesHalted: true,
    guarded: 'rebuilt',
  },
  // A delete that nothing works at any more is begun again.
  delete: {
    from: [...workspaceStates.filter(isSettled), 'deleting'],
    via: 'deleting',
    to: 'deleting',
    already: [],
    title: 'Delete',
    summary: 'Delete a workspace with its home volume; named volumes stay',
    scope: 'manage',
    takesHalted: true,
    guarded: 'deleted',
  },
} as const satisfies Record<string, Transition>;

export type Verb = keyof typeof transitions;

type VerbWith<Column extends keyof Transition> = {
  [V in Verb]: (typeof transitions)[V] extends Record<Column, unknown> ? V : never;
}[Verb];
/** Those that may be told to go on with empty volumes in place of those that are gone. */
export type StartVerb = VerbWith<'starts'>;
/** Those that need nothing but a name: the command line has one command for all of them. */
export type PlainVerb = VerbWith<'help'>;

const isVerb = (name: string): name is Verb => Object.hasOwn(transitions, name);
/** What the table says of a verb, whichever it is. */
export const transitionOf = (verb: Verb): Transition => transitions[verb];
export const verbs: readonly Verb[] = Object.keys(transitions).filter(isVerb);
/** Whether the verb can be told to go on with new, empty volumes in place of those that are gone. */
export const takesEmptyVolumes = (verb: Verb): verb is StartVerb => transitionOf(verb).starts === true;
/** Whether the verb's command of the command line is made of its row alone. */
export const isPlain = (verb: Verb): verb is PlainVerb => transitionOf(verb).help !== undefined;
export const plainVerbs: readonly PlainVerb[] = verbs.filter(isPlain);

/** Those that may be told nothing but which workspace. */
export const bareVerbs = plainVerbs.filter((verb) => !takesEmptyVolumes(verb));
export const startVerbs: readonly StartVerb[] = verbs.filter(takesEmptyVolumes);

/** A row for the route of each of these verbs, by its id. */
export function byRoute<V extends Verb, T>(
  of: readonly V[],
  row: (verb: V) => T,
): Readonly<Record<`workspaces.${V}`, T>> {
  const rows = of.map((verb) => [`workspaces.${verb}`, row(verb)] as const);
  return Object.fromEntries(rows) as Record<`workspaces.${V}`, T>;
}

/** Whether the verb does something in that state. */
export const worksIn = (verb: Verb, state: WorkspaceState): boolean =>
  transitionOf(verb).from.includes(state);

/** The states of workspaces in whose menus the verb is. */
export const offeredIn = (verb: Verb): readonly WorkspaceState[] =>
  transitionOf(verb).offered ?? transitionOf(verb).from;

/** The kind of a verb's operations. */
export const kindOf = <V extends Verb>(verb: V): `workspace.${V}` => `workspace.${verb}`;

/** Operations of workspaces that are no verb's, and end with a runtime that was started. */
const otherStarts: readonly string[] = ['workspace.create', 'workspace.adopt'];

/** Whether operations of that kind start a runtime: their steps and warnings are those of its last start. */
export function isStartKind(kind: string): boolean {
  return (
    otherStarts.includes(kind) ||
    verbs.some((verb) => transitionOf(verb).isStart === true && kindOf(verb) === kind)
  );
}

/** What changes no state, and the states in which it works. */
const useTable = {
  /** To have it running for whoever wants to use it: see `wakingVerb`. */
  open: workspaceStates.filter((state) => state === 'running' || wakes(state) || goalOf(state) === 'running'),
  stats: workspaceStates.filter(isLive),
  /** There is a runtime that wrote one, or is about to be. */
  logs: workspaceStates.filter((state) => state !== 'deleting'),
  commands: ['running'],
  /** What it has outside of its volumes can be listed. */
  rootFiles: ['running', 'stopped'],
  /** There is something to commit; a driver may want it stopped. */
  commit: workspaceStates.filter((state) => isRuntimeState(state) || state === 'archived'),
  /** Its files stay as they are while they are read, or can be held still. */
  fork: workspaceStates.filter((state) => isRuntimeState(state) || state === 'archived'),
  /** It loses nothing of its memory when it is stopped for it, and does not have to stay as it is. */
  takeOver: ['running', 'stopped'],
} as const satisfies Record<string, readonly WorkspaceState[]>;

export type Use = keyof typeof useTable;
export const uses: Readonly<Record<Use, readonly WorkspaceState[]>> = useTable;

/** A runtime that runs is paused while it is read, or must be stopped first: people are offered what can be read at once. */
export const offeredToCommit = uses.commit.filter(isAtRest);

/** Whether a workspace in that state can be used so. */
export const isUsable = (use: Use, state: WorkspaceState): boolean => uses[use].includes(state);

function wakes(state: WorkspaceState): boolean {
  return wakingVerb(state) !== undefined;
}

/**
 * The verb that makes a workspace run for whoever wants to use it; undefined where there is none: it runs, something is
 * under way, or what is wrong must be looked at first.
 */
export function wakingVerb(state: WorkspaceState): PlainVerb | undefined {
  const verb = wayOutOf(state);
  return state !== 'error' && verb !== undefined && transitions[verb].to === 'running' ? verb : undefined;
}

/** The verb that leads out of a state that lasts. */
export function wayOutOf(state: WorkspaceState): PlainVerb | undefined {
  const verb = rowOf(state).wayOut;
  return verb !== undefined && isVerb(verb) && isPlain(verb) ? verb : undefined;
}

/** `illegal_state`: what can't be done in this state, and what to do first. */
export function notWhile(state: WorkspaceState, name: string, what: string): BerthError {
  const verb = wayOutOf(state);
  const first = verb && `${transitions[verb].title} it first: \`berth ${verb} ${name}\`.`;
  return new BerthError('illegal_state', `Workspace ${name} is ${state}: ${what} now.`, {
    hint:
      first === undefined ? 'Wait until that is done.' : state === 'error' ? `${first} Or delete it.` : first,
  });
}

/** Whether the verb is refused for that workspace, until somebody takes its protection away. */
export const isProtectedFrom = (verb: Verb, { protected: isProtected }: { protected?: boolean }): boolean =>
  isProtected === true && transitionOf(verb).guarded !== undefined;

/** Throws `illegal_state` where the workspace is protected from the verb, naming what to do. */
export function refuseProtected(verb: Verb, workspace: { name: string; protected?: boolean }): void {
  if (isProtectedFrom(verb, workspace)) {
    const { name } = workspace;
    const done = transitionOf(verb).guarded ?? verb;
    throw new BerthError('illegal_state', `Workspace ${name} is protected: it can't be ${done} now.`, {
      hint: `Take the protection away first: \`berth unprotect ${name}\`.`,
    });
  }
}

/** Whether an operation of that kind, which runs on the workspace, is what the verb asks for. */
export function joins(verb: Verb, kind: string): boolean {
  return transitionOf(verb).joins?.some((other) => kind === `workspace.${other}`) === true;
}

/** true: go on; false: nothing to do; throws `illegal_state` naming state and verb. */
export function mayBegin(verb: Verb, state: WorkspaceState, name: string): boolean {
  const { from, already } = transitionOf(verb);
  if (already.includes(state)) {
    return false;
  }
  if (from.includes(state)) {
    return true;
  }
  throw notWhile(state, name, `it can't ${verb}`);
}
