/** Paths of the workspace that a user gives for what is put there: files of credentials, mounts. One rule for all. */
import { posix } from 'node:path';
import { BerthError } from '../../api/errors';
import { maxFileNameBytes, maxPathBytes } from '../../api/rules/names';
import { quote } from '../../api/rules/volume-path';
import { homeFolder } from './places';

const quotedChars = 80;

/** What no path for a new file or folder is; undefined when it is one. */
export function targetProblem(path: string): string | undefined {
  if (/[\p{Cc}\u2028\u2029]/u.test(path)) {
    return 'holds a line break or another control character';
  }
  if (Buffer.byteLength(path) >= maxPathBytes) {
    return `has more than ${maxPathBytes - 1} bytes`;
  }
  if (path.split('/').some((name) => Buffer.byteLength(name) > maxFileNameBytes)) {
    return `holds a name of more than ${maxFileNameBytes} bytes`;
  }
  return undefined;
}

/** Where a file or folder of credentials goes: absolute. Throws `bad_request` for what can't be its name. */
export function credentialTarget(target: string, field = 'target'): string {
  const inside = target.startsWith('~/') ? target.slice(2) : target;
  const path = posix.resolve(homeFolder, inside);
  const isNoName =
    /(?:^|\/)\.{1,2}\/*$/.test(inside) ||
    (`${homeFolder}/`.startsWith(path === '/' ? '/' : `${path}/`) && path !== homeFolder);
  const problem = targetProblem(path) ?? (isNoName ? 'is no name for a file or folder' : undefined);
  if (problem !== undefined) {
    throw new BerthError('bad_request', `The target ${shortened(target)} ${problem}.`, {
      field,
      hint: 'Give the path that it is to have: absolute, or from the home directory.',
    });
  }
  return path;
}

/** Throws `bad_request` for the first whose target can't be. */
export function checkCredentials(files: readonly { target: string }[] = []): void {
  files.forEach(({ target }, index) => credentialTarget(target, `credentialFiles.${index}.target`));
}

/** For messages: on one line, however long it is. JSON has the separators of Unicode as they are. */
export function shortened(path: string): string {
  const text = path.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ');
  return quote(text.length > quotedChars ? `${text.slice(0, quotedChars)}…` : text);
}
