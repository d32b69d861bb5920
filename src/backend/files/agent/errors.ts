/** What the agent's error codes mean to a person. */
import { BerthError, isErrorCode, type ErrorCode } from '../../../api/errors';
import { quote } from '../../../api/rules/volume-path';

/** The channel to the agent broke while a request was under way: what was asked may or may not be done. */
export class ChannelClosedError extends BerthError {
  constructor(what: string) {
    super('runtime_unavailable', `The connection to the files of the volume broke: ${what}.`, {
      hint: 'Try again: it is opened anew.',
    });
  }
}

const sentences: Partial<Record<ErrorCode, (path: string) => string>> = {
  path_not_found: (path) => `There is no file or folder ${path}.`,
  path_exists: (path) => `${path} exists already.`,
  not_a_directory: (path) => `${path}, or a part of it, is not a folder.`,
  is_a_directory: (path) => `${path} is a folder.`,
  directory_not_empty: (path) => `The folder ${path} is not empty.`,
  path_escapes: (path) => `${path} leads out of the volume.`,
  read_only: (path) => `${path} is on a read-only volume.`,
  forbidden: (path) => `${path} can't be changed.`,
  no_space: (path) => `The volume is full: ${path} was not written.`,
  too_large: (path) => `${path} is too large for the file system of the volume.`,
  in_use: (path) => `${path} is in use.`,
  capacity: (path) => `The machine has no more room for open files: ${path}.`,
  bad_request: (path) => `${path} can't be used for this.`,
  gone: () => 'What was being read or written was given up: the connection to the volume broke in between.',
  cancelled: () => 'Cancelled.',
};

/** Requests that change nothing. */
const readings: ReadonlySet<string> = new Set([
  'stat',
  'real',
  'list',
  'read',
  'pread',
  'usage',
  'watch',
  'tar_open',
  'tar_next',
]);

const hints: Partial<Record<ErrorCode, string>> = {
  gone: 'Try again: it is opened anew.',
  path_escapes: 'A link there points outside; the files of a volume are reached by their own paths.',
  directory_not_empty: 'Remove it with what is in it (recursive), or empty it first.',
  no_space: 'Free some space in the volume or on the disk that holds it, then try again.',
};

/** The error of an agent's answer to a request, e.g. `{code: 'path_exists', detail: null, path: '/a'}` to `mkdir`. */
export function agentError(error: unknown, op = ''): BerthError {
  const { code, detail, path } =
    typeof error === 'object' && error !== null ? ({ ...error } as Record<string, unknown>) : {};
  const known: ErrorCode = isErrorCode(code) ? code : 'internal';
  const where = typeof path === 'string' ? quote(path) : 'The path';
  const isRefusedReading = known === 'forbidden' && readings.has(op);
  const sentence = isRefusedReading
    ? `${where} can't be read.`
    : (sentences[known]?.(where) ?? `${where} could not be used.`);
  const hint = hints[known];
  return new BerthError(
    known,
    typeof detail === 'string' ? `${sentence.slice(0, -1)} (${detail}).` : sentence,
    hint === undefined ? {} : { hint },
  );
}
