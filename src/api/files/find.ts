/** Finding files and text in a volume: what is asked, and what comes through the stream. */
import { Type, type Static } from '@sinclair/typebox';
import { Flag, VolumePath } from '../common';
import { ErrorBody } from '../stream-schemas';

const Globs = Type.String({
  maxLength: 1000,
  description:
    'Globs, separated by commas, but for those in braces or after a backslash; one without a slash counts at any depth, and what matches a folder counts for all in it.',
});

export const FindQuery = Type.Object({
  path: Type.Optional({ ...VolumePath, default: '/' }),
  text: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1000,
      description: 'What lines of files contain; without it the files themselves are found.',
    }),
  ),
  regex: Type.Optional({ ...Flag, description: '`text` is a regular expression, as in JavaScript.' }),
  caseSensitive: Type.Optional(Flag),
  word: Type.Optional({ ...Flag, description: 'Whole words only.' }),
  include: Type.Optional(Globs),
  exclude: Type.Optional(Globs),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 50_000,
      default: 10_000,
      description: 'Of files or lines: the search ends there, and says so.',
    }),
  ),
});
export type FindQuery = Static<typeof FindQuery>;

export const FoundLine = Type.Object({
  path: Type.String(),
  line: Type.Integer({ minimum: 1 }),
  column: Type.Integer({ minimum: 1, description: 'Of the first match, in UTF-16 code units.' }),
  length: Type.Integer({ description: 'Of the first match.' }),
  text: Type.String({ description: 'The line; of a long one 400 characters around the match.' }),
});
export type FoundLine = Static<typeof FoundLine>;

export const FindEnd = Type.Object({
  found: Type.Integer({ description: 'Files, or lines with `text`.' }),
  hasMore: Type.Boolean({ description: 'The limit was reached.' }),
  searched: Type.Integer({ description: 'Files that were looked at.' }),
  binary: Type.Integer({ description: 'Files that are no text, and were skipped.' }),
  tooLarge: Type.Integer({ description: 'Files of more than 16 MiB, which were skipped.' }),
  unread: Type.Integer({ description: 'Files and folders that could not be read.' }),
});
export type FindEnd = Static<typeof FindEnd>;

/** In no order; the last one is `end` or `error`. */
export const FindEvent = Type.Union([
  Type.Object({ files: Type.Array(Type.String()) }),
  Type.Object({ lines: Type.Array(FoundLine) }),
  Type.Object({ end: FindEnd }),
  Type.Object({ error: ErrorBody }),
]);
export type FindEvent = Static<typeof FindEvent>;
