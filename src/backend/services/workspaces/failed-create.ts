/** What is to be known of a create that failed: its workspace goes, and the log with it. */
import { text } from 'node:stream/consumers';
import { BerthError } from '../../../api/errors';
import type { RuntimeHandle } from './runtime-handle';

const lines = 5;
const shownChars = 500;
/** By which what a driver has quoted itself is known. */
const knownChars = 60;
const readMs = 5_000;
const namesLog = /`berth logs/;

/** Nobody is told to start, or to read the log of, what is gone. Where the hint leads to that log, its end is in the message instead, in one line without control characters. */
export async function explainUndone(runtime: RuntimeHandle, error: unknown): Promise<unknown> {
  if (!(error instanceof BerthError) || error.hint === undefined) {
    return error;
  }
  if (!namesLog.test(error.hint)) {
    return error.remedy === undefined ? error : error.withRemedy('create');
  }
  const said = await endOfLog(runtime).catch(() => '');
  const { code, field, message, detail } = error;
  const isSaid = said === '' || message.endsWith(said.slice(-knownChars));
  return new BerthError(code, isSaid ? message : `${message} Its log ended with: ${said}`, {
    hint: 'Nothing of it is left. Create it again; if that does not help, use another image.',
    remedy: 'create',
    ...(field !== undefined && { field }),
    ...(detail !== undefined && { detail }),
    cause: error,
  });
}

async function endOfLog(runtime: RuntimeHandle): Promise<string> {
  const signal = AbortSignal.timeout(readMs);
  const options = { tail: lines, follow: false, timestamps: false, signal };
  const said = await text(await runtime.logs(options));
  return said
    .replace(/[\s\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu, ' ')
    .trim()
    .slice(-shownChars);
}
