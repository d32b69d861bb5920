/** What is known of a microVM, in the words of the driver interface. */
import { BerthError } from '../../../../api/errors';
import type { BuiltWith, RuntimeInfo, RuntimeState } from '../../driver';
import { volumesOf } from './runtime-plan';
import type { RuntimeRecord } from './runtime-record';

/** What a microVM was made with, for a workspace that is to have the same. */
export function toBuiltWith(plan: RuntimeRecord['plan']): BuiltWith {
  const { env, limits, network, docker, dockerVolume, ports = [] } = plan;
  // The folder of a shared volume is found anew by its name.
  const mounts = plan.mounts.map(({ folder, ...mount }) => mount);
  return { env, limits, network, docker, dockerVolume, ports, mounts, others: [] };
}

/** The record of a microVM in a state as the driver reports it. */
export function toInfo(record: RuntimeRecord, state: RuntimeState): RuntimeInfo {
  const { plan } = record;
  return {
    ...{ id: record.id, name: plan.name, workspace: plan.workspace, state },
    ...{ imageId: record.imageId, image: plan.image, startedAt: record.startedAt },
    exitCode: state === 'stopped' ? record.exitCode : undefined,
    sshPort: plan.sshPort,
    volumes: volumesOf(plan),
    labels: {},
  };
}

/** For a verb that takes one that runs. */
export function notRunning(name: string, verb: string): BerthError {
  return new BerthError('illegal_state', `${name} does not run: it can't ${verb}.`, {
    hint: 'Start or resume the workspace first.',
  });
}
