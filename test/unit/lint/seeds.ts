/** What breaks each rule of oxlint.config.mjs, by its name there. */

/** Of JavaScript. Each is a module of its own. */
export const javascript: Record<string, string> = {
  'constructor-super': 'export class B extends Array { constructor() {} }',
  'getter-return': 'export const o = { get a() { o.b; } };',
  'no-class-assign': 'class A {}\nA = 0;\nexport { A };',
  'no-const-assign': 'const a = 1;\na = 2;\nexport { a };',
  'no-dupe-class-members': 'export class A { a() {} a() {} }',
  'no-dupe-keys': 'export const a = { b: 1, b: 2 };',
  'no-func-assign': 'function f() {}\nf = 1;\nexport { f };',
  'no-import-assign': "import { join } from 'node:path';\njoin = 1;",
  'no-new-native-nonconstructor': 'export const a = new Symbol();',
  'no-obj-calls': 'export const a = Math();',
  'no-redeclare': 'var a = 1;\nvar a = 2;\nexport { a };',
  'no-setter-return': 'export const a = { set b(c) { return c; } };',
  'no-this-before-super': 'export class B extends Array { constructor() { this.a = 1; super(); } }',
  'no-undef': 'export const a = nowhere;',
  'no-unreachable': 'export function f() { return 1; f(); }',
  'no-unsafe-negation': "export const a = (b) => !'c' in b;",
  'no-unused-vars': 'const a = 1;',
};

/** Of scripts that are no modules: in these it is a syntax error. */
export const scripts: Record<string, string> = {
  'no-delete-var': 'var a = 1;\ndelete a;',
  'no-nonoctal-decimal-escape': "module.exports = '\\8';",
  'no-with': 'with (module) exports;',
};

/** Of all files, by their syntax. */
export const everywhere: Record<string, string> = {
  'for-direction': 'for (let i = 0; i < 10; i--) f(i);',
  'no-async-promise-executor': 'export const a = new Promise(async (done) => { done(await g()); });',
  'no-case-declarations': 'switch (n) { case 1: let a = 1; f(a); }',
  'no-compare-neg-zero': 'export const a = n === -0;',
  'no-cond-assign': 'let a = 1;\nif (a = n) f(a);',
  'no-constant-binary-expression': 'export const a = {} ?? n;',
  'no-constant-condition': "if ('a') f(1);",
  'no-control-regex': 'export const a = /\\x1f/;',
  'no-debugger': 'debugger;',
  'no-dupe-else-if': 'if (n === 1) f(1);\nelse if (n === 1) f(2);',
  'no-duplicate-case': 'switch (n) { case 1: break; case 1: break; }',
  'no-empty': 'if (n === 1) {}',
  'no-empty-character-class': 'export const a = /a[]/;',
  'no-empty-pattern': 'export const {} = o;',
  'no-empty-static-block': 'export class A { static {} }',
  'no-ex-assign': 'try { f(1); } catch (error) { error = 1; f(error); }',
  'no-extra-boolean-cast': 'if (!!n) f(1);',
  'no-fallthrough': 'switch (n) { case 1: f(1); case 2: f(2); }',
  'no-global-assign': 'Object = n;',
  'no-invalid-regexp': "export const a = new RegExp('[');",
  'no-irregular-whitespace': 'export const a =\u00a01;',
  'no-loss-of-precision': 'export const a = 9007199254740993;',
  'no-misleading-character-class': 'export const a = /[👍]/;',
  'no-prototype-builtins': "export const a = o.hasOwnProperty('b');",
  'no-regex-spaces': 'export const a = /b  c/;',
  'no-self-assign': 'let a = 1;\na = a;\nf(a);',
  'no-shadow-restricted-names': 'export const a = (undefined: number) => undefined;',
  'no-sparse-arrays': 'export const a = [1, , 2];',
  'no-unassigned-vars': 'let a: number | undefined;\nf(a);',
  'no-unexpected-multiline': 'export const a = f\n(1);',
  'no-unsafe-finally': 'export function a() { try { return 1; } finally { return 2; } }',
  'no-unsafe-optional-chaining': 'export const a = (b?: { c: () => void }) => (b?.c)();',
  'no-unused-labels': 'a: for (const b of [1]) f(b);',
  'no-unused-private-class-members': 'export class A { #b = 1; }',
  'no-useless-assignment': 'export function a() { let b = 1; f(b); b = 2; }',
  'no-useless-backreference': 'export const a = /\\1(b)/;',
  'no-useless-catch': 'try { f(1); } catch (error) { throw error; }',
  'no-useless-escape': "export const a = '\\d';",
  'preserve-caught-error': "try { f(1); } catch (error) { throw new Error('a'); }",
  'require-yield': 'export function* a() { f(1); }',
  'use-isnan': 'export const a = n === NaN;',
  'valid-typeof': "export const a = typeof n === 'strnig';",
};

const long = (count: number): string => Array.from({ length: count }, (_, at) => `f(${at});`).join('\n');

/** Of TypeScript, by its syntax. */
export const syntax: Record<string, string> = {
  eqeqeq: 'export const a = n == 1;',
  'max-lines': long(401),
  'max-lines-per-function': `export function a() {\n${long(61)}\n}`,
  'no-array-constructor': 'export const a = new Array(0, 1);',
  'no-console': 'console.log(n);',
  'no-unused-expressions': 'n;',
  'no-unused-vars': 'const a = 1;',
  'no-useless-constructor': 'export class A { constructor() {} }',
  'no-var': 'export var a = 1;',
  'prefer-const': 'let a = 1;\nf(a);',
  'prefer-rest-params': 'export function a() { return arguments; }',
  'prefer-spread': 'const a = [1];\nMath.max.apply(Math, a);',
  'typescript/ban-ts-comment': '// @ts-ignore\nf(1);',
  'typescript/no-duplicate-enum-values': 'export enum A { B = 1, C = 1 }',
  'typescript/no-dynamic-delete': 'delete o[String(n)];',
  'typescript/no-empty-object-type': 'export type A = {};',
  'typescript/no-explicit-any': 'export type A = any;',
  'typescript/no-extra-non-null-assertion': 'export const a = (b?: string) => b!!;',
  'typescript/no-extraneous-class': 'export class A {}',
  'typescript/no-misused-new': 'export interface A { new (): A }',
  'typescript/no-namespace': 'export namespace A { export const b = 1; }',
  'typescript/no-non-null-asserted-nullish-coalescing': 'export const a = o.b! ?? 1;',
  'typescript/no-non-null-asserted-optional-chain': 'export const a = (b?: string) => b?.length!;',
  'typescript/no-non-null-assertion': 'export const a = (b?: string) => b!;',
  'typescript/no-require-imports': "export const a = require('node:path') as unknown;",
  'typescript/no-this-alias': 'export function a(this: Date) { const b = this; f(b); }',
  'typescript/no-unnecessary-type-constraint': 'export type A<T extends unknown> = T;',
  'typescript/no-unsafe-declaration-merging': 'export interface A { b: 1 }\nexport class A { c = 1 }',
  'typescript/no-unsafe-function-type': 'export type A = Function;',
  'typescript/no-wrapper-object-types': 'export type A = String;',
  'typescript/prefer-as-const': "export const a = 'b' as 'b';",
  'typescript/prefer-literal-enum-member': 'export enum A { B = n }',
  'typescript/prefer-namespace-keyword': 'declare module A {}',
  'typescript/triple-slash-reference': '/// <reference path="./given.ts" />',
};

/** Of TypeScript, by its types. */
export const types: Record<string, string> = {
  'typescript/await-thenable': 'await n;',
  'typescript/no-array-delete': 'const a = [1];\ndelete a[0];',
  'typescript/no-base-to-string': 'export const a = String(o);',
  'typescript/no-confusing-void-expression': 'export const a = (): void => { return f(1); };',
  'typescript/no-deprecated': '/** @deprecated */\nconst a = 1;\nf(a);',
  'typescript/no-duplicate-type-constituents': "export type A = 'b' | 'b';",
  'typescript/no-floating-promises': 'g();',
  'typescript/no-for-in-array': 'for (const a in [1]) f(a);',
  'typescript/no-generated-empty-object-type': "export type A = Omit<{ b: 1 }, 'b'>;",
  'typescript/no-implied-eval': "setTimeout('f(1)', 1);",
  'typescript/no-meaningless-void-operator': 'void f(1);',
  'typescript/no-misused-promises': 'if (g()) f(1);\n[1].forEach(async () => { await g(); });',
  'typescript/no-misused-spread': 'export const a = { ...new Map([[1, 2]]) };',
  'typescript/no-mixed-enums': "export enum A { B = 1, C = 'c' }",
  'typescript/no-unnecessary-boolean-literal-compare': 'export const a = (b: boolean) => b === true;',
  'typescript/no-unnecessary-condition': 'export const a = (b: string) => b ?? 1;',
  'typescript/no-unnecessary-template-expression': "export const a = `${'b'}`;",
  'typescript/no-unnecessary-type-arguments': 'const a = <T = string>(b?: T) => b;\na<string>();',
  'typescript/no-unnecessary-type-assertion': 'export const a = n as number;',
  'typescript/no-unnecessary-type-conversion': "export const a = String('b');",
  'typescript/no-unnecessary-type-parameters': 'export const a = <T>(b: T): void => { f(b); };',
  'typescript/no-unsafe-argument': 'export const a = (b: string[]) => b.push(JSON.parse(s));',
  'typescript/no-unsafe-assignment': 'export const a = JSON.parse(s);',
  'typescript/no-unsafe-call': 'JSON.parse(s)();',
  'typescript/no-unsafe-enum-assignment': 'enum A { B = 1 }\nexport const a: A = n;',
  'typescript/no-unsafe-enum-comparison': 'enum A { B = 1 }\nexport const a = (b: A) => b === 1;',
  'typescript/no-unsafe-member-access': 'f(JSON.parse(s).a);',
  'typescript/no-unsafe-return': 'export const a = (): string => JSON.parse(s);',
  'typescript/no-unsafe-unary-minus': 'export const a = (b: string) => -b;',
  'typescript/no-useless-default-assignment': 'export const a = [1].map((b = 2) => b);',
  'typescript/prefer-reduce-type-parameter':
    'export const a = [1].reduce((b, c) => b.concat(c), [] as number[]);',
  'typescript/prefer-return-this-type': 'export class A { b = 1; c(): A { return this; } }',
  'typescript/related-getter-setter-pairs': 'export interface A { get b(): string; set b(value: number); }',
  'typescript/require-await': 'export const a = async () => { f(1); };',
  'typescript/restrict-plus-operands': "export const a = 'b' + n;",
  'typescript/restrict-template-expressions': 'export const a = `${o}`;',
  'typescript/return-await': 'export const a = async () => { try { return g(); } catch { return 1; } };',
  'typescript/unbound-method': 'class A { b = 1; c() { return this.b; } }\nexport const { c } = new A();',
  'typescript/use-unknown-in-catch-callback-variable': 'void g().catch((error) => { f(error); });',
};

/** What is no violation, as the options of the rules allow it. */
export const allowed = `
export const a = (): void => f(1);
export const b = \`\${n} \${n > 1} \${s}\`;
export const c = (_unused: number): number => n;
export function d({ e, ...rest }: { e: number; i: number }): { i: number } {
  return rest;
}
`;

/** Of src/: what the files of a room must not import, and what they may. */
export const rooms: Record<string, { refused: string[]; allowed?: string[] }> = {
  'extension.ts': { refused: ['./backend/main', './cli/main'], allowed: ['./commands/table', 'vscode'] },
  'commands/deep/a.ts': {
    refused: ['../../backend/main', '../../cli/main', 'child_process', 'node:child_process', 'cross-spawn'],
    allowed: ['../../client/a', '../../providers/a', '../../ui/a', 'vscode'],
  },
  'providers/a.ts': {
    refused: ['../backend/main', '../cli/a', '../commands/a'],
    allowed: ['../ui/a', 'vscode'],
  },
  'ui/a.ts': {
    refused: ['../backend/a', '../cli/a', '../commands/a', '../providers/a'],
    allowed: ['../client/a'],
  },
  'ui/contributions/a.ts': {
    refused: [
      'vscode',
      ...['backend', 'cli', 'client', 'commands', 'providers'].map((room) => `../../${room}/a`),
    ],
    allowed: ['../../api/a'],
  },
  'cli/a.ts': {
    refused: ['vscode', '../backend/a', '../ui/a', '../commands/a', '../providers/a', 'node:child_process'],
    allowed: ['../client/a', '../api/a'],
  },
  'cli/child.ts': { refused: ['vscode', '../backend/a', '../ui/a'], allowed: ['cross-spawn', '../client/a'] },
  'client/a.ts': {
    refused: ['vscode', '../backend/a', '../cli/a', '../ui/a', 'cross-spawn'],
    allowed: ['../api/a'],
  },
  'client/start-engine.ts': {
    refused: ['vscode', '../backend/a', '../cli/a'],
    allowed: ['node:child_process'],
  },
  'api/deep/a.ts': {
    refused: ['vscode', '../../backend/a', '../../client/a', '../../cli/a', '../../ui/a', 'child_process'],
    allowed: ['../a'],
  },
  'backend/a.ts': {
    refused: ['vscode', '../client/a', '../ui/a', 'child_process'],
    allowed: ['./server/a', '../api/a'],
  },
  'backend/server/a.ts': {
    refused: ['vscode', '../drivers/a', '../files/a', '../ssh/a', '../store/a', '../tar/a', '../ext4/a'],
    allowed: ['../services/a', '../machine/a'],
  },
  'backend/services/deep/a.ts': {
    refused: ['../../../client/a', '../../server/a', '../../drivers/microvms/a'],
    allowed: ['../../drivers/driver', '../../store/a'],
  },
  'backend/drivers/a.ts': {
    refused: ['../services/a', '../server/a', '../ssh/a', './containers/a'],
    allowed: ['../files/a'],
  },
  'backend/drivers/contract/a.ts': { refused: ['../../services/a', '../microvms/a'], allowed: ['../driver'] },
  'backend/drivers/containers/a.ts': {
    refused: ['../microvms/a', '../../services/a'],
    allowed: ['../driver', './engine/a'],
  },
  'backend/drivers/microvms/deep/a.ts': {
    refused: ['../../containers/a', '../../../ssh/a'],
    allowed: ['../../driver', '../a'],
  },
  'backend/files/a.ts': { refused: ['../drivers/a', '../ssh/a', '../server/a'], allowed: ['../inside/a'] },
  'backend/ssh/a.ts': { refused: ['../drivers/a', '../files/a', '../services/a'], allowed: ['../store/a'] },
  'backend/store/a.ts': { refused: ['../files/a', '../inside/a', '../tar/a'], allowed: ['../machine/a'] },
  'backend/inside/a.ts': { refused: ['../images/a', '../ext4/a', '../store/a'], allowed: ['../tar/a'] },
  'backend/images/a.ts': { refused: ['../inside/a', '../ext4/a', '../store/a'], allowed: ['../tar/a'] },
  'backend/ext4/a.ts': { refused: ['../inside/a', '../tar/a', '../images/a'], allowed: ['../machine/a'] },
  'backend/tar/a.ts': { refused: ['../inside/a', '../images/a', '../ext4/a'], allowed: ['../machine/a'] },
  'backend/machine/a.ts': {
    refused: ['../tar/a', '../store/a', '../services/a', 'child_process'],
    allowed: ['./b'],
  },
  'backend/machine/run.ts': {
    refused: ['../tar/a', '../store/a', 'vscode'],
    allowed: ['node:child_process'],
  },
};
