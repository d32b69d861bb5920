import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Imports go one way only (ARCHITECTURE.md): each room names the rooms it must not know. */
const forbid = (files, ...rooms) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: rooms.map((room) => ({
          regex: room,
          message: 'Dependencies point one way: see ARCHITECTURE.md, "Rooms".',
        })),
      },
    ],
  },
});
const room = (name) => `(^|/)${name}(/|$)`;
const vscode = '^vscode$';

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
    files: ['**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', module: 'writable', __dirname: 'readonly' },
    },
  },
  forbid(
    ['src/api/**'],
    vscode,
    room('backend'),
    room('client'),
    room('cli'),
    room('commands'),
    room('providers'),
  ),
  forbid(['src/client/**'], vscode, room('backend'), room('cli'), room('commands'), room('providers')),
  forbid(['src/cli/**'], vscode, room('backend'), room('commands'), room('providers')),
  forbid(['src/backend/**'], vscode, room('client'), room('cli'), room('commands'), room('providers')),
  forbid(
    ['src/backend/services/**'],
    vscode,
    room('client'),
    room('cli'),
    room('commands'),
    room('providers'),
    room('server'),
    room('containers'),
    room('microvms'),
  ),
  forbid(
    ['src/backend/{drivers,files,ssh,store}/**'],
    vscode,
    room('client'),
    room('cli'),
    room('commands'),
    room('providers'),
    room('server'),
    room('services'),
  ),
  forbid(['src/contributions/**'], vscode, room('backend'), room('cli'), room('client')),
  forbid(['src/{commands,providers}/**', 'src/extension.ts'], room('backend'), room('cli')),
);
