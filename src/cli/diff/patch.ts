/** Unified diffs of files as `git apply` and GNU patch take them: bytes, with names quoted as git does it. */
import { createHash } from 'node:crypto';
import type { Change, ComparedFile } from '../../api';
import { mebibyte } from '../../api/rules/sizes';
import { cQuoted } from '../format/c-quoted';
import { hunksOf, linesOf } from './lines';

/** Where a NUL is that tells a binary file, as git has it. */
const lookedForNul = 8000;
/** Larger files are left out. */
export const maxPatchBytes = 16 * mebibyte;

/** Content is of a file, or the target of a link; undefined for what was not read. */
export interface PatchSide {
  file: ComparedFile;
  content: Buffer | undefined;
}

export interface Patched {
  /** In latin1, a character for each byte. Empty for what a patch can't say: folders, owners, attributes. */
  text: string;
  /**
   * Content is left out: it is binary, or too large. It is to be named elsewhere: programs that apply patches take a line
   * about it for a part of the section before.
   */
  isCut: boolean;
}

/** Sections that begin with `diff --git`. */
export function patchOf(path: string, before: PatchSide | undefined, after: PatchSide | undefined): Patched {
  const [was, is] = [before, after].map((side) => (isInPatch(side?.file) ? side : undefined));
  if (was !== undefined && is !== undefined && was.file.type === is.file.type) {
    return changed(path, was, is);
  }
  if ((was !== undefined && isOpaque(was)) || (is !== undefined && isOpaque(is))) {
    // One half of what becomes another type could not be applied.
    return { text: '', isCut: true };
  }
  const gone = was === undefined ? '' : lone(path, was, 'deleted');
  return { text: gone + (is === undefined ? '' : lone(path, is, 'new')), isCut: false };
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

function changed(path: string, before: PatchSide, after: PatchSide): Patched {
  const [old, now] = [modeOf(before.file), modeOf(after.file)];
  const modes = old === now ? '' : `old mode ${old}\nnew mode ${now}\n`;
  const isSame = before.content !== undefined && after.content?.equals(before.content) === true;
  const isCut = !isSame && (isOpaque(before) || isOpaque(after));
  if (isSame || isCut) {
    return { text: modes === '' ? '' : head(path) + modes, isCut };
  }
  const index = indexLine(before.content, after.content, old === now ? ` ${now}` : '');
  const sides = hunks(quoted('a/', path), quoted('b/', path), before, after);
  return { text: head(path) + modes + index + sides, isCut };
}

function lone(path: string, side: PatchSide, word: 'new' | 'deleted'): string {
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

/** Also where there is a blank: GNU patch takes it for the end of the name. */
function quoted(side: string, path: string): string {
  const name = side + path.slice(1);
  return /^[!-~]*$/.test(name) && !/["\\]/.test(name) ? name : cQuoted(name);
}
