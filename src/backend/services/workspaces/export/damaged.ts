import { BerthError } from '../../../../api/errors';

/** The error for a workspace file that can't be taken: `member` is the part of it at fault. */
export function damaged(member: string, why: string, cause?: unknown): BerthError {
  return new BerthError(
    'bad_request',
    `The workspace file is damaged, or is none: ${JSON.stringify(member.slice(0, 200))}: ${why}.`,
    {
      field: 'file',
      hint: 'Nothing of it is left. Copy the file again, or export the workspace once more.',
      ...(cause !== undefined && { cause }),
    },
  );
}
