/** Unified diffs of files as `git apply` and GNU patch take them: bytes, with names quoted as git does it. */
import { createHash } from 'node:crypto';
import type { Change, ComparedFile } from '../../api';
import { encodeName } from '../../api/files/file-names';
import { hunksOf, linesOf } from './lines';

/** Where a NUL is that tells a binary file, as git has it. */
const lookedForNul = 8000;
/** Larger files are named only. */
export const maxPatchBytes = 16 * 1024 * 1024;

/** Content is of a file, or the target of a link; undefined for what was not read. */
export interface PatchSide {
  file: ComparedFile;
  content: Buffer | undefined;
}

/** The text in latin1, a character for each byte. Empty for what a patch can't say: folders, owners, attributes. */
export function patchOf(path: string, before: PatchSide | undefined, after: PatchSide | undefined): string {
  const [was, is] = [before, after].map((side) => (isInPatch(side?.file) ? side : undefined));
  if (was !== undefined && is !== undefined && was.file.type === is.file.type) {
    return changed(path, was, is);
  }
  return (
    (was === undefined ? '' : lone(path, was, 'deleted')) + (is === undefined ? '' : lone(path, is, 'new'))
  );
}

/** Whether something of the change is in a patch. */
export function isPatched({ before, after, what }: Change): boolean {
  if (!isInPatch(before) && !isInPatch(after)) {
    return false;
  }
  const isExecutable = (file?: ComparedFile): boolean => ((file?.mode ?? 0) & 0o100) !== 0;
  return (
    what === undefined ||
    what.includes('content') ||
    what.includes('target') ||
    isExecutable(before) !== isExecutable(after)
  );
}

function isInPatch(file: ComparedFile | undefined): boolean {
  return file?.type === 'file' || file?.type === 'symlink';
}

function changed(path: string, before: PatchSide, after: PatchSide): string {
  const [old, now] = [modeOf(before.file), modeOf(after.file)];
  const modes = old === now ? '' : `old mode ${old}\nnew mode ${now}\n`;
  const isSame = before.content !== undefined && after.content?.equals(before.content) === true;
  if (isSame) {
    return modes === '' ? '' : head(path) + modes;
  }
  if (isOpaque(before) || isOpaque(after)) {
    return (modes === '' ? '' : head(path) + modes) + unsaid(quoted('a/', path), quoted('b/', path));
  }
  const index = indexLine(before.content, after.content, old === now ? ` ${now}` : '');
  return head(path) + modes + index + hunks(quoted('a/', path), quoted('b/', path), before, after);
}

function lone(path: string, side: PatchSide, word: 'new' | 'deleted'): string {
  const [a, b] = [quoted('a/', path), quoted('b/', path)];
  if (isOpaque(side)) {
    return word === 'new' ? unsaid('/dev/null', b) : unsaid(a, '/dev/null');
  }
  const index = word === 'new' ? indexLine(undefined, side.content) : indexLine(side.content, undefined);
  const begin = `${head(path)}${word} file mode ${modeOf(side.file)}\n${index}`;
  if (side.content?.length === 0) {
    return begin;
  }
  const nothing = { ...side, content: Buffer.alloc(0) };
  return word === 'new'
    ? begin + hunks('/dev/null', quoted('b/', path), nothing, side)
    : begin + hunks(quoted('a/', path), '/dev/null', side, nothing);
}

/** GNU patch takes links, and empty files that go, only with it. */
function indexLine(before: Buffer | undefined, after: Buffer | undefined, mode = ''): string {
  return `index ${objectOf(before)}..${objectOf(after)}${mode}\n`;
}

/** As git names a content. */
function objectOf(content: Buffer | undefined): string {
  return content === undefined
    ? '0'.repeat(40)
    : createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** Between the diffs of others, which programs that apply them read over. */
function unsaid(a: string, b: string): string {
  return `Binary files ${a} and ${b} differ\n`;
}

function isOpaque({ content }: PatchSide): boolean {
  return content === undefined || content.subarray(0, lookedForNul).includes(0);
}

function hunks(a: string, b: string, before: PatchSide, after: PatchSide): string {
  const [was, is] = [before, after].map(({ content }) => linesOf(content?.toString('latin1') ?? ''));
  const text = hunksOf(was ?? [], is ?? []).map(({ from, to, lines }) => {
    const count = (sign: string): number =>
      lines.filter((line) => line[0] === ' ' || line[0] === sign).length;
    const body = lines.map((line) =>
      line.endsWith('\n') ? line : `${line}\n\\ No newline at end of file\n`,
    );
    return `@@ -${range(from, count('-'))} +${range(to, count('+'))} @@\n${body.join('')}`;
  });
  return `--- ${a}\n+++ ${b}\n${text.join('')}`;
}

/** Of nothing it is the line before. */
function range(at: number, count: number): string {
  return count === 1 ? `${at + 1}` : `${count === 0 ? at : at + 1},${count}`;
}

function modeOf({ type, mode }: ComparedFile): string {
  return type === 'symlink' ? '120000' : (mode & 0o100) === 0 ? '100644' : '100755';
}

function head(path: string): string {
  return `diff --git ${quoted('a/', path)} ${quoted('b/', path)}\n`;
}

const short: Readonly<Record<number, string>> = {
  ...{ 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 34: '\\"', 92: '\\\\' },
};

/** Also where there is a blank: GNU patch takes it for the end of the name. */
function quoted(side: string, path: string): string {
  const bytes = [...encodeName(side + path.slice(1))];
  if (bytes.every((byte) => byte > 32 && byte < 127 && short[byte] === undefined)) {
    return String.fromCharCode(...bytes);
  }
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;
  const shown = bytes.map(
    (byte) => short[byte] ?? (byte < 32 || byte >= 127 ? octal(byte) : String.fromCharCode(byte)),
  );
  return `"${shown.join('')}"`;
}
