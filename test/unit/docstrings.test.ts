import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../../..');
const leastDescribed = 0.99;

/** How a description says that something is thrown, and which error it is. */
const namesErrors = /\b(throws|rejects|fails with)\b|\b(is|are) thrown\b|usage error/i;

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
function exportsOf(source: ts.SourceFile): Exported[] {
  const { fileName: path, text } = source;
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

interface Thrower {
  name: string;
  namesErrors: boolean;
}

/** Whether a statement hands on what a `catch` around it has caught: that error is another function's. */
function handsOn({ expression, parent }: ts.ThrowStatement): boolean {
  for (let at: ts.Node = parent; !ts.isFunctionLike(at) && !ts.isSourceFile(at); at = at.parent) {
    const caught = ts.isCatchClause(at) ? at.variableDeclaration?.name.getText() : undefined;
    if (ts.isIdentifier(expression) && expression.text === caught) return true;
  }
  return false;
}

/** Functions inside throw for themselves, but for that which a function answers at once. */
function throwsItself(body: ts.Node): boolean {
  const visit = (node: ts.Node): boolean =>
    (ts.isThrowStatement(node) && !handsOn(node)) ||
    (!ts.isFunctionLike(node) && !ts.isClassLike(node) && ts.forEachChild(node, visit) === true);
  return ts.forEachChild(body, visit) === true;
}

function isPublic(member: ts.ClassElement): boolean {
  const modifiers = ts.canHaveModifiers(member) ? (ts.getModifiers(member) ?? []) : [];
  const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
  return !modifiers.some(({ kind }) => hidden.includes(kind));
}

/** Exported functions, and public methods of exported classes, with their body and what has their description. */
function bodiesOf(statement: ts.Statement): { name: string; described: ts.Node; body: ts.Node }[] {
  if (namesOf(statement).length === 0) return [];
  if (ts.isFunctionDeclaration(statement) && statement.body !== undefined) {
    return [{ name: statement.name?.text ?? 'default', described: statement, body: statement.body }];
  }
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name, initializer }) =>
      initializer !== undefined && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer))
        ? [{ name: name.getText(), described: statement, body: initializer.body }]
        : [],
    );
  }
  if (!ts.isClassDeclaration(statement)) return [];
  return statement.members.filter(isPublic).flatMap((member) =>
    (ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member) || ts.isAccessor(member)) &&
    member.body !== undefined
      ? [
          {
            name: `${statement.name?.text ?? ''}.${member.name?.getText() ?? 'constructor'}`,
            described: member,
            body: member.body,
          },
        ]
      : [],
  );
}

function throwersOf({ fileName: path, statements }: ts.SourceFile): Thrower[] {
  return statements
    .flatMap(bodiesOf)
    .filter(({ body }) => throwsItself(body))
    .map(({ name, described }) => ({
      name: `${path}: ${name}`,
      namesErrors: ts.getJSDocCommentsAndTags(described).some((each) => namesErrors.test(each.getText())),
    }));
}

const parse = (path: string, text: string): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);

describe('exported functions and classes', () => {
  let sources: ts.SourceFile[] = [];

  before(() => {
    sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => parse(`src/${path}`, readFileSync(join(root, 'src', path), 'utf8')));
  });

  it('say what they do, and in which units', () => {
    const all = sources.flatMap(exportsOf);
    const bare = all.filter((each) => !each.isDescribed).map(({ name }) => name);
    assert.ok(all.length > 1000, 'they were found');
    assert.ok(bare.length <= all.length * (1 - leastDescribed), `not described:\n${bare.join('\n')}`);
  });

  it('say which errors they throw, where they throw themselves', () => {
    const all = sources.flatMap(throwersOf);
    assert.ok(all.length > 300, 'they were found');
    assert.deepEqual(
      all.filter((each) => !each.namesErrors).map(({ name }) => name),
      [],
    );
  });

  it('are seen where they throw what their description does not say', () => {
    const found = throwersOf(
      parse(
        'a.ts',
        [
          '/** Throws `not_found`. */',
          'export function f() { throw new Error(); }',
          '/** Reads it. */',
          'export const g = () => async () => { throw new Error(); };',
          'export function handsOn() { try { f(); } catch (error) { throw error; } }',
          'export function inside() { return [].map(() => { throw new Error(); }); }',
          'function own() { throw new Error(); }',
          'export class A {',
          '  run() { if (true) throw new Error(); }',
          '  get b() { try { f(); } catch (error) { throw new Error(); } }',
          '  private hidden() { throw new Error(); }',
          '}',
        ].join('\n'),
      ),
    );
    assert.deepEqual(found, [
      { name: 'a.ts: f', namesErrors: true },
      { name: 'a.ts: g', namesErrors: false },
      { name: 'a.ts: A.run', namesErrors: false },
      { name: 'a.ts: A.b', namesErrors: false },
    ]);
  });

  it('are seen where they lack a description', () => {
    const described = exportsOf(
      parse(
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
      ),
    );
    assert.deepEqual(described, [
      { name: 'a.ts: A', isDescribed: true },
      { name: 'a.ts: f', isDescribed: false },
      { name: 'a.ts: g', isDescribed: true },
    ]);
  });
});
