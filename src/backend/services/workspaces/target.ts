/** Where a workspace runs: which machine its driver works on, and what the record says of it. */
import { BerthError } from '../../../api/errors';
import { localTarget, machineWords } from '../../../api/rules/runtimes';
import type { WorkspaceSpec } from '../../../api/workspaces/schemas';
import type { Driver } from '../../drivers/driver';
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

/**
 * The one rule for whatever works on a workspace. Throws `WorkspaceElsewhere` (`runtime_unavailable`) when the driver
 * works on another machine now. A machine may have several names: one that has the very runtime, or the very home, of
 * the record is the same.
 */
export async function requireTarget(
  record: Pick<WorkspaceRecord, 'name' | 'spec' | 'runtimeId' | 'homeVolume' | 'volumeIds'>,
  driver: Driver,
  runtimeName: string,
): Promise<void> {
  const { target = localTarget } = record.spec;
  const actual = await driver.target();
  if (
    actual === target ||
    (await hasRuntime(record, driver, runtimeName)) ||
    (await hasHome(record, driver))
  ) {
    return;
  }
  throw elsewhere(record, target, actual);
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

function elsewhere(
  { name, spec: { runtime } }: Pick<WorkspaceRecord, 'name' | 'spec'>,
  target: string,
  actual: string,
): WorkspaceElsewhere {
  const [there, here] = [machineWords(target), machineWords(actual)];
  const pointTo =
    target === localTarget
      ? `Take ${here} out of the setting dockerHost, or start an engine without DOCKER_HOST (\`berth down\` ends this one)`
      : `Name the container engine of ${there} again: in the setting dockerHost, or in DOCKER_HOST of an engine that is started anew (\`berth down\` ends this one)`;
  return new WorkspaceElsewhere(
    'runtime_unavailable',
    `Workspace ${name} is on ${there}, and the container engine in use is that of ${here}. Nothing was changed.`,
    {
      hint: `${pointTo}. Or forget the workspace here, which leaves its ${runtime} and volumes there: \`berth delete ${name} --forget\`.`,
      remedy: 'forget',
    },
  );
}
