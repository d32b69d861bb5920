import type { RuntimePlan } from '../../../drivers/driver';
import { runtimeNameOf, type WorkspaceRecord } from '../record';
import { portsOf } from './published-ports';

/** How the record says that its runtime is to be built. */
export function planOf(record: WorkspaceRecord): RuntimePlan {
  const { spec } = record;
  return {
    name: runtimeNameOf(record.name),
    workspace: record.name,
    image: spec.image,
    env: spec.env ?? {},
    limits: spec.limits ?? {},
    docker: spec.docker ?? false,
    network: spec.network ?? 'on',
    homeVolume: record.homeVolume,
    dockerVolume: record.dockerVolume,
    mounts: spec.mounts ?? [],
    ports: portsOf(spec.ports),
    sshPort: record.sshPort,
  };
}
