/** Empty volumes of Docker, many of them. */
import { docker, prefix } from './docker';

const atOnce = 20;

/** Creates so many, and answers their names. */
export async function createVolumes(count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const create = (Name: string) => docker.createVolume({ Name, Labels: { 'berth.bench': prefix } });
  for (let index = 0; index < count; index += atOnce) {
    await Promise.all(names.slice(index, index + atOnce).map(create));
  }
  return names;
}

/** Removes those that are still there. */
export async function removeVolumes(names: readonly string[]): Promise<void> {
  for (let index = 0; index < names.length; index += atOnce) {
    const some = names.slice(index, index + atOnce);
    await Promise.allSettled(some.map((name) => docker.getVolume(name).remove()));
  }
}
