import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../../../..');
/** Messages are for people, and change: what these do depends on the code of an error. */
const clients = ['client', 'cli', 'commands', 'providers', 'ui'];
const searches = ['includes', 'startsWith', 'endsWith', 'match', 'search'];
const matches = ['test', 'exec'];
const equals = [
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
];

const isMessage = (node: ts.Node): boolean =>
  ts.isPropertyAccessExpression(node) && node.name.text === 'message';

function isDecision(node: ts.Node): boolean {
  if (ts.isBinaryExpression(node))
    return equals.includes(node.operatorToken.kind) && [node.left, node.right].some(isMessage);
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  const { expression: on, name } = node.expression;
  return (
    (searches.includes(name.text) && isMessage(on)) ||
    (matches.includes(name.text) && node.arguments.some(isMessage))
  );
}

/** What of this source depends on a message. */
function decisionsIn(text: string): string[] {
  const source = ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isDecision(node)) found.push(node.getText());
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('clients', () => {
  it('do nothing that depends on the message of an error', () => {
    const paths = clients.flatMap((room) =>
      readdirSync(join(root, 'src', room), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join('src', room, name)),
    );
    assert.ok(paths.length > 300, 'the sources were found');
    const texts = paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
    const found = texts
      // Most have no such word, and are not worth reading.
      .filter(({ text }) => text.includes('.message'))
      .flatMap(({ path, text }) => decisionsIn(text).map((each) => `${path}: ${each}`));
    assert.deepEqual(found, []);
  });

  for (const each of [
    "a.message === 'b'",
    "'b' != a.b.message",
    ...searches.map((name) => `a.message?.${name}('b')`),
    ...matches.map((name) => `/b/.${name}(a.message)`),
  ])
    it(`would be found with ${each}`, () => {
      assert.deepEqual(decisionsIn(`f(() => ${each});`), [each]);
    });

  it('may say it', () => {
    assert.deepEqual(decisionsIn("f(`${a.message}: ${b.code === 'c'}`, a.code.includes('d'));"), []);
  });
}).timeout(20_000);
