/** The agent's answers as the API's types; see `entries.py` for the rows. */
import { BerthError } from '../../../api/errors';
import { fileTypes, type FileChange, type FileEntry } from '../../../api/files/schemas';
import { quote } from '../../../api/rules/volume-path';
import { isKeptReason, keptReasons, notRemoved, type Kept } from '../kept';
import type { Loss, MergeResult, TreeUsage } from '../volume-files';

const targetTypes = ['file', 'directory', 'other', 'missing', 'outside'] as const;
const changeTypes = ['created', 'changed', 'deleted'] as const;

function unexpected(what: string): BerthError {
  return new BerthError('internal', `The volume's agent answered without ${what}.`);
}

/** The number that it must be. Throws `internal` that names `what`. */
export function numberOf(value: unknown, what: string): number {
  if (typeof value !== 'number') {
    throw unexpected(what);
  }
  return value;
}

/** The text that it must be. Throws `internal` that names `what`. */
export function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') {
    throw unexpected(what);
  }
  return value;
}

/**
 * Of one thing in a folder, empty for the root. An agent inside of a workspace says what its guest wants: a name that
 * is a path would lead out of the folder that a copy goes to.
 */
function nameOf(value: unknown): string {
  const name = textOf(value, 'a name');
  if (name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new BerthError(
      'internal',
      `The agent answered a name that none can be: ${quote(name.slice(0, 80))}.`,
    );
  }
  return name;
}

function rowsOf(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) {
    throw unexpected(what);
  }
  return value;
}

/**
 * The name where the next page begins. It comes after that of this page, as the agent or as text sorts names: whoever
 * asks for one page after the other would never come to an end. Throws `internal` for a page that was there before.
 */
export function cursorOf(value: unknown, before: string | undefined): string {
  const next = textOf(value, 'a cursor');
  if (before !== undefined && next <= before && compareCharacters(next, before) <= 0) {
    throw new BerthError('internal', "The volume's agent answered a page that was there before.", {
      hint: 'Try again. If it is so again, look what runs as root in this workspace.',
    });
  }
  return next;
}

/** As Python sorts, which has bytes that are no text before all that `machine/file-names.ts` makes of them. */
function compareCharacters(a: string, b: string): number {
  const [some, others] = [placesOf(a), placesOf(b)];
  const first = some.findIndex((place, index) => place !== others[index]);
  return first < 0 ? some.length - others.length : (some[first] ?? 0) - (others[first] ?? -1);
}

function placesOf(text: string): number[] {
  return Array.from(text.matchAll(/\uefee[\uefbe\uefbf][\uef80-\uefbf]|./gsu), ([found]) => {
    const code = found.codePointAt(0) ?? 0;
    if (code < 0xef80 || code > 0xefff) {
      return code;
    }
    // Three bytes are a character of that very range.
    const [, middle = 0, last = 0] = Array.from(found, (byte) => byte.charCodeAt(0) & 0x3f);
    return found.length === 1 ? code - 0xef00 + 0xdc00 : 0xe000 | (middle << 6) | last;
  });
}

/** `[name, type, size, mode, uid, gid, mtime, ctime]`, times in microseconds; of links also `target type, target`. */
export function entryOf(value: unknown): FileEntry {
  const [name, type, size, mode, uid, gid, mtime, ctime, where, link] = rowsOf(value, 'an entry');
  const entry: FileEntry = {
    name: nameOf(name),
    type: fileTypes[numberOf(type, 'a type')] ?? 'other',
    size: numberOf(size, 'a size'),
    mode: numberOf(mode, 'a mode'),
    uid: numberOf(uid, 'an owner'),
    gid: numberOf(gid, 'a group'),
    mtimeMs: numberOf(mtime, 'a time') / 1000,
    ctimeMs: numberOf(ctime, 'a time') / 1000,
  };
  const targetType = targetTypes.find((known) => known === where);
  return targetType === undefined ? entry : { ...entry, targetType, linkTarget: textOf(link, 'a link') };
}

const droppedRights = ['setuid', 'setgid', 'capabilities'] as const;

/** The entry of a file that was written, with the rights that went with its old content. */
export function writtenOf(ok: Readonly<Record<string, unknown>>): FileEntry {
  const named = ok.dropped === undefined ? [] : stringsOf(ok.dropped);
  const dropped = droppedRights.filter((right) => named.includes(right));
  const entry = entryOf(ok.entry);
  return dropped.length === 0 ? entry : { ...entry, dropped };
}

/** The rows of a list. Throws `internal` for others. */
export function entriesOf(value: unknown): FileEntry[] {
  return rowsOf(value, 'entries').map(entryOf);
}

/** The changes that a watch saw. Throws `internal` for what are none. */
export function changesOf(value: unknown): FileChange[] {
  return rowsOf(value, 'changes').map((row) => {
    const [type, path] = rowsOf(row, 'a change');
    return { type: changeTypes.find((known) => known === type) ?? 'changed', path: textOf(path, 'a path') };
  });
}

/** What a tree takes, in bytes and names. Throws `internal` for what says neither. */
export function usageOf(ok: Readonly<Record<string, unknown>>): TreeUsage {
  return {
    bytes: numberOf(ok.bytes, 'bytes'),
    allocated: numberOf(ok.allocated, 'allocated bytes'),
    files: numberOf(ok.files, 'files'),
    directories: numberOf(ok.directories, 'folders'),
    ...(ok.unread !== undefined && { unread: unreadOf(ok.unread, ok.first_unread) }),
  };
}

function unreadOf(count: unknown, first: unknown): TreeUsage['unread'] {
  const [row] = failedOf([first]);
  return row && { count: numberOf(count, 'a number'), first: row.path, reason: row.reason };
}

/** A list of names. Throws `internal` for others. */
export function stringsOf(value: unknown): string[] {
  return rowsOf(value, 'names').map((item) => textOf(item, 'a name'));
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    throw unexpected('fields');
  }
  return { ...value };
}

/** What became of a stage. Throws `internal` for what does not say it. */
export function mergeOf(ok: Readonly<Record<string, unknown>>): MergeResult {
  const lost = lostOf(ok.lost ?? []);
  return {
    files: numberOf(ok.files, 'files'),
    skipped: stringsOf(ok.skipped),
    renamed: rowsOf(ok.renamed, 'renamed').map((item) => {
      const { from, to } = fieldsOf(item);
      return { from: textOf(from, 'a path'), to: textOf(to, 'a path') };
    }),
    failed: failedOf(ok.failed),
    ...(lost.length > 0 && { lost }),
  };
}

/** What could not be done, and why. Throws `internal` for what does not say it. */
export function failedOf(value: unknown): { path: string; reason: string }[] {
  return rowsOf(value, 'failed').map((item) => {
    const { path, code, detail } = fieldsOf(item);
    const reason = typeof detail === 'string' ? detail : textOf(code, 'a code');
    return { path: textOf(path, 'a path'), reason };
  });
}

/** What stays of what was to be moved, in words. Throws `internal` for what does not say it. */
export function keptOf(value: unknown): Kept[] {
  return rowsOf(value, 'what was kept').map((item) => {
    const { path, why, detail } = fieldsOf(item);
    const known = isKeptReason(why) ? keptReasons[why] : undefined;
    return { path: textOf(path, 'a path'), reason: known ?? notRemoved(textOf(detail, 'a reason')) };
  });
}

/** Rows of `[what, how often, where first]`. */
export function lostOf(value: unknown): Loss[] {
  return rowsOf(value, 'losses').map((row) => {
    const [what, count, first] = rowsOf(row, 'a loss');
    return {
      what: textOf(what, 'a reason'),
      count: numberOf(count, 'a count'),
      first: textOf(first, 'a path'),
    };
  });
}
