/**
 * What ssh runs in place of a connection while a workspace does not run (`ProxyCommand`): resumes a paused one and
 * connects, or says in one line what to do. While it runs ssh connects by itself.
 */
import { BerthError } from '../../api/errors';
import {
  goalOf,
  isAtRest,
  isInTransition,
  isLive,
  wayOutOf,
  type WorkspaceState,
} from '../../api/rules/lifecycle';
import type { Workspace } from '../../api/workspaces/schemas';
import type { EngineClient } from '../engine-client';
import { pollFor } from '../wait';
import { openServer, type Server } from './server';

export interface Target {
  name: string;
  port: number;
  /** When the configuration was written. */
  state: WorkspaceState | undefined;
}

export interface Engine {
  isRunning: () => Promise<boolean>;
  /** Starts it when it does not run. */
  connect: () => Promise<EngineClient>;
}

export interface Times {
  /** For a server that answers at once, or not. */
  quickMs: number;
  /** For one that was just resumed, or started. */
  serverMs: number;
  /** For what is under way. */
  workMs: number;
  pollMs: number;
}

export const usualTimes: Times = { quickMs: 500, serverMs: 20_000, workMs: 120_000, pollMs: 100 };

/** What is to come of it can be connected to, or resumed then. */
const isComingUp = (state: WorkspaceState): boolean => isInTransition(state) && isLive(goalOf(state));

/** A connection to its server. Throws what to tell the user. */
export async function reach(target: Target, engine: Engine, times: Times = usualTimes): Promise<Server> {
  // It may run by now, started by somebody else while there was no engine to see it.
  const direct = await openServer(target.port, times.quickMs);
  if (direct !== undefined) {
    return direct;
  }
  // Nothing but a start leads out of these, and that has an engine.
  const { name, state } = target;
  if (state !== undefined && isAtRest(state) && !(await engine.isRunning())) {
    throw notRunning({ name, state });
  }
  const client = await engine.connect();
  try {
    return await whenRunning(target, client, times);
  } finally {
    client.dispose();
  }
}

async function whenRunning({ name }: Target, client: EngineClient, times: Times): Promise<Server> {
  const look = (): Promise<Workspace> => client.call('workspaces.get', { params: { name } });
  const ask = async (): Promise<Server | undefined> => {
    let workspace = await look();
    if (workspace.state === 'paused') {
      await resume(name, client);
      workspace = await look();
    }
    if (workspace.state === 'running') {
      return serverOf(name, client, times);
    }
    if (workspace.state !== 'paused' && !isComingUp(workspace.state)) {
      throw notRunning(workspace);
    }
    return undefined;
  };
  const server = await pollFor(ask, { timeoutMs: times.workMs, intervalMs: times.pollMs });
  if (server === undefined) {
    throw new BerthError('timeout', `Workspace ${name} did not run within ${times.workMs / 1000} s.`);
  }
  return server;
}

/** Another one may be quicker, and pause or stop it as well: its state says what there is to do. */
async function resume(name: string, client: EngineClient): Promise<void> {
  try {
    await client.waitFor(await client.call('workspaces.resume', { params: { name } }));
  } catch (error) {
    if (!(error instanceof BerthError && error.code === 'illegal_state')) {
      throw error;
    }
  }
}

async function serverOf(name: string, client: EngineClient, { serverMs, pollMs }: Times): Promise<Server> {
  // It may have another port than before.
  const { port } = await client.call('workspaces.ssh', { params: { name } });
  const end = Date.now() + serverMs;
  // An engine that has just started may not listen for it yet.
  const server = await pollFor(() => openServer(port, Math.max(pollMs, end - Date.now())), {
    timeoutMs: serverMs,
    intervalMs: pollMs,
  });
  if (server === undefined) {
    throw new BerthError('timeout', `SSH of workspace ${name} does not answer on port ${port}.`, {
      hint: `\`berth logs ${name}\` may say why.`,
    });
  }
  return server;
}

function notRunning({ name, state, problem }: Pick<Workspace, 'name' | 'state' | 'problem'>): BerthError {
  const reason = problem === undefined ? '' : ` (${problem.message})`;
  const remedy = isInTransition(state) ? undefined : wayOutOf(state);
  return new BerthError('illegal_state', `Workspace ${name} is ${state}${reason}.`, {
    hint: remedy === undefined ? 'Wait until that is done.' : `Run \`berth ${remedy} ${name}\` first.`,
  });
}

/** One line for a terminal: what happened, then what to do. */
export function lineOf(error: unknown): string {
  const { message, hint } = error instanceof BerthError ? error : new BerthError('internal', String(error));
  const text = hint === undefined ? message : `${message} ${hint}`;
  return `berth: ${text.replace(/[\s\p{Cc}]+/gu, ' ').trim()}\n`;
}
