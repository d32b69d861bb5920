/**
 * The errors of Berth: the same code, message and hint in the API, the CLI and the UI.
 * `message` says what happened; `hint` says what to do about it.
 */
import { hintOf, isRemedy, type Remedy } from './rules/remedy';

/** Every error code, with the HTTP status it is answered with. */
export const errorStatus = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  /** The thing exists already. */
  exists: 409,
  /** The state of the thing does not allow the verb. */
  illegal_state: 409,
  /** A volume that held files is not there any more, or is another one of its name. */
  volume_gone: 409,
  /** It removes files: told so, it goes on. */
  needs_confirmation: 409,
  /** Somebody else holds it (a volume, a port, a lock). */
  in_use: 409,
  cancelled: 409,
  gone: 410,
  too_large: 413,
  /** The named image is not there. */
  image_missing: 422,
  not_supported: 422,
  internal: 500,
  /** A runtime (Docker daemon, QEMU) does not answer: retryable. */
  runtime_unavailable: 503,
  /** Limits of the machine are reached: retryable. */
  capacity: 503,
  timeout: 504,
  no_space: 507,
  /** A path inside a volume. */
  path_not_found: 404,
  path_exists: 409,
  not_a_directory: 409,
  is_a_directory: 409,
  directory_not_empty: 409,
  path_escapes: 403,
  read_only: 403,
} as const;

export type ErrorCode = keyof typeof errorStatus;

/** What an error looks like on the wire, inside `{error: …}`. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  hint?: string;
  /** The input field at fault, as a dotted path, e.g. `spec.limits.cpus`. */
  field?: string;
  /** What the hint ends with, for programs. */
  remedy?: Remedy;
  /** What the program below said, word for word: for who asks. */
  detail?: string;
}

export interface ErrorOptions {
  /** The whole of it; where there is a remedy, give `first` instead. */
  hint?: string;
  /** What to do before the remedy. */
  first?: string;
  remedy?: Remedy;
  field?: string;
  /** What the program below said, where `message` says it in our words. */
  detail?: string;
  cause?: unknown;
}

/** An error meant for a person: thrown by services and drivers, shown as it is. */
export class BerthError extends Error {
  override readonly name = 'BerthError';
  readonly hint: string | undefined;
  readonly field: string | undefined;
  readonly remedy: Remedy | undefined;
  readonly detail: string | undefined;
  private readonly first: string | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: ErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.remedy = options.remedy;
    this.first = options.first;
    this.hint = options.hint ?? hintOf(options.first, options.remedy);
    this.field = options.field;
    this.detail = options.detail;
  }

  /** The same error where another remedy is the right one, e.g. as the workspace is gone that could be started. */
  withRemedy(remedy: Remedy): BerthError {
    const { code, message, field, first, detail } = this;
    return new BerthError(code, message, {
      remedy,
      cause: this,
      ...(first !== undefined && { first }),
      ...(field !== undefined && { field }),
      ...(detail !== undefined && { detail }),
    });
  }

  get status(): number {
    return errorStatus[this.code];
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint !== undefined && { hint: this.hint }),
      ...(this.field !== undefined && { field: this.field }),
      ...(this.remedy !== undefined && { remedy: this.remedy }),
      ...(this.detail !== undefined && { detail: this.detail }),
    };
  }
}

/** Retrying later may help, with nothing changed (CLI exit code 75). */
export function isRetryable(code: ErrorCode): boolean {
  return code === 'runtime_unavailable' || code === 'capacity' || code === 'timeout';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Whether it is the code of an error of ours. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorStatus, value);
}

/** Reads `{error:{…}}` as answered by the engine; undefined when it is something else. */
export function parseErrorBody(value: unknown): ErrorBody | undefined {
  if (!isRecord(value) || !isRecord(value.error)) {
    return undefined;
  }
  const { code, message, hint, field, remedy, detail } = value.error;
  if (!isErrorCode(code) || typeof message !== 'string') {
    return undefined;
  }
  return {
    code,
    message,
    ...(typeof hint === 'string' && { hint }),
    ...(typeof field === 'string' && { field }),
    ...(isRemedy(remedy) && { remedy }),
    ...(typeof detail === 'string' && { detail }),
  };
}

/** Turns a wire error back into the error it was. */
export function fromErrorBody(body: ErrorBody): BerthError {
  return new BerthError(body.code, body.message, body);
}

/** Any thrown value as a `BerthError`; unknown ones become `internal` and keep their cause. */
export function asBerthError(error: unknown): BerthError {
  if (error instanceof BerthError) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  return new BerthError('internal', message, { cause: error });
}
