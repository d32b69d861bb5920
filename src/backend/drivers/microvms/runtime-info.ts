/** What is told of a microVM, in the words of the driver interface. */
import type { RuntimeInfo, RuntimeState } from '../driver';
import { volumesOf } from './runtime-plan';
import type { RuntimeRecord } from './runtime-record';

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
