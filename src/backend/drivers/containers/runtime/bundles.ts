/** Tar bundles of the user, unpacked anew into volumes of their own before every start. */
import { BerthError } from '../../../../api/errors';
import { Losses } from '../../../tar/losses';
import { quote } from '../../../../api/rules/volume-path';
import type { VolumeFiles } from '../../../files/volume-files';
import { openBundle } from '../../../tar/bundle-file';
import type { RuntimePlan } from '../../driver';
import { vetTar } from '../../../tar/vetting';
import type { Endpoint } from '../engine/endpoint';
import { label } from '../engine/labels';
import type { Ownership } from '../engine/ownership';
import { bundlesOf } from './runtime-spec';
import type { ListedVolume } from '../volumes/volume-info';
import type { VolumeKeepers } from '../volumes/volumes';
import { throwIfCancelled } from '../../../machine/wait';

export interface BundleDeps {
  endpoint: Endpoint;
  keepers: () => Promise<VolumeKeepers>;
  ownership: Ownership;
}

/**
 * Unpacks the bundles of a plan. `warn` gets a sentence for what could not be kept of one. Throws
 * `bad_request` for what is no tar.
 */
export async function refreshBundles(
  deps: BundleDeps,
  plan: RuntimePlan,
  signal: AbortSignal,
  warn: (text: string) => void = () => undefined,
): Promise<void> {
  for (const { mount, volume } of bundlesOf(plan)) {
    throwIfCancelled(signal, `unpack ${mount.source}`);
    await ensureVolume(deps, plan, volume);
    const keepers = await deps.keepers();
    try {
      await unpackBundle(await keepers.files(volume), mount.source, signal, warn);
    } finally {
      await keepers.release(volume);
    }
  }
}

/** What is not marked as a bundle is somebody's data: never emptied. */
async function ensureVolume(deps: BundleDeps, plan: RuntimePlan, name: string): Promise<void> {
  const labels = {
    [label.bundle]: 'true',
    [label.role]: 'bundle',
    [label.workspace]: plan.workspace,
    [label.managed]: 'true',
    ...deps.ownership.labels,
  };
  const volume: ListedVolume = await deps.endpoint.call(`make the volume ${name}`, async (docker) => {
    await docker.createVolume({ Name: name, Driver: 'local', Labels: labels });
    return await docker.getVolume(name).inspect();
  });
  deps.ownership.refuseVolume(name, volume.Labels);
  if (volume.Labels?.[label.bundle] === undefined) {
    throw new BerthError('in_use', `The volume ${name} is not a bundle's: it is left alone.`, {
      first: 'Rename or remove it.',
      remedy: 'start',
    });
  }
}

/** All of it, or an error: what starts on a part of a bundle would not know. */
export async function unpackBundle(
  files: VolumeFiles,
  source: string,
  signal: AbortSignal,
  warn: (text: string) => void,
): Promise<void> {
  await empty(files, signal);
  const stage = await files.stage();
  try {
    const losses = new Losses();
    const tar = vetTar(openBundle(source), source, losses);
    // The owner's own tar, with all that it says.
    const { lost, failed } = await files.putTar(stage, tar, signal, { keepRights: true });
    requireAll(source, failed);
    requireAll(source, (await files.merge(stage, '/', 'overwrite')).failed);
    lost.forEach(({ what, count, first }) => losses.add(what, first, count));
    for (const [what, count, first] of losses.rows()) {
      warn(
        `${count} of the files in ${source} were unpacked without: ${what} (the first is ${quote(first)}).`,
      );
    }
  } catch (error) {
    await files.unstage(stage).catch(() => undefined);
    throw error;
  }
}

function requireAll(source: string, failed: readonly { path: string; reason: string }[]): void {
  const [first] = failed;
  if (first !== undefined) {
    const others = failed.length > 1 ? ` and ${failed.length - 1} more` : '';
    throw new BerthError(
      'bad_request',
      `${source} was not unpacked: ${quote(first.path)}${others} could not be made: ${first.reason}.`,
    );
  }
}

async function empty(files: VolumeFiles, signal: AbortSignal): Promise<void> {
  for (let isEmpty = false; !isEmpty;) {
    throwIfCancelled(signal, 'unpack a bundle');
    const { entries, next } = await files.list('/');
    for (const { name } of entries) {
      await files.remove(`/${name}`, { recursive: true }, signal);
    }
    isEmpty = next === undefined;
  }
}
