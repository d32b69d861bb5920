import { encodeName, escapeBase, hasEscapes, isEscape } from '../../api/files/file-names';
import { maxFileNameBytes } from '../../api/rules/names';

export { encodeName, hasEscapes };

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How many bytes of a UTF-8 sequence start at `at`; 0 when they are not valid or stand for an escape. */
function validLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  const length =
    first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length < 2) {
    return length;
  }
  try {
    return isEscape(strict.decode(bytes.subarray(at, at + length)).charCodeAt(0)) ? 0 : length;
  } catch {
    return 0;
  }
}

/** The text of a name. */
export function decodeName(name: Buffer): string {
  const text = name.toString('utf8');
  if (!text.includes('\uFFFD') && !hasEscapes(text)) {
    return text;
  }
  // A copy, as a decoder takes no memory that is shared.
  const bytes = Buffer.from(name);
  let decoded = '';
  for (let at = 0; at < bytes.length;) {
    const length = validLength(bytes, at);
    decoded +=
      length === 0
        ? String.fromCharCode(escapeBase + (bytes[at] ?? 0))
        : bytes.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return decoded;
}

/** A local path as Node wants it: bytes only where text can't say it. Windows and macOS know no such names. */
export function localPath(text: string): string | Buffer {
  return process.platform === 'linux' && hasEscapes(text) ? encodeName(text) : text;
}

/** Whether a name has more bytes than one of a file may have. */
export function isTooLongName(name: string): boolean {
  return (
    name.length > maxFileNameBytes ||
    (name.length * 3 > maxFileNameBytes && encodeName(name).length > maxFileNameBytes)
  );
}

/** Why a path was refused as too long: one of its names is, or all of them together. images/tools/agent/tarin.py says the same. */
export function whatIsTooLong(path: string): string {
  return path.split('/').some(isTooLongName) ? 'its name is too long' : 'its path is too long';
}
