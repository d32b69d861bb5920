/** `npm run package`: builds for production and writes berth-<version>.vsix. Its path is the last line of the output. */
import { packageVsix } from './lib/package.mjs';
import { ensureBuild, ensureDependencies } from './lib/repository.mjs';

const say = (/** @type {string} */ message) => console.log(message);
await ensureDependencies(say);
await ensureBuild(say, 'production');
console.log(await packageVsix());
