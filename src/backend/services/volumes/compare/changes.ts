/** What of a file has changed, in the words of the API. */
import type { Change, ChangedPart, ChangeKind, ComparedFile } from '../../../../api/files/compare';
import type { FileDetails, InventoryRow } from '../../../files/inventory';

const typeMask = 0o170000;
const types: Readonly<Record<number, ComparedFile['type']>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
};

/** What is on both sides of one path. */
export interface Pair {
  path: string;
  before: InventoryRow;
  after: InventoryRow;
}

/** Whether both are of one kind; of two devices that are not, each is another file. */
export function isOneType({ before, after }: Pair): boolean {
  return (before.mode & typeMask) === (after.mode & typeMask);
}

/** Whether it is a folder. */
export function isFolder({ mode }: InventoryRow): boolean {
  return typeOfMode(mode) === 'directory';
}

/** Whether the contents have to be looked at: another size tells enough. */
export function needsContent({ before, after }: Pair): boolean {
  return (
    typeOfMode(before.mode) === 'file' && typeOfMode(after.mode) === 'file' && before.size === after.size
  );
}

/** In two inventories of one volume: surely nothing has changed. */
export function isUntouched({ before, after }: Pair): boolean {
  return (
    before.mark !== undefined &&
    before.mark === after.mark &&
    before.mode === after.mode &&
    before.uid === after.uid &&
    before.gid === after.gid &&
    before.size === after.size &&
    before.device === after.device
  );
}

/** undefined: nothing. */
export function changeOf(pair: Pair, was: FileDetails, is: FileDetails): Change | undefined {
  const { before, after } = pair;
  const what: ChangedPart[] = [
    ...when('content', hasOtherContent(pair, was, is)),
    ...when('target', was.target !== is.target),
    ...when('device', before.device !== after.device),
    ...when('mode', before.mode !== after.mode),
    ...when('owner', before.uid !== after.uid || before.gid !== after.gid),
    ...when('attributes', was.attributes !== is.attributes),
  ];
  if (what.length === 0) {
    return undefined;
  }
  const isMore = what.some((part) => ['content', 'target', 'device'].includes(part));
  return {
    ...{ path: pair.path, kind: isMore ? 'changed' : 'metadata', what },
    before: fileOf(before, was.target),
    after: fileOf(after, is.target),
  };
}

/** What is on one side only. */
export function lone(kind: 'added' | 'removed', path: string, row: InventoryRow): Change {
  return { path, kind, [kind === 'added' ? 'after' : 'before']: fileOf(row) };
}

/** What is another kind of file now. */
export function otherType({ path, before, after }: Pair): Change {
  return { path, kind: 'type' satisfies ChangeKind, before: fileOf(before), after: fileOf(after) };
}

/** A digest that is missing says nothing, so not that they are the same. */
function hasOtherContent(pair: Pair, was: FileDetails, is: FileDetails): boolean {
  if (typeOfMode(pair.before.mode) !== 'file') {
    return false;
  }
  const before = pair.before.digest ?? was.digest;
  const after = pair.after.digest ?? is.digest;
  return !needsContent(pair) || before === undefined || before !== after;
}

function fileOf(row: InventoryRow, target?: string): ComparedFile {
  return {
    type: typeOfMode(row.mode),
    size: row.size,
    mode: row.mode & 0o7777,
    uid: row.uid,
    gid: row.gid,
    mtimeMs: row.mtimeMs,
    ...(target !== undefined && { target }),
  };
}

/** The kind of a file, of its mode with that. */
export function typeOfMode(mode: number): ComparedFile['type'] {
  return types[mode & typeMask] ?? 'other';
}

function when(part: ChangedPart, isSo: boolean): ChangedPart[] {
  return isSo ? [part] : [];
}
