import js from '@eslint/js';
import tseslint from 'typescript-eslint';

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
const anyDriver = '(^|/)(drivers|\\.)/(containers|microvms)/';
const roof = ['server', 'services', 'drivers', 'files', 'ssh'];
const ground = ['inside', 'images', 'ext4', 'tar'];

/** Messages are for people, and change: what a client does depends on the code of an error. */
const readsMessage = 'What happened is told by the code of an error, not by its message.';
const noMessages = {
  files: ['client', 'cli', 'commands', 'providers', 'ui'].map((room) => `src/${room}/**/*.ts`),
  rules: {
    'no-restricted-syntax': [
      'error',
      {
        selector:
          "BinaryExpression[operator=/^[!=]==$/]:matches([left.property.name='message'], [right.property.name='message'])",
        message: readsMessage,
      },
      {
        selector:
          "CallExpression[callee.object.property.name='message'][callee.property.name=/^(includes|startsWith|endsWith|match|search)$/]",
        message: readsMessage,
      },
      {
        selector:
          "CallExpression[callee.property.name=/^(test|exec)$/] > MemberExpression.arguments[property.name='message']",
        message: readsMessage,
      },
    ],
  },
};

export default tseslint.config(
  {
    ignores: ['dist/**', 'out/**', 'node_modules/**', '.cache/**', 'test-results/**', 'test/**/fixtures/**'],
  },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/no-redundant-type-constituents': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    // A library that is read only where it is needed.
    files: ['src/cli/format/text.ts'],
    rules: { '@typescript-eslint/no-require-imports': ['error', { allow: ['^string-width$'] }] },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      'max-lines-per-function': 'off',
      'no-console': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        AbortSignal: 'readonly',
        AbortController: 'readonly',
        performance: 'readonly',
      },
    },
  },
  {
    files: ['media/**/*.js'],
    languageOptions: {
      globals: {
        acquireVsCodeApi: 'readonly',
        window: 'readonly',
        document: 'readonly',
        Element: 'readonly',
      },
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', module: 'writable', __dirname: 'readonly' },
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
  forbid(['src/backend/ext4/**'], ...outsideOfEngine, ...below(...roof, 'store', 'inside', 'images', 'tar')),
  forbid(['src/backend/tar/**'], ...outsideOfEngine, ...below(...roof, 'store', 'inside', 'images', 'ext4')),
  forbid(['src/backend/machine/**'], ...outsideOfEngine, ...below(...roof, 'store', ...ground)),
  // Later settings of a rule take the place of earlier ones: each of these is listed with the arrows of its room.
  forbid(['src/backend/machine/run.ts'], ...outsideOfEngine, ...below(...roof, 'store', ...ground)),
  forbid(['src/client/start-engine.ts'], vscode, top('backend'), top('cli'), ...vscodeSide),
  forbid(['src/cli/child.ts'], vscode, top('backend'), ...vscodeSide),
  noMessages,
);
