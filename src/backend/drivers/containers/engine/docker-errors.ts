/** Errors of the engine's API in words: what happened, and what to do. */
import { BerthError, type ErrorCode } from '../../../../api/errors';

/** Of its words, from the start and from the end. */
const shownChars = 500;

interface DockerError extends Error {
  statusCode?: number;
  code?: string;
  syscall?: string;
  json?: unknown;
}

const connectionCodes = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EACCES',
  'EPERM',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Files have these as well: a folder of ours that is gone says nothing of the container engine. */
const codesOfFiles = new Set(['ENOENT', 'EACCES', 'EPERM']);

const refusalCodes = new Set(['EACCES', 'EPERM', 'EROFS']);
const fullCodes = new Set(['ENOSPC', 'EDQUOT']);

/** Nothing was sent yet: the call may be made again elsewhere. */
const unsentCodes = new Set(['ENOENT', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENOTFOUND']);

function isDockerError(error: unknown): error is DockerError {
  return error instanceof Error;
}

/** HTTP status of the engine's answer; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  return isDockerError(error) && typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** Whether the engine answered with one of these HTTP statuses. */
export function isStatus(error: unknown, ...statuses: number[]): boolean {
  const status = statusOf(error);
  return status !== undefined && statuses.includes(status);
}

/** For `catch`: what is gone is undefined. Throws every other error. */
export function ifMissing(error: unknown): undefined {
  if (!isStatus(error, 404)) {
    throw error;
  }
}

/** What carries the connection to another machine has failed, and has said why. */
export class EngineUnreachable extends BerthError {
  constructor(message: string, hint: string) {
    super('runtime_unavailable', message, { hint });
  }
}

/** Whether the engine could not be asked, or did not answer. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof EngineUnreachable || isUnanswered(error);
}

function isUnanswered(error: unknown): boolean {
  return (
    isDockerError(error) &&
    error.statusCode === undefined &&
    !isOfFiles(error) &&
    ((error.code !== undefined && connectionCodes.has(error.code)) || error.message === 'socket hang up')
  );
}

function isOfFiles({ code = '', syscall = 'connect' }: DockerError): boolean {
  return codesOfFiles.has(code) && syscall !== 'connect';
}

/** Of a file of this machine that we write: the container engine, which may be on another one, has room. */
function isOwnDiskFull(error: unknown): boolean {
  return isDockerError(error) && error.statusCode === undefined && fullCodes.has(error.code ?? '');
}

/** Whether the engine has certainly not heard of what it was asked, so that it can be asked again. */
export function wasNotSent(error: unknown): boolean {
  return isConnectionError(error) && isDockerError(error) && unsentCodes.has(error.code ?? '');
}

/**
 * The engine's own words, without what the client library puts around them. In one line, and not more of it than people
 * read: names of files in images are in there, of any length and with any character. Its status where it says nothing.
 */
export function engineMessage(error: unknown): string {
  return inLine(wordsOf(error) || `the engine answered ${statusOf(error) ?? 'nothing'} without a reason.`);
}

function inLine(text: string): string {
  const words = text.replace(/\s*[\n\r\u2028\u2029]\s*/g, ' ');
  return words.length > 2 * shownChars
    ? `${words.slice(0, shownChars)} … ${words.slice(-shownChars)}`
    : words;
}

function wordsOf(error: unknown): string {
  if (!isDockerError(error)) {
    return String(error);
  }
  const { json } = error;
  if (typeof json === 'object' && json !== null && 'message' in json && typeof json.message === 'string') {
    return json.message.trim();
  }
  return error.message.replace(/^\(HTTP code \d+\) .*? - /s, '').trim();
}

/** Why nothing answers at an address, by what the system says. */
const reasons: readonly [codes: readonly string[], reason: string][] = [
  [['ENOENT'], 'nothing is there'],
  [['ECONNREFUSED'], 'nothing listens there'],
  [['EACCES', 'EPERM'], 'your user may not use it'],
  [['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'], 'its machine can not be reached'],
  [['ENOTFOUND', 'EAI_AGAIN'], 'there is no machine of that name'],
  [['ECONNRESET', 'EPIPE'], 'the connection was cut off'],
];

/** Why nothing answers at an address, in words for people; those of the system are `engineMessage`. */
export function reasonOf(error: unknown): string {
  const code = isDockerError(error) ? (error.code ?? '') : '';
  const [, known] = reasons.find(([codes]) => codes.includes(code)) ?? [];
  if (
    known === undefined &&
    /certificate|self.signed|signature|\b(SSL|TLS)\b/i.test(`${code} ${engineMessage(error)}`)
  ) {
    return 'its certificate, or ours, is not accepted';
  }
  return known ?? (error instanceof NoAnswer ? error.message : 'what is there is no container engine');
}

/** Nothing came in time. */
export class NoAnswer extends Error {}

interface Rule {
  pattern: RegExp;
  /** What was tried; whatever it was, where it is left out. */
  tried?: RegExp;
  code: ErrorCode;
  /** What happened, for people: the engine's own words are for who asks. */
  what: string | ((said: string) => string);
  hint: string;
}

function takenPort(said: string): string {
  const port = /(?::|\bport )(\d{2,5})\b/i.exec(said)?.[1];
  return port === undefined ? 'a port is taken' : `port ${port} is taken`;
}

const unreachable =
  /no such host|server misbehaving|i\/o timeout|connection refused|TLS handshake|network is unreachable/i;

const rules: readonly Rule[] = [
  {
    pattern: /port is already allocated|address already in use|failed to bind (host )?port/i,
    code: 'in_use',
    what: takenPort,
    hint: 'Another program has a port of the workspace. End that program, or name another port, then try again.',
  },
  {
    pattern: /no space left on device|disk quota exceeded/i,
    code: 'no_space',
    what: 'the disk is full',
    hint: 'Make room on the disk that holds the images and volumes: `docker image prune` removes images without a name, `docker builder prune` what builds have kept.',
  },
  {
    pattern:
      /no matching manifest|does not match the (specified|detected) (host )?platform|exec format error/i,
    code: 'not_supported',
    what: 'the image is not for this machine',
    hint: 'The image is made for another processor. Name one for this machine.',
  },
  {
    // Said with status 500 when it ends between the request for a command and its start.
    pattern: /\bcontainer \w+ is not running\b/i,
    code: 'illegal_state',
    what: 'the container has stopped',
    hint: 'Try again.',
  },
  {
    pattern:
      /unable to apply caps|privileged mode is incompatible with user namespaces|operation not permitted.*privileged|privileged.*not permitted/i,
    code: 'not_supported',
    what: 'privileged containers are refused',
    hint: 'The machine does not allow privileged containers. Create the workspace without Docker inside, or as a microVM.',
  },
  {
    pattern:
      /no such image|manifest (for .* )?(unknown|not found)|pull access denied|repository does not exist/i,
    code: 'image_missing',
    what: 'there is no such image',
    hint: 'Check the spelling of the image, or log in to its registry with `docker login`.',
  },
  {
    pattern: /image is being used by|is using its referenced image/i,
    code: 'illegal_state',
    what: 'a container uses it',
    hint: 'Delete the containers that use it first.',
  },
  {
    pattern: /cannot allocate memory|can't fork|resource temporarily unavailable/i,
    code: 'capacity',
    what: 'this machine has no memory or processes left',
    hint: 'Stop something that runs on this machine, and try again.',
  },
  {
    pattern: unreachable,
    tried: /^(?:pull|push|build)\b/,
    code: 'runtime_unavailable',
    what: 'the registry can not be reached',
    hint: 'Check the network and the name of the image.',
  },
  {
    pattern: unreachable,
    code: 'runtime_unavailable',
    what: 'the container engine can not reach another machine',
    hint: 'Check the network, and the server of the volume where it is one of a network.',
  },
];

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  409: 'illegal_state',
};

/** Any error of a call as a `BerthError`. `what` says what was tried, e.g. `start workspace-demo`. */
export function toBerthError(error: unknown, what: string): BerthError {
  if (error instanceof BerthError) {
    return error;
  }
  const said = engineMessage(error);
  const more = { detail: said, cause: error };
  if (isConnectionError(error)) {
    return new BerthError('runtime_unavailable', `The container engine does not answer (${what}).`, {
      ...{ hint: 'Start Docker or Podman, then try again.', ...more },
    });
  }
  if (isOwnDiskFull(error)) {
    return new BerthError('no_space', `Could not ${what}: the disk is full.`, {
      hint: 'Make room on the disk that is written to, which is one of this machine, then try again.',
      ...more,
    });
  }
  if (isDockerError(error) && statusOf(error) === undefined && refusalCodes.has(error.code ?? '')) {
    const place = 'path' in error && typeof error.path === 'string' ? ` ${inLine(error.path)}` : '';
    return new BerthError('forbidden', `Could not ${what}: access to a file${place} is denied.`, {
      ...{ hint: 'Look at the rights of that file or folder, which is one of this machine.', ...more },
    });
  }
  const rule = rules.find(
    ({ pattern, tried }) => pattern.test(said) && (tried === undefined || tried.test(what)),
  );
  if (rule !== undefined) {
    const happened = typeof rule.what === 'string' ? rule.what : rule.what(said);
    return new BerthError(rule.code, `Could not ${what}: ${happened}.`, { hint: rule.hint, ...more });
  }
  const status = statusOf(error) ?? 0;
  return new BerthError(
    codeOfStatus[status] ?? 'internal',
    `Could not ${what}: ${happenedBy(status)}.`,
    more,
  );
}

/** What an answer means of which nothing else is known. */
function happenedBy(status: number): string {
  switch (status) {
    case 0:
      return 'something unexpected happened';
    case 401:
    case 403:
      return 'the container engine does not allow it';
    case 404:
      return 'the container engine does not know it';
    case 409:
      return 'something else is in the way';
    default:
      return status >= 500 ? 'the container engine failed' : `the container engine refused it (${status})`;
  }
}
