/**
 * A workspace whose runtime stands still though nobody paused it, e.g. as the disk of this machine is full: shown as
 * `error`, but nothing of it is broken. It goes on by itself or by a resume, and nothing takes it for a pause.
 */
import { BerthError } from '../../../api/errors';
import type { Problem } from '../../../api/workspaces/schemas';
import type { RuntimeInfo } from '../../drivers/driver';
import { transitionOf, type Verb } from '../../../api/rules/lifecycle';
import type { WorkspaceRecord } from './record';

/** Marks the problem of such a workspace; no verb has a step of that name. */
const haltStep = 'halt';

/** Whether a workspace was given up, as its runtime ended again and again. */
export function isHalted({ state, problem }: Pick<WorkspaceRecord, 'state' | 'problem'>): boolean {
  return state === 'error' && problem?.step === haltStep;
}

/** What a record says of a runtime that stands still. */
export function haltProblem(info: RuntimeInfo | undefined): Problem | undefined {
  if (info?.halt === undefined) {
    return undefined;
  }
  const { code, message, hint } = info.halt;
  return { code, message, step: haltStep, ...(hint !== undefined && { hint }) };
}

/** For whoever wants something that only a running one can do. */
export function haltError({ problem }: Pick<WorkspaceRecord, 'problem'>): BerthError {
  const { code, message = 'The workspace stands still.', hint } = problem ?? {};
  const options = hint === undefined ? {} : { hint };
  return new BerthError(code === 'no_space' ? 'no_space' : 'illegal_state', message, options);
}

/** Throws the reason for a verb that takes a guest which runs. */
export function refuseWhileHalted(verb: Verb, record: Pick<WorkspaceRecord, 'problem'>): void {
  if (transitionOf(verb).takesHalted !== true) {
    throw haltError(record);
  }
}
