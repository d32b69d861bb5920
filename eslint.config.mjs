import { parser } from 'typescript-eslint';

/** The rule that oxlint does not have; the others: oxlint.config.mjs. */

/** Messages are for people, and change: what a client does depends on the code of an error. */
const readsMessage = 'What happened is told by the code of an error, not by its message.';
const noMessages = {
  files: ['client', 'cli', 'commands', 'providers', 'ui'].map((room) => `src/${room}/**/*.ts`),
  languageOptions: { parser },
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

export default [
  { ignores: ['dist/**', 'out/**', '.cache/**', 'test-results/**', 'test/**/fixtures/**'] },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  noMessages,
];
