/** Where a workspace runs: which machine its driver works on, and what the record says of it. */
import { BerthError } from '../../../api/errors';
import { localTarget, machineWords } from '../../../api/rules/runtimes';
import type { WorkspaceSpec } from '../../../api/workspaces/schemas';
import type { Driver, EngineIdentity } from '../../drivers/driver';
import type { WorkspaceRecord } from './record';

/** The machine that the driver makes runtimes on. Throws `not_supported` when another one is asked for. */
export async function targetFor({ target }: Pick<WorkspaceSpec, 'target'>, driver: Driver): Promise<string> {
  const actual = await driver.target();
  if (target !== undefined && target !== actual) {
    throw new BerthError(
      'not_supported',
      `There is no target ${JSON.stringify(target)} for a ${driver.kind}: each is made on ${wordsOf(actual)} now.`,
      {
        field: 'target',
        hint: `Leave the target out, or use ${JSON.stringify(actual)}. Another Docker is chosen by the setting dockerHost.`,
      },
    );
  }
  return actual;
}

function wordsOf(target: string): string {
  return target === localTarget ? 'this machine (`local`)' : target;
}

/** A record of this machine names none, as those of earlier versions. */
export function onTarget(spec: WorkspaceSpec, target: string): WorkspaceSpec {
  const { target: _before, ...rest } = spec;
  return target === localTarget ? rest : { ...rest, target };
}

/** The container engine in use is not the one that has the workspace: there nothing may be looked for, nor changed. */
export class WorkspaceElsewhere extends BerthError {}

type Placed = Pick<WorkspaceRecord, 'name' | 'spec' | 'runtimeId' | 'homeVolume' | 'volumeIds' | 'engine'>;

/**
 * The one rule for whatever works on a workspace. Throws `WorkspaceElsewhere` (`runtime_unavailable`) when the driver
 * works with another container engine now: on another machine, or another one of the same machine. A machine may have
 * several names, and an engine another id: one that has the very runtime, or the very home, of the record is the same.
 * `found` keeps where that was seen, by workspace, so that it is not asked for with every call.
 */
export async function requireTarget(
  record: Placed,
  driver: Driver,
  runtimeName: string,
  found = new Map<string, string>(),
): Promise<void> {
  const { target = localTarget } = record.spec;
  const [actual, engine] = [await driver.target(), await driver.engine()];
  // Copies of a machine have one id: it tells engines of one name apart, and no more.
  const isOther = record.engine !== undefined && engine !== undefined && record.engine.id !== engine.id;
  if (actual === target && !isOther) {
    return;
  }
  const seen = JSON.stringify([record.runtimeId, record.volumeIds, actual, engine]);
  if (engine !== undefined && found.get(record.name) === seen) {
    return;
  }
  if ((await hasRuntime(record, driver, runtimeName)) || (await hasHome(record, driver))) {
    found.set(record.name, seen);
    return;
  }
  found.delete(record.name);
  throw actual === target && engine !== undefined
    ? besides(record, actual, engine)
    : elsewhere(record, target, actual);
}

async function hasRuntime(
  { runtimeId }: Pick<WorkspaceRecord, 'runtimeId'>,
  driver: Driver,
  runtimeName: string,
): Promise<boolean> {
  return runtimeId !== undefined && (await driver.inspect(runtimeName))?.id === runtimeId;
}

/** Also where somebody has removed the runtime. */
async function hasHome(
  { homeVolume, volumeIds = {} }: Pick<WorkspaceRecord, 'homeVolume' | 'volumeIds'>,
  driver: Driver,
): Promise<boolean> {
  const id = volumeIds[homeVolume];
  return id !== undefined && (await driver.volumes.inspect(homeVolume))?.id === id;
}

/** Of one machine, or of two that have one name. */
function besides(record: Placed, target: string, actual: EngineIdentity): WorkspaceElsewhere {
  const there = record.engine?.host ?? '';
  const isReplaced = there === actual.host;
  return refusal(
    record,
    isReplaced
      ? `Workspace ${record.name} was made by another container engine at ${there} than the one that answers there now`
      : `Workspace ${record.name} is on the container engine ${there} of ${machineWords(target)}, and the one in use is ${actual.host}`,
    isReplaced ? 'Start that container engine again, with the data that it had' : nameAgain(there),
  );
}

function nameAgain(what: string): string {
  return `Name ${what} again: in the setting dockerHost, or in DOCKER_HOST of an engine that is started anew (\`berth down\` ends this one)`;
}

function elsewhere(record: Placed, target: string, actual: string): WorkspaceElsewhere {
  const [there, here] = [machineWords(target), machineWords(actual)];
  return refusal(
    record,
    `Workspace ${record.name} is on ${there}, and the container engine in use is that of ${here}`,
    target === localTarget
      ? `Take ${here} out of the setting dockerHost, or start an engine without DOCKER_HOST (\`berth down\` ends this one)`
      : nameAgain(`the container engine of ${there}`),
  );
}

/** What else can be done where the container engine of a workspace is out of reach. */
export function orForget(record: { name: string; spec: Pick<WorkspaceSpec, 'runtime'> }): string {
  const { name, spec } = record;
  return `Or forget the workspace here, which leaves its ${spec.runtime} and volumes there: \`berth delete ${name} --forget\`.`;
}

function refusal({ name, spec: { runtime } }: Placed, what: string, pointTo: string): WorkspaceElsewhere {
  return new WorkspaceElsewhere('runtime_unavailable', `${what}. Nothing was changed.`, {
    hint: `${pointTo}. ${orForget({ name, spec: { runtime } })}`,
    remedy: 'forget',
  });
}
