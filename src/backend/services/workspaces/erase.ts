/** Removes a workspace: its runtime, its volumes, and all that is known of it; also where the disk is full. */
import { asBerthError, BerthError } from '../../../api/errors';
import { isLive } from '../../../api/rules/lifecycle';
import { ownVolumesOf } from '../../../api/workspaces/own-volumes';
import type { WorkspaceState } from '../../../api/workspaces/schemas';
import type { Driver } from '../../drivers/driver';
import type { ProtectedVolumes } from '../../store/protected-volumes';
import type { SecretStore } from '../../store/secrets';
import type { OperationContext } from '../operations/operation-context';
import { leaveVolume, removeOwnVolume } from '../volumes/own-volumes';
import { ownVolumeKey, refuseGuardedVolume } from '../volumes/protection';
import type { Snapshots } from '../snapshots/snapshots';
import type { ThrowingAway, Thrown } from '../trash/throwing-away';
import type { ForkBases } from './fork/bases';
import { dropForkBase } from './fork/fork-base';
import { problemOf } from './problem';
import type { WorkspaceRecord } from './record';
import { settleReplacement, type ReplacementDeps } from './replacement';
import { orForget, WorkspaceElsewhere } from './target';

export interface EraseDeps extends ReplacementDeps {
  secrets: SecretStore;
  guarded: ProtectedVolumes;
  snapshots: Pick<Snapshots, 'dropForked'>;
  bases: ForkBases;
  trash: Pick<ThrowingAway, 'takes' | 'has' | 'keepsTheOnly' | 'workspace'>;
}

export interface Erasure extends Removal {
  name: string;
  /** The state to go back to when the runtime can't be reached. */
  before: WorkspaceState;
}

/** What of a workspace a delete leaves. */
export interface Removal {
  /** All of its volumes. */
  keepVolumes?: boolean;
  /** Also its runtime: the container engine that has them is out of reach. */
  forget?: boolean;
  /** Nothing of it is kept in the trash. */
  now?: boolean;
}

/**
 * Answers the volumes that were deleted. Whatever fails, the workspace ends in a state from which it can be deleted.
 * Throws what the delete failed with.
 */
export async function eraseWorkspace(
  deps: EraseDeps,
  { name, keepVolumes = false, forget: isForgotten = false, now = false, before }: Erasure,
  context: OperationContext,
): Promise<{ deleted: string[]; trash?: string }> {
  const { registry, runtimes } = deps;
  let thrown: Thrown | undefined;
  try {
    if (isForgotten) {
      await refuseInReach(deps, name);
      await forget(deps, registry.get(name), context);
      return { deleted: [] };
    }
    await runtimes.reach(registry.get(name));
    if (registry.get(name).replaced?.adoption !== undefined) {
      // Nothing was adopted: what there is belongs to whoever had it before.
      await settleReplacement(deps, name);
      if (registry.find(name) === undefined) {
        return { deleted: [] };
      }
    }
    const record = registry.get(name);
    const runtime = runtimes.of(record);
    const isKept = !keepVolumes && !now && deps.trash.takes(record);
    if (isKept && !(await deps.trash.keepsTheOnly(record))) {
      thrown = await throwAway(deps, record, before, context);
    }
    // On disk from the first: a delete that is cut off must keep what this one keeps.
    await unlessDiskIsFull(
      registry.update(name, {
        state: 'deleting',
        removes: true,
        keepsVolumes: keepVolumes || undefined,
      }),
    );
    await context.step('runtime', 'Remove the runtime', () => runtime.remove());
    const deleted = keepVolumes ? [] : await removeVolumes(deps, record, runtime.driver, context);
    if (keepVolumes) {
      await leaveVolume(deps, runtime.driver, record.homeVolume);
    }
    await forget(deps, record, context);
    await dropForkBase(deps, runtime.driver, record);
    const trash = thrown?.id ?? deps.trash.has(record.toTrash);
    return { deleted, ...(trash !== undefined && { trash }) };
  } catch (error) {
    throw await failed(deps, { name, before, forget: isForgotten }, error);
  } finally {
    thrown?.release();
  }
}

/** Notes that it is still there, and why; answers what is to be thrown. */
async function failed(
  deps: EraseDeps,
  { name, before, forget: isForgotten }: Pick<Erasure, 'name' | 'before' | 'forget'>,
  error: unknown,
): Promise<unknown> {
  const { registry } = deps;
  const { message, code } = asBerthError(error);
  if (error instanceof WorkspaceElsewhere || isForgotten) {
    // Counts in memory, also when it can't be written; why nothing was deleted matters more.
    const stateDetail = isForgotten ? undefined : message;
    await registry.update(name, { state: before, stateDetail, removes: undefined }).catch(() => undefined);
    return error;
  }
  if (error instanceof NotThrown) {
    return error.cause;
  }
  const problem = problemOf(error, 'delete');
  const isOutOfReach = code === 'runtime_unavailable';
  const state = isOutOfReach ? before : 'error';
  const stateDetail = isOutOfReach ? message : undefined;
  // What is gone by now is in that one alone.
  const toTrash = deps.trash.has(registry.find(name)?.toTrash);
  // The state counts in memory, also when it can't be written: why the delete failed matters more.
  await registry
    .settle(name, state, { problem, stateDetail, toTrash, removes: undefined, keepsVolumes: undefined })
    .catch(() => undefined);
  return isOutOfReach ? orForgotten(error, registry.find(name)) : error;
}

/** It was not put into the trash: nothing of it is deleted. */
class NotThrown extends Error {}

/** What is kept counts from the moment at which the record says so: a delete that is cut off afterwards is finished. */
async function throwAway(
  { registry, runtimes, trash }: EraseDeps,
  record: WorkspaceRecord,
  before: WorkspaceState,
  context: OperationContext,
): Promise<Thrown> {
  const { name } = record;
  const runtime = runtimes.of(record);
  let thrown: Thrown | undefined;
  let state = before;
  try {
    const found = await runtime.inspect();
    if (found !== undefined && found.state !== 'stopped') {
      await context.step('stop', 'Stop', () => runtime.stop());
      state = isLive(before) ? 'stopped' : before;
    }
    thrown = await trash.workspace(record, context);
    await registry.update(name, { state: 'deleting', toTrash: thrown.id, removes: true });
    await thrown.commit();
    return thrown;
  } catch (cause) {
    const settled = registry.settle(name, state, {
      stateDetail: asBerthError(cause).message,
      toTrash: trash.has(record.toTrash),
      removes: undefined,
    });
    const isSettled = await settled.then(
      () => true,
      () => false,
    );
    // On disk the delete may have been confirmed: then it is finished by the next engine.
    await (isSettled ? thrown?.undo() : undefined);
    thrown?.release(!isSettled);
    throw new NotThrown('not in the trash', { cause });
  }
}

/** A delete is what it can be given up with, as well. */
function orForgotten(error: unknown, record: WorkspaceRecord | undefined): unknown {
  const { code, message, hint, detail } = asBerthError(error);
  if (record?.spec.runtime !== 'container') {
    return error;
  }
  const hints = [hint, orForget(record)].filter((each) => each !== undefined);
  const details = detail !== undefined && { detail };
  return new BerthError(code, message, {
    hint: hints.join(' '),
    ...details,
    remedy: 'forget',
    cause: error,
  });
}

/** Throws `illegal_state` where nothing is in the way of a delete: what it left would be in the way of the next one. */
async function refuseInReach({ registry, runtimes }: EraseDeps, name: string): Promise<void> {
  const record = registry.get(name);
  const isInReach = await runtimes
    .reach(record)
    .then((runtime) => runtime.inspect())
    .then(
      () => true,
      (error: unknown) => {
        if (asBerthError(error).code !== 'runtime_unavailable') {
          throw error;
        }
        return false;
      },
    );
  if (isInReach) {
    throw new BerthError(
      'illegal_state',
      `Workspace ${name} is in reach: its ${record.spec.runtime} can be deleted.`,
      {
        hint: `Delete it: \`berth delete ${name}\`. Where its files are to stay: \`berth delete ${name} --keep-volumes\`.`,
      },
    );
  }
}

async function removeVolumes(
  deps: EraseDeps,
  record: WorkspaceRecord,
  driver: Driver,
  context: OperationContext,
): Promise<string[]> {
  const deleted: string[] = [];
  // Of an import that was cut off, what has a part of the files.
  const unfilled = record.isUnfilled === true ? record.createdVolumes : [];
  for (const volume of new Set([...ownVolumesOf(record), ...unfilled])) {
    await context.step('volume', `Delete volume ${volume}`, async () => {
      // It may have been protected since the delete began.
      refuseGuardedVolume(
        deps,
        (await driver.volumes.inspect(volume)) ?? ownVolumeKey(driver, record, volume),
      );
      if (await removeOwnVolume(deps, driver, volume, (message) => context.warn(message))) {
        deleted.push(volume);
      }
    });
  }
  return deleted;
}

/** Keys, secrets and the record. On a full disk the secrets go last: removing the others makes room to write. */
async function forget(
  { registry, keys, secrets }: EraseDeps,
  { name, spec }: WorkspaceRecord,
  context: OperationContext,
): Promise<void> {
  const hasSecrets = (spec.secretNames ?? []).length > 0;
  const isForgotten = !hasSecrets || (await unlessDiskIsFull(secrets.forget(name)));
  await keys.forgetHostKey(name);
  await registry.remove(name);
  if (!isForgotten && !(await unlessDiskIsFull(secrets.forget(name)))) {
    context.warn(`The disk is full: the encrypted secrets of ${name} are still in its file of secrets.`);
  }
}

/** false when the disk has no room for it; other failures are thrown. */
async function unlessDiskIsFull(writing: Promise<unknown>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (asBerthError(error).code !== 'no_space') {
      throw error;
    }
    return false;
  }
}
