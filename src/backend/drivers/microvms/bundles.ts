/** Tar bundles of the user, made into disks anew before every start. */
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { throwIfCancelled } from '../containers/wait';
import { vetTar } from '../containers/bundle-vetting';
import type { RuntimePlan } from '../driver';
import type { RuntimeFiles } from './runtime-files';
import { bundleFile } from './runtime-plan';

/** Makes an ext4 image of a tar, in place of the one that may be there. */
export type BundleBuilder = (
  out: string,
  tar: Readable,
  options: { signal: AbortSignal },
) => Promise<unknown>;

export async function refreshBundles(
  plan: RuntimePlan,
  files: RuntimeFiles,
  build: BundleBuilder,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  for (const [index, { kind, source }] of plan.mounts.entries()) {
    if (kind === 'archive') {
      throwIfCancelled(signal, `unpack ${source}`);
      await build(bundleFile(files, index), vetTar(openBundle(source), source), { signal });
    }
  }
}

function openBundle(source: string): Readable {
  const file = createReadStream(source);
  if (!/\.(tgz|tar\.gz)$/i.test(source)) {
    return file;
  }
  const tar = createGunzip();
  file.on('error', (error) => tar.destroy(error)).pipe(tar);
  tar.on('close', () => file.destroy());
  return tar;
}
