import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..', '..', '..');
/** Libraries that take long to be read, and that the first answer does not need. */
const later = ['ssh2', 'rotating-file-stream'];

/** `import … from 'x'` and `export … from 'x'`, but for types: what runs as soon as a file is read. */
function importsOf(path: string): string[] {
  const statements = readFileSync(path, 'utf8').matchAll(
    /^(?:import|export)\s(?:[^;'"]*?\sfrom\s)?'([^']+)'/gm,
  );
  return [...statements].filter(([text]) => !isOfTypes(text)).map(([, from = '']) => from);
}

function isOfTypes(statement: string): boolean {
  const [, names = ''] = /^(?:import|export)\s+\{([^}]*)\}/.exec(statement) ?? [];
  const all = names.split(',').filter((name) => name.trim() !== '');
  return (
    /^(?:import|export)\s+type\s/.test(statement) ||
    (all.length > 0 && all.every((name) => /^\s*type\s/.test(name)))
  );
}

/** All that `entry` reads before it runs, with who asked for it first. */
function readBefore(entry: string): Map<string, string> {
  const found = new Map([[entry, '']]);
  for (const [path] of found) {
    for (const from of path.endsWith('.ts') ? importsOf(path) : []) {
      const base = join(dirname(path), from.replace(/\.js$/, ''));
      const file = [`${base}.ts`, join(base, 'index.ts')].find((each) => existsSync(each));
      const target = from.startsWith('.') ? file : from;
      if (target !== undefined && !found.has(target)) {
        found.set(target, path);
      }
    }
  }
  return found;
}

describe('the start of the engine', () => {
  it('does not wait for libraries that the first answer does without', () => {
    const found = readBefore(join(root, 'src', 'backend', 'main.ts'));
    assert(found.has('fastify') && found.size > 300, 'the imports are followed');
    for (const library of later) {
      const by = found.get(library);
      assert(by === undefined, `${library} is read at the start, by ${by?.slice(root.length + 1) ?? ''}`);
    }
  });
});
