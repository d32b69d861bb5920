import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../../..');

/** Private words, by the usual ones that CONTRIBUTING.md lists in their place. */
const usual: readonly (readonly [RegExp, string])[] = [
  [/^(?:tell|told|telling)(?:[A-Z]|$)|^is\w*Told$/, 'report'],
  [/^(?:most|longest|largest)[A-Z]/, 'max…'],
  [/patience/i, 'timeout'],
  [/^(?:own)?surroundings$/i, 'environment'],
];

/** The names that a source declares. */
function declaredIn(text: string): string[] {
  const source = ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest);
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    const name = (node as ts.Node & { name?: ts.Node }).name;
    const isUse = ts.isPropertyAccessExpression(node);
    if (name !== undefined && ts.isIdentifier(name) && !isUse) names.push(name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

const privateWords = (text: string): string[] =>
  declaredIn(text).flatMap((name) =>
    usual.filter(([word]) => word.test(name)).map(([, instead]) => `${name}: say ${instead}`),
  );

describe('the names in the sources', () => {
  it('are made of the usual words', () => {
    const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const found = paths
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) =>
        privateWords(readFileSync(join(root, 'src', path), 'utf8')).map((each) => `src/${path}: ${each}`),
      );
    assert.ok(paths.length > 500);
    assert.deepEqual(found, []);
  });

  it('would be found when they are not', () => {
    assert.deepEqual(privateWords('const longestLine = 1; function tell(told: string) {}'), [
      ...['longestLine: say max…', 'tell: say report', 'told: say report'],
    ]);
    assert.deepEqual(privateWords("this.tell(); const most = 'told'; const utmostCare = 1;"), []);
  });
});
