/**
 * `npm run screenshots`: sets up what the ui tests need, stages three workspaces in a real VS Code and takes the pictures
 * of the README, in media/screenshots/.
 */
import { join } from 'node:path';
import { ROOT } from './lib/paths.mjs';
import { run } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';
import { createSteps } from './lib/steps.mjs';

const TIMEOUT_MS = 900_000;

try {
  const complaints = await setUp(['ui'], createSteps())('ui');
  if (complaints) throw new Error(complaints);
  const program = [join(ROOT, 'out/test/ui/scene/main.js')];
  await run(process.execPath, program, { cwd: ROOT, show: true, timeoutMs: TIMEOUT_MS });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
