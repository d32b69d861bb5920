/**
 * Runs the host tests in a real VS Code. BERTH_TEST_VSCODE chooses it: `browser` (the server that npm carries),
 * `desktop` (downloaded), or the path of an executable. Default: desktop where there is a screen.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { RESULT_VARIABLE, readResult } from '../runner/result';
import { ROOT } from '../runner/setup';
import { Status, judge } from '../runner/statuses';

function vscodeExecutable(): string | undefined {
  const hasScreen =
    process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY);
  const choice = process.env.BERTH_TEST_VSCODE ?? (hasScreen ? 'desktop' : 'browser');
  if (choice === 'desktop') return undefined;
  return choice === 'browser' ? join(ROOT, 'test/runner/vscode-shim') : choice;
}

async function main(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-host-'));
  const resultFile = process.env[RESULT_VARIABLE] ?? join(directory, 'result.json');
  await rm(resultFile, { force: true });
  const executable = vscodeExecutable();
  try {
    await runTests({
      extensionDevelopmentPath: ROOT,
      extensionTestsPath: join(__dirname, 'index'),
      extensionTestsEnv: { [RESULT_VARIABLE]: resultFile },
      launchArgs: [directory],
      ...(executable ? { vscodeExecutablePath: executable } : {}),
    });
    const verdict = judge({ kind: 'exit', code: 0 }, await readResult(resultFile));
    if (verdict.status !== Status.passed) console.error(verdict.message);
    return verdict.status;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(String(error));
    process.exit(1);
  },
);
