/** What is started as the engine: runs its bundle, `engine-main.js`, with the code kept of it in the state directory. */
import { join } from 'node:path';
import { stateDirectory } from '../api/rules/endpoint';
import { runWithKeptCode } from './kept-code';

// VS Code's Node and the user's own have a V8 each, and may start the engine by turns.
const maker = process.versions.electron === undefined ? 'node' : 'electron';

runWithKeptCode(join(__dirname, 'engine-main.js'), join(stateDirectory(), `engine.${maker}.code`));
