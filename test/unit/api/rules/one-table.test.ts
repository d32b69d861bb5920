import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { verbs, workspaceStates } from '../../../../src/api/rules/lifecycle';

const root = join(__dirname, '../../../../..');
const table = 'src/api/rules/lifecycle.ts';

/** Words and icons for states, which only VS Code has. */
const allowed: Readonly<Record<string, string>> = {
  'src/providers/trees/workspace-item.ts': 'an icon for each state that has one of its own',
  'src/ui/words.ts': 'a word for each state, complete by the compiler',
};

const isLiteral = (node: ts.Node): node is ts.StringLiteralLike => ts.isStringLiteralLike(node);
const textOf = (node: ts.Node): string[] => {
  if (isLiteral(node)) return [node.text];
  return ts.isLiteralTypeNode(node) && isLiteral(node.literal) ? [node.literal.text] : [];
};

/** What `a === 'x' || a === 'y'` and the like compare with. */
function compared(node: ts.Expression): string[] {
  if (ts.isParenthesizedExpression(node)) return compared(node.expression);
  if (!ts.isBinaryExpression(node)) return [];
  const kind = node.operatorToken.kind;
  if (kind === ts.SyntaxKind.BarBarToken || kind === ts.SyntaxKind.AmpersandAmpersandToken) {
    return [...compared(node.left), ...compared(node.right)];
  }
  const isComparison =
    kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsEqualsToken;
  return isComparison ? [...textOf(node.left), ...textOf(node.right)] : [];
}

/** The words that a node lists: of arrays, unions, chains of comparisons, switches, and patterns in strings. */
function listed(node: ts.Node): string[] {
  if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap(textOf);
  if (ts.isUnionTypeNode(node)) return node.types.flatMap(textOf);
  if (ts.isBinaryExpression(node)) return compared(node);
  if (ts.isSwitchStatement(node)) {
    return node.caseBlock.clauses.flatMap((clause) =>
      ts.isCaseClause(clause) ? textOf(clause.expression) : [],
    );
  }
  if (isLiteral(node)) return node.text.split('|');
  return ts.isRegularExpressionLiteral(node) ? node.text.split(/[|()]/) : [];
}

function listsIn(path: string): { states: number; verbs: number } {
  const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest);
  const most = { states: 0, verbs: 0 };
  const visit = (node: ts.Node): void => {
    const words = new Set(listed(node));
    const count = (names: readonly string[]): number => names.filter((name) => words.has(name)).length;
    most.states = Math.max(most.states, count(workspaceStates));
    most.verbs = Math.max(most.verbs, count(verbs));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return most;
}

describe('the states and verbs of workspaces', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => `src/${path}`)
    // Drivers know the states of runtimes, which are fewer, and their own.
    .filter((path) => path.endsWith('.ts') && path !== table && !path.startsWith('src/backend/drivers/'));

  it('are listed in their one table only: what depends on several of them is a column there', () => {
    const found = files.filter((path) => {
      const { states, verbs } = listsIn(path);
      return states > 1 || verbs > 2;
    });
    assert.deepEqual(found.sort(), Object.keys(allowed).sort());
  });

  it('would be found in another place', () => {
    assert.ok(listsIn(table).states > 1);
    assert.ok(listsIn('src/ui/words.ts').states > 10);
    assert.ok(listsIn('src/providers/trees/workspace-item.ts').states > 2);
  });
});
