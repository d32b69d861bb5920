import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { allowed, everywhere, javascript, rooms, scripts, syntax, types } from './seeds';

const root = join(__dirname, '../../../..');

/** What the seeds of TypeScript may use. */
const given: Record<string, string> = {
  n: 'number',
  s: 'string',
  o: 'Record<string, number>',
  f: '(value: unknown) => void',
  g: '() => Promise<number>',
};
const givenText = Object.entries(given).map(([name, type]) => `export declare const ${name}: ${type};`);

function withGiven(text: string): string {
  const names = Object.keys(given).filter((name) => new RegExp(`\\b${name}\\b`).test(text));
  return names.length === 0 ? text : `import { ${names.join(', ')} } from './given';\n${text}`;
}

const seedFile = (rule: string, extension: string): string => `src/${rule.replace('/', '.')}${extension}`;
/** As reports name it. */
const codeOf = (rule: string): string =>
  rule.startsWith('typescript/') ? `typescript(${rule.slice('typescript/'.length)})` : `eslint(${rule})`;
const seeds = [
  ...Object.entries(scripts).map(([rule, text]) => ({ rule, file: seedFile(rule, '.js'), text })),
  ...Object.entries(javascript).map(([rule, text]) => ({ rule, file: seedFile(rule, '.mjs'), text })),
  ...Object.entries({ ...everywhere, ...syntax, ...types }).map(([rule, text]) => ({
    rule,
    file: seedFile(rule, '.ts'),
    text: withGiven(text),
  })),
];
const imports = Object.entries(rooms).map(([file, { refused, allowed: permitted = [] }]) => {
  const declarations = [...refused, ...permitted].map((name) => `import ${JSON.stringify(name)};`);
  return { file: `src/${file}`, text: declarations.join('\n'), refused };
});
/** In ESLint's words, which count for nothing. */
const switchedOff = `/* ${['eslint', 'disable'].join('-')} */\nexport var a = 1;`;

interface Diagnostic {
  code: string;
  filename: string;
  labels: { span: { line: number } }[];
}

/** Runs oxlint by this repository's rules in a folder of these files. */
function lint(files: Readonly<Record<string, string>>): Diagnostic[] {
  const folder = mkdtempSync(join(tmpdir(), 'berth-lint-'));
  try {
    for (const name of ['oxlint.config.mjs', 'tsconfig.json'])
      copyFileSync(join(root, name), join(folder, name));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
    const argv = [oxlint, '--config', 'oxlint.config.mjs', '--format', 'json'];
    const options = { cwd: folder, encoding: 'utf8', maxBuffer: 100_000_000 } as const;
    const { stdout, stderr } = spawnSync(process.execPath, argv, options);
    assert.ok(stdout.startsWith('{'), `${stdout}${stderr}`);
    return (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Config {
  rules: Record<string, unknown>;
  overrides: { rules?: Record<string, unknown> }[];
}

describe('lint', () => {
  let found: Diagnostic[];
  const codesOf = (file: string): string[] =>
    found.filter(({ filename }) => filename === file).map(({ code }) => code);

  before(function () {
    this.timeout(60_000);
    found = lint({
      'src/given.ts': givenText.join('\n'),
      'src/allowed.ts': withGiven(allowed),
      'src/off.ts': switchedOff,
      ...Object.fromEntries([...seeds, ...imports].map(({ file, text }) => [file, text])),
    });
  });

  it('sees each rule broken', () => {
    const unseen = seeds.filter(({ rule, file }) => !codesOf(file).includes(codeOf(rule)));
    assert.deepEqual(unseen, []);
  });

  it('has no rule that was never seen broken', async () => {
    const { href } = pathToFileURL(join(root, 'oxlint.config.mjs'));
    const config = ((await import(href)) as { default: Config }).default;
    const set = [config, ...config.overrides].flatMap(({ rules = {} }) => Object.keys(rules));
    const seeded = [...seeds.map(({ rule }) => rule), 'no-restricted-imports'];
    assert.deepEqual([...new Set(set)].sort(), [...new Set(seeded)].sort());
  });

  it('lets pass what the options allow', () => {
    assert.deepEqual([codesOf('src/given.ts'), codesOf('src/allowed.ts')], [[], []]);
  });

  for (const { file, refused } of imports)
    it(`refuses what ${file} must not import, and nothing else`, () => {
      const lines = found
        .filter(({ filename, code }) => filename === file && code === 'eslint(no-restricted-imports)')
        .map(({ labels }) => labels[0]?.span.line ?? 0);
      assert.deepEqual(
        lines.sort((a, b) => a - b),
        refused.map((_, at) => at + 1),
      );
    });

  it('is not switched off in place', () => {
    assert.ok(codesOf('src/off.ts').includes('eslint(no-var)'));
    const directive = /\b(?:es|ox)lint-(?:disable|enable)/;
    const sources = ['bench', 'media', 'scripts', 'src', 'test'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(?:[cm]?js|m?ts)$/.test(name))
        .map((name) => join(folder, name)),
    );
    assert.ok(sources.length > 1000, 'the sources were found');
    assert.deepEqual(
      sources.filter((path) => directive.test(readFileSync(join(root, path), 'utf8'))),
      [],
    );
  });
});
