/** Makes berth-<version>.vsix from the bundles. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { tool } from './repository.mjs';
import { run } from './run.mjs';

/** @returns {Promise<string>} its absolute path */
export async function packageVsix() {
  const { name, version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const vsix = join(ROOT, `${name}-${version}.vsix`);
  // Dependencies are in the bundles; and there is no public address yet that the README's pictures could get.
  const options = [
    '--no-dependencies',
    '--allow-missing-repository',
    '--no-rewrite-relative-links',
    '--out',
    vsix,
  ];
  await run(process.execPath, [tool('@vscode/vsce/vsce'), 'package', ...options], { cwd: ROOT });
  return vsix;
}
