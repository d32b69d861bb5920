import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../../..');
const leastDescribed = 0.99;

interface Exported {
  name: string;
  isDescribed: boolean;
}

const isFunction = ({ initializer }: ts.VariableDeclaration): boolean =>
  initializer !== undefined && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer));

const isDescribed = (node: ts.Node): boolean => ts.getJSDocCommentsAndTags(node).length > 0;

/** The names of the functions and classes that a statement exports. */
function namesOf(statement: ts.Statement): string[] {
  const isExported =
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  if (!isExported) return [];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.filter(isFunction).map(({ name }) => name.getText());
  }
  return ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)
    ? [statement.name?.text ?? 'default']
    : [];
}

/** A file that is there for one class describes it at its top. An overload is described with the first one. */
function exportsOf(path: string, text: string): Exported[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const classes = source.statements.filter((each) => ts.isClassDeclaration(each) && namesOf(each).length > 0);
  const hasHead = /^\/\*\*/.test(text);
  const found = new Map<string, boolean>();
  for (const statement of source.statements) {
    const isWholeFile = classes.length === 1 && ts.isClassDeclaration(statement) && hasHead;
    for (const name of namesOf(statement)) {
      found.set(name, found.get(name) === true || isWholeFile || isDescribed(statement));
    }
  }
  return [...found].map(([name, described]) => ({ name: `${path}: ${name}`, isDescribed: described }));
}

describe('exported functions and classes', () => {
  it('say what they do, in which units, and which errors they throw', () => {
    const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const all = paths
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => exportsOf(`src/${path}`, readFileSync(join(root, 'src', path), 'utf8')));
    const bare = all.filter((each) => !each.isDescribed).map(({ name }) => name);
    assert.ok(all.length > 1000, 'they were found');
    assert.ok(bare.length <= all.length * (1 - leastDescribed), `not described:\n${bare.join('\n')}`);
  });

  it('are seen where they lack a description', () => {
    const described = exportsOf(
      'a.ts',
      [
        '/** What the file is for. */',
        "import 'b';",
        'export class A {}',
        'export function f() {}',
        '/** Bytes. */',
        'export const g = () => 1;',
        'export const notOne = 1;',
        'function own() {}',
      ].join('\n'),
    );
    assert.deepEqual(described, [
      { name: 'a.ts: A', isDescribed: true },
      { name: 'a.ts: f', isDescribed: false },
      { name: 'a.ts: g', isDescribed: true },
    ]);
  });
});
