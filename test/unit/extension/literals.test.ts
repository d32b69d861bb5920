import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../../../..');

/** Properties whose texts a person reads, in objects that VS Code is given. */
const shown =
  /^(?:label|description|detail|placeHolder|placeholder|prompt|title|tooltip|message|hint|validationMessage|openLabel|saveLabel)$/;
/** Calls and constructors that show what they are given. */
const shows =
  /^(?:show\w*Message|setStatusBarMessage|appendMarkdown|Error|BerthError|TreeItem|MarkdownString)$/;

/** Two words, or one of more than a few letters with a capital: no id, no icon, no mark. */
const isSentence = (text: string): boolean =>
  /[A-Za-z]{2,} +[A-Za-z]{2,}|^[A-Z][a-z]{3,}/.test(
    text.replace(/\$\([\w~-]+\)/g, '').replace(/^Berth$/, ''),
  );

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('');
}

const nameOf = (node: ts.Node): string =>
  ts.isPropertyAccessExpression(node) ? node.name.text : ts.isIdentifier(node) ? node.text : '';

/** What the text becomes, by the nearest that takes it: undefined where no person reads it. */
function takerOf(node: ts.Node): string | undefined {
  for (
    let { parent } = node, child = node;
    !ts.isSourceFile(parent);
    child = parent, parent = parent.parent
  ) {
    if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) {
      const taker = nameOf(parent.expression);
      return shows.test(taker) ? taker : undefined;
    }
    if (ts.isPropertyAssignment(parent) && parent.initializer === child) {
      const taker = parent.name.getText();
      return shown.test(taker) ? taker : undefined;
    }
    if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
      const taker = nameOf(parent.left);
      return shown.test(taker) ? taker : undefined;
    }
    if (ts.isStatement(parent) || ts.isArrowFunction(parent)) return undefined;
  }
  return undefined;
}

/** Texts that a person reads and no translator has. */
function untranslated(text: string): string[] {
  const source = ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const literal = textOf(node);
    const taker = literal !== undefined && isSentence(literal) ? takerOf(node) : undefined;
    if (taker !== undefined) found.push(`${taker}: ${literal}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('what a person reads in VS Code', () => {
  it('goes through l10n.t', () => {
    const files = ['src/commands', 'src/providers', 'src/ui'].flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !name.startsWith('contributions'))
        .map((name) => `${room}/${name}`),
    );
    const found = files.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      // What does not know VS Code has the words of the engine, as any other client.
      return text.includes("from 'vscode'") ? untranslated(text).map((each) => `${file}: ${each}`) : [];
    });
    assert.ok(files.length > 150);
    assert.deepEqual(found, []);
  });

  it('would be found when it does not', () => {
    const texts = [
      "showInformationMessage('All is well')",
      "pick({ placeHolder: isNew ? 'Name of it' : t('Name') })",
      'item.tooltip = `in use by ${name}`',
      "throw new Error('Nothing was found')",
      "new vscode.TreeItem('Files')",
    ];
    assert.equal(untranslated(texts.join(';\n')).length, texts.length);
    const others = [
      "log.info('All is well')",
      "item.contextValue = 'two words'",
      "x({ label: t('All is well') })",
    ];
    assert.deepEqual(untranslated(others.join(';\n')), []);
  });
});
