/** Makes the .vsix that a user would install. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './setup';

const TIMEOUT = 120_000;

/** Packages any directory with a manifest, as it is. */
export async function packageExtension(directory: string, vsix: string): Promise<void> {
  const vsce = join(ROOT, 'node_modules/@vscode/vsce/vsce');
  const options = ['--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', vsix];
  await promisify(execFile)(process.execPath, [vsce, 'package', ...options], {
    cwd: directory,
    timeout: TIMEOUT,
  });
}

/** Berth's own: BERTH_TEST_VSIX, or built now. */
export async function berthVsix(): Promise<string> {
  const given = process.env.BERTH_TEST_VSIX;
  if (given) return given;
  const script = join(ROOT, 'scripts/package.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: TIMEOUT });
  return stdout.trim().split('\n').at(-1) ?? '';
}
