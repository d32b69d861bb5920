import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { fileNameProblem, isName, isVariableName, isVolumeName } from '../../../../src/api/rules/names';

const root = join(__dirname, '../../../../..');
const rules: readonly string[] = ['src/api/rules/names.ts', 'src/api/rules/sizes.ts'];

/** Numbers that bound other things than names of files. */
const allowed: Readonly<Record<string, string>> = {
  'src/backend/tar/header.ts': 'names of attributes, and how much of a name in a tar is read',
  'src/backend/ext4/structures/attributes.ts': 'names of attributes',
  'src/backend/drivers/microvms/runtimes/runtime-files.ts': 'addresses of sockets',
  'src/backend/drivers/microvms/rootfs/overlay.ts': 'the name of a base in a qcow2 image',
};

const copied = [
  ['a pattern of names', /\{0,61\}|\{[01],254\}|\^\[A-Za-z_\]\[A-Za-z0-9_\]\*\$/],
  ['a reader of sizes', /kmgt|\(m\|mb/],
  ['names of units', /^[KMGT]iB$/],
] as const;

function literals(path: string): { texts: string[]; bounds: string[] } {
  const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest);
  const found = { texts: new Array<string>(), bounds: new Array<string>() };
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isRegularExpressionLiteral(node)) found.texts.push(node.text);
    const isBound =
      ts.isVariableDeclaration(node) &&
      ts.isIdentifier(node.name) &&
      /^max\w*(?:Name|Path)\w*Bytes$/.test(node.name.text);
    if (isBound) found.bounds.push(node.name.getText(source));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('names', () => {
  it('of workspaces are lowercase letters, digits and hyphens inside', () => {
    assert.deepEqual(['a', 'a-1', '0', 'x'.repeat(63)].map(isName), [true, true, true, true]);
    for (const name of ['', '-a', 'a-', 'A', 'a_b', 'a.b', 'ü', 'x'.repeat(64), 'a\n']) {
      assert.equal(isName(name), false, JSON.stringify(name));
    }
  });

  it('of volumes may be those that other tools give', () => {
    assert.deepEqual(['A', 'a_b.c-d', 'x'.repeat(255)].map(isVolumeName), [true, true, true]);
    assert.deepEqual(['', '.a', '_a', 'a/b', 'a b', 'x'.repeat(256)].some(isVolumeName), false);
  });

  it('of variables are those of a shell', () => {
    assert.deepEqual(['A', '_a1'].map(isVariableName), [true, true]);
    assert.deepEqual(['', '1A', 'A-B', 'A=', 'Ü'].some(isVariableName), false);
  });

  it('of files have at most 255 bytes, whatever their characters', () => {
    assert.equal(fileNameProblem('ü'.repeat(127)), undefined);
    assert.equal(fileNameProblem('ü'.repeat(128)), 'long');
    // What it is written as on a disk may be shorter than its text.
    assert.equal(fileNameProblem('ü'.repeat(128), 128), undefined);
    assert.deepEqual(
      ['', 'a/b', 'a\0b', '.', '..', ' '].map((name) => fileNameProblem(name)),
      [...['empty', 'slash', 'slash', 'dots', 'dots'], undefined],
    );
  });

  it('and sizes have their rules in one place', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .map((path) => `src/${path}`)
      .filter((path) => path.endsWith('.ts') && !rules.includes(path));
    const found = files.flatMap((path) => {
      const { texts, bounds } = literals(path);
      const copies = copied.filter(([, pattern]) => texts.some((text) => pattern.test(text)));
      return [
        ...copies.map(([what]) => `${path}: ${what}`),
        ...(path in allowed ? [] : bounds.map((bound) => `${path}: ${bound}`)),
      ];
    });
    assert.ok(files.length > 500);
    assert.deepEqual(found, []);
    for (const path of Object.keys(allowed)) {
      assert.notDeepEqual(literals(path).bounds, [], `${path} needs no exception any more`);
    }
  });
});
