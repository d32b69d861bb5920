/** What is started as the engine: runs its bundle, `engine-main.js`, with the code kept of it in the state directory. */
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { forChildren } from '../api/engine/environment';
import { stateDirectory } from '../api/rules/endpoint';
import { runWithKeptCode } from './kept-code';

// What V8 makes new objects in never shrinks again: one busy moment would cost 30 MiB for good. Part of what kept code fits.
setFlagsFromString('--semi-space-growth-factor=1');

forChildren(process.env);

// VS Code's Node and the user's own have a V8 each, and may start the engine by turns.
const maker = process.versions.electron === undefined ? 'node' : 'electron';

runWithKeptCode(join(__dirname, 'engine-main.js'), join(stateDirectory(), `engine.${maker}.code`));
