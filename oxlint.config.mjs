/**
 * What oxlint holds: the rules that ESLint recommends and those of typescript-eslint's `strictTypeChecked`, each by its name; what
 * breaks each of them is in test/unit/lint/.
 */
const rulesOf =
  (prefix) =>
  ([names]) =>
    Object.fromEntries(
      names
        .trim()
        .split(/\s+/)
        .map((name) => [`${prefix}${name}`, 'error']),
    );
const eslint = rulesOf('');
const typescript = rulesOf('typescript/');

/** Of all files. */
const everywhere = {
  ...eslint`
    for-direction no-async-promise-executor no-case-declarations no-compare-neg-zero no-cond-assign no-control-regex
    no-constant-binary-expression no-debugger no-delete-var no-dupe-else-if no-duplicate-case no-empty no-empty-character-class
    no-empty-pattern no-empty-static-block no-ex-assign no-extra-boolean-cast no-fallthrough no-global-assign no-invalid-regexp
    no-irregular-whitespace no-loss-of-precision no-misleading-character-class no-nonoctal-decimal-escape no-prototype-builtins
    no-regex-spaces no-self-assign no-shadow-restricted-names no-sparse-arrays no-unassigned-vars no-unexpected-multiline
    no-unsafe-finally no-unsafe-optional-chaining no-unused-labels no-unused-private-class-members no-useless-assignment
    no-useless-backreference no-useless-catch no-useless-escape preserve-caught-error require-yield use-isnan valid-typeof
  `,
  'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
};

/** Of JavaScript: the compiler says the same of TypeScript. */
const javascript = {
  ...eslint`
    constructor-super getter-return no-class-assign no-const-assign no-dupe-class-members no-dupe-keys no-func-assign
    no-import-assign no-new-native-nonconstructor no-obj-calls no-setter-return no-this-before-super no-undef no-unreachable
    no-unsafe-negation no-unused-vars no-with
  `,
  'no-redeclare': ['error', { builtinGlobals: true }],
};

/** Of TypeScript, by how it is written. */
const syntax = {
  ...eslint`
    eqeqeq no-array-constructor no-console no-unused-expressions no-useless-constructor no-var prefer-const prefer-rest-params
    prefer-spread
  `,
  ...typescript`
    no-duplicate-enum-values no-dynamic-delete no-empty-object-type no-explicit-any no-extra-non-null-assertion
    no-extraneous-class no-misused-new no-namespace no-non-null-asserted-nullish-coalescing
    no-non-null-asserted-optional-chain no-non-null-assertion no-require-imports no-this-alias no-unnecessary-type-constraint
    no-unsafe-declaration-merging no-unsafe-function-type no-wrapper-object-types prefer-as-const prefer-literal-enum-member
    prefer-namespace-keyword triple-slash-reference
  `,
  'typescript/ban-ts-comment': ['error', { minimumDescriptionLength: 10 }],
  'no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
  'max-lines': ['error', { max: 400 }],
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
};

/** Of TypeScript, by its types. */
const types = {
  ...typescript`
    await-thenable no-array-delete no-base-to-string no-deprecated no-duplicate-type-constituents no-floating-promises
    no-for-in-array no-generated-empty-object-type no-implied-eval no-meaningless-void-operator no-misused-promises
    no-misused-spread no-mixed-enums no-unnecessary-boolean-literal-compare no-unnecessary-condition
    no-unnecessary-template-expression no-unnecessary-type-arguments no-unnecessary-type-assertion
    no-unnecessary-type-conversion no-unnecessary-type-parameters no-unsafe-argument no-unsafe-assignment no-unsafe-call
    no-unsafe-enum-assignment no-unsafe-enum-comparison no-unsafe-member-access no-unsafe-return no-unsafe-unary-minus
    no-useless-default-assignment prefer-reduce-type-parameter prefer-return-this-type related-getter-setter-pairs require-await
    unbound-method use-unknown-in-catch-callback-variable
  `,
  'typescript/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
  'typescript/restrict-plus-operands': [
    'error',
    {
      allowAny: false,
      allowBoolean: false,
      allowNullish: false,
      allowNumberAndString: false,
      allowRegExp: false,
    },
  ],
  'typescript/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  'typescript/return-await': ['error', 'error-handling-correctness-only'],
};

/** The only files that start programs: the engine's runner, a client that starts the engine, an editor in the terminal. */
const runners = ['src/backend/machine/run.ts', 'src/client/start-engine.ts', 'src/cli/child.ts'];
const programs = {
  regex: '^((node:)?child_process|cross-spawn)$',
  message: 'Programs are run by src/backend/machine/run.ts.',
};
/** Imports go one way only (ARCHITECTURE.md): each room names the rooms it must not know. */
const forbid = (files, ...rooms) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...rooms.map((room) => ({
            regex: room,
            message: 'Dependencies point one way: see ARCHITECTURE.md, "Rooms".',
          })),
          ...(files.every((file) => runners.includes(file)) ? [] : [programs]),
        ],
      },
    ],
  },
});
/** A folder of src/. */
const top = (name) => `(^|/)${name}/`;
/** Rooms of the engine: reached from others by going up. */
const below = (...names) => names.map((name) => `(^|\\.\\./)${name}/`);
const vscode = '^vscode$';
const vscodeSide = [top('ui'), top('commands'), top('providers')];
const outsideOfEngine = [vscode, top('client'), top('cli'), ...vscodeSide];
const anyDriver = '(^|/)(drivers|\\.\\.?)/(containers|microvms)/';
const roof = ['server', 'services', 'drivers', 'files', 'ssh'];
const ground = ['inside', 'images', 'ext4', 'tar'];

const readonly = (...names) => Object.fromEntries(names.map((name) => [name, 'readonly']));

export default {
  plugins: ['typescript'],
  categories: { correctness: 'off' },
  // No rule is switched off in place; for oxlint's own comments a test sees to that.
  options: { typeAware: true, respectEslintDisableDirectives: false },
  env: { builtin: true },
  globals: readonly(
    'process',
    'console',
    'URL',
    'Buffer',
    'fetch',
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'AbortSignal',
    'AbortController',
    'performance',
  ),
  ignorePatterns: [
    'dist/**',
    'out/**',
    'node_modules/**',
    '.cache/**',
    'test-results/**',
    'test/**/fixtures/**',
  ],
  rules: everywhere,
  overrides: [
    { files: ['**/*.mjs', '**/*.js'], rules: javascript },
    { files: ['**/*.js'], globals: { ...readonly('require', '__dirname'), module: 'writable' } },
    { files: ['media/**/*.js'], globals: readonly('acquireVsCodeApi', 'window', 'document', 'Element') },
    { files: ['**/*.ts'], rules: { ...syntax, ...types } },
    {
      // A library that is read only where it is needed.
      files: ['src/cli/format/text.ts'],
      rules: { 'typescript/no-require-imports': ['error', { allow: ['^string-width$'] }] },
    },
    {
      files: ['test/**/*.ts', 'bench/**/*.ts'],
      rules: {
        'typescript/no-non-null-assertion': 'off',
        'max-lines-per-function': 'off',
        'no-console': 'off',
      },
    },
    // VS Code's side, the clients and the contract.
    forbid(['src/extension.ts', 'src/commands/**'], top('backend'), top('cli')),
    forbid(['src/providers/**'], top('backend'), top('cli'), top('commands')),
    forbid(['src/ui/**'], top('backend'), top('cli'), top('commands'), top('providers')),
    forbid(
      ['src/ui/contributions/**'],
      vscode,
      ...['backend', 'cli', 'client', 'commands', 'providers'].map(top),
    ),
    forbid(['src/cli/**'], vscode, top('backend'), ...vscodeSide),
    forbid(['src/client/**'], vscode, top('backend'), top('cli'), ...vscodeSide),
    forbid(['src/api/**'], vscode, top('backend'), top('client'), top('cli'), ...vscodeSide),
    // The engine, from its roof to its ground: each names what it must not know.
    forbid(['src/backend/*.ts'], ...outsideOfEngine),
    forbid(
      ['src/backend/server/**'],
      ...outsideOfEngine,
      ...below('drivers', 'files', 'ssh', 'store', ...ground),
    ),
    forbid(['src/backend/services/**'], ...outsideOfEngine, ...below('server'), anyDriver),
    forbid(
      ['src/backend/drivers/*.ts', 'src/backend/drivers/contract/**'],
      ...outsideOfEngine,
      ...below('server', 'services', 'ssh'),
      anyDriver,
    ),
    forbid(
      ['src/backend/drivers/containers/**'],
      ...outsideOfEngine,
      ...below('server', 'services', 'ssh', 'microvms'),
    ),
    forbid(
      ['src/backend/drivers/microvms/**'],
      ...outsideOfEngine,
      ...below('server', 'services', 'ssh', 'containers'),
    ),
    forbid(['src/backend/files/**'], ...outsideOfEngine, ...below('server', 'services', 'drivers', 'ssh')),
    forbid(['src/backend/ssh/**'], ...outsideOfEngine, ...below('server', 'services', 'drivers', 'files')),
    forbid(['src/backend/store/**'], ...outsideOfEngine, ...below(...roof, ...ground)),
    forbid(['src/backend/inside/**'], ...outsideOfEngine, ...below(...roof, 'store', 'images', 'ext4')),
    forbid(['src/backend/images/**'], ...outsideOfEngine, ...below(...roof, 'store', 'inside', 'ext4')),
    forbid(
      ['src/backend/ext4/**'],
      ...outsideOfEngine,
      ...below(...roof, 'store', 'inside', 'images', 'tar'),
    ),
    forbid(
      ['src/backend/tar/**'],
      ...outsideOfEngine,
      ...below(...roof, 'store', 'inside', 'images', 'ext4'),
    ),
    forbid(['src/backend/machine/**'], ...outsideOfEngine, ...below(...roof, 'store', ...ground)),
    // Later settings of a rule take the place of earlier ones: each of these is listed with the arrows of its room.
    forbid(['src/backend/machine/run.ts'], ...outsideOfEngine, ...below(...roof, 'store', ...ground)),
    forbid(['src/client/start-engine.ts'], vscode, top('backend'), top('cli'), ...vscodeSide),
    forbid(['src/cli/child.ts'], vscode, top('backend'), ...vscodeSide),
  ],
};
