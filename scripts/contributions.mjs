/**
 * `npm run contributions`: writes what src/ui/contributions says into package.json. `npm run build` does it first; `npm test` does not,
 * so that its tests see what is committed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './lib/paths.mjs';

const require = createRequire(import.meta.url);
const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };

// A handful of files without dependencies: they run as they are, no build needed.
require.extensions['.ts'] = (module, path) => {
  const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions, fileName: path });
  Reflect.apply(Reflect.get(module, '_compile'), module, [outputText, path]);
};

const { generated } = require(join(ROOT, 'src/ui/contributions/manifest.ts'));
const path = join(ROOT, 'package.json');
const before = await readFile(path, 'utf8');
const after = `${JSON.stringify({ ...JSON.parse(before), ...generated() }, null, 2)}\n`;
if (after === before) {
  console.log('package.json is up to date');
} else {
  await writeFile(path, after);
  console.log('package.json is written');
}
