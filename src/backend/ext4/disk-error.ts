/** Errors inside the disk worker: the codes and details that the file agent of containers answers with, too. */
import type { ErrorCode } from '../../api/errors';

export class DiskError extends Error {
  override readonly name = 'DiskError';

  constructor(
    readonly code: ErrorCode,
    readonly detail?: string,
    readonly path?: string,
  ) {
    super(detail ?? code);
  }
}

/** What the image says can't be true. */
export function damaged(what: string): DiskError {
  return new DiskError(
    'internal',
    `the file system of the disk is damaged: ${what}; check it with e2fsck -f`,
  );
}

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'no_space',
  EDQUOT: 'no_space',
  EROFS: 'read_only',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  EFBIG: 'too_large',
  EMFILE: 'capacity',
  ENFILE: 'capacity',
  ENOMEM: 'capacity',
};

/** Any exception as a DiskError; unknown ones become `internal` and say what they were. */
export function asDiskError(error: unknown): DiskError {
  if (error instanceof DiskError) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? codes[String(error.code)] : undefined;
  return new DiskError(code ?? 'internal', message);
}

/** As the agent's protocol has it. */
export function errorReply(error: unknown, path: unknown): Record<string, unknown> {
  const known = asDiskError(error);
  return { code: known.code, detail: known.detail ?? null, path: known.path ?? path ?? null };
}
