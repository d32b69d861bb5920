/** Runtimes of the driver in memory. */
import type { RuntimeInfo } from '../../../src/backend/drivers/driver';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function copyInto<T>(to: Map<string, T>, from: ReadonlyMap<string, T>): void {
  from.forEach((value, key) => to.set(key, structuredClone(value)));
}

export function newRuntime(name: string, workspace: string | undefined, image: string, imageId: string) {
  const info: Mutable<RuntimeInfo> = {
    ...{ id: '', name, workspace, state: 'stopped', image, imageId, volumes: [], labels: {} },
    ...{ startedAt: undefined, exitCode: undefined, sshPort: undefined },
  };
  return info;
}
