/** The verbs of workspaces, each in a file of its own. What they do from which state is in `api/rules/lifecycle.ts`. */
import type { Verb } from '../../../../api/rules/lifecycle';
import type { RebuildRequest } from '../replacement';
import type { StartOptions } from '../start/runtime-preparation';
import type { Removal } from '../erase';
import { archive } from './archive';
import { finishRemoval, remove } from './delete';
import { pause } from './pause';
import { rebuild } from './rebuild';
import { recover } from './recover';
import { restart } from './restart';
import { restore } from './restore';
import { resume } from './resume';
import type { VerbDeps } from './run-verb';
import { start } from './start';
import { stop } from './stop';

/** Each begins its operation, or answers the one under way that leads to the same; throws what `runVerb` throws. */
export function workspaceVerbs(deps: VerbDeps) {
  return {
    start: (name: string, options?: StartOptions) => start(deps, name, options),
    stop: (name: string) => stop(deps, name),
    restart: (name: string, options?: StartOptions) => restart(deps, name, options),
    pause: (name: string) => pause(deps, name),
    resume: (name: string) => resume(deps, name),
    archive: (name: string) => archive(deps, name),
    restore: (name: string, options?: StartOptions) => restore(deps, name, options),
    recover: (name: string, options?: StartOptions) => recover(deps, name, options),
    rebuild: (name: string, request?: RebuildRequest) => rebuild(deps, name, request),
    delete: (name: string, removal: Removal = {}) => remove(deps, name, removal),
    finishDelete: (name: string, keepVolumes: boolean) => finishRemoval(deps, name, keepVolumes),
  } satisfies Record<Verb | 'finishDelete', unknown>;
}

export type WorkspaceVerbs = ReturnType<typeof workspaceVerbs>;
