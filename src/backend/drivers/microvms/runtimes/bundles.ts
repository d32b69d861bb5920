/** Tar bundles of the user, made into disks anew before every start. */
import { mkdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { firstOf, Losses } from '../../../tar/losses';
import { quote } from '../../../../api/rules/volume-path';
import { throwIfCancelled } from '../../../machine/wait';
import { openBundle } from '../../../tar/bundle-file';
import { vetTar } from '../../../tar/vetting';
import type { RuntimePlan } from '../../driver';
import type { RuntimeFiles } from './runtime-files';
import { bundleFile } from './runtime-plan';

/** Makes an ext4 image of a tar, in place of the one that may be there. */
export type BundleBuilder = (
  out: string,
  tar: Readable,
  options: { signal: AbortSignal },
) => Promise<{ warnings: readonly string[]; unlisted?: number }>;

/**
 * Makes the disks of a plan's bundles. `warn` gets a sentence for what could not be kept of one. Throws
 * `bad_request` for what is no tar.
 */
export async function refreshBundles(
  plan: RuntimePlan,
  files: RuntimeFiles,
  build: BundleBuilder,
  signal: AbortSignal,
  warn: (text: string) => void = () => undefined,
): Promise<void> {
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  for (const [index, { kind, source }] of plan.mounts.entries()) {
    if (kind === 'archive') {
      throwIfCancelled(signal, `unpack ${source}`);
      const losses = new Losses();
      const tar = vetTar(openBundle(source), source, losses);
      const { warnings, unlisted } = await build(bundleFile(files, index), tar, { signal });
      firstOf(warnings, unlisted).forEach((text) => warn(`${source}: ${text}`));
      for (const [what, count, first] of losses.rows()) {
        warn(
          `${count} of the files in ${source} were unpacked without: ${what} (the first is ${quote(first)}).`,
        );
      }
    }
  }
}
