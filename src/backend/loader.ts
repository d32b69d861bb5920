/** What is started as the engine: runs its bundle, `engine-main.js`, with the code kept of it in the state directory. */
import { join } from 'node:path';
import { forChildren } from '../api/engine/environment';
import { stateDirectory } from '../api/rules/endpoint';
import { runWithKeptCode } from './kept-code';

forChildren(process.env);

// VS Code's Node and the user's own have a V8 each, and may start the engine by turns.
const maker = process.versions.electron === undefined ? 'node' : 'electron';

/**
 * V8's space for new objects grows at the start, which saves collections then. A busy moment later would make it 30 MiB
 * larger; it shrinks only when the engine rests (`services/engine/idle-memory.ts`).
 */
async function stopGrowing(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
}

runWithKeptCode(
  join(__dirname, 'engine-main.js'),
  join(stateDirectory(), `engine.${maker}.code`),
  () => void stopGrowing(),
);
