/** Errors as the user sees them, and the exit codes: 1, 2 usage, 75 worth retrying, 130 cancelled. */
import { CommanderError } from 'commander';
import { asBerthError, isRetryable, type BerthError } from '../api';
import { printable, printableJson } from './format/text';
import type { Style } from './terminal/style';

export const exitCodes = { failure: 1, usage: 2, retryable: 75, cancelled: 130 } as const;

/** An exit code that says all there is to say: of a command inside, or of something reported already. */
export class ExitWith extends Error {
  constructor(readonly exitCode: number) {
    super(`exit code ${exitCode}`);
  }
}

/**
 * What the process ends with: that of a command that ran inside; else one for wrong usage, for a cancel,
 * for what may work when it is tried again, or for any other failure.
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ExitWith) {
    return error.exitCode;
  }
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? 0 : exitCodes.usage;
  }
  const { code } = asBerthError(error);
  if (code === 'cancelled') {
    return exitCodes.cancelled;
  }
  if (code === 'bad_request') {
    return exitCodes.usage;
  }
  return isRetryable(code) ? exitCodes.retryable : exitCodes.failure;
}

/** What is written to stderr; empty when everything was said already. */
export function formatFailure(error: unknown, json: boolean, style: Style): string {
  if (error instanceof ExitWith || error instanceof CommanderError) {
    return '';
  }
  const failure = asBerthError(error);
  if (json) {
    return `${printableJson(JSON.stringify({ error: failure.toBody() }))}\n`;
  }
  return failure.code === 'cancelled' ? `${printable(failure.message)}\n` : formatError(failure, style);
}

function formatError(error: BerthError, style: Style): string {
  const message = error.message.split('\n').map(printable).join('\n');
  const hint = error.hint === undefined ? '' : `${style.bold('hint:')} ${printable(error.hint)}\n`;
  const detail = error.detail === undefined ? '' : `${style.dim(`details: ${printable(error.detail)}`)}\n`;
  return `${style.red('error:')} ${message}\n${hint}${detail}`;
}
