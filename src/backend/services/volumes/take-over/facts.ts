/** Whether a file is still what it was when it was compared. */
import type { ComparedFile } from '../../../../api/files/compare';
import type { FileEntry } from '../../../../api/files/schemas';
import type { InventoryRow } from '../../../files/inventory';
import { typeOfMode } from '../compare/changes';

/** Of folders only that they are some. */
export function isAsCompared(entry: FileEntry | undefined, facts: ComparedFile | undefined): boolean {
  if (entry === undefined || facts === undefined) {
    return entry === undefined && facts === undefined;
  }
  if (entry.type !== facts.type) {
    return false;
  }
  switch (facts.type) {
    case 'directory':
      return true;
    case 'symlink':
      return facts.target === undefined ? isSameLink(entry, facts) : entry.linkTarget === facts.target;
    default:
      return (
        entry.size === facts.size &&
        entry.mtimeMs === facts.mtimeMs &&
        entry.mode === facts.mode &&
        entry.uid === facts.uid &&
        entry.gid === facts.gid
      );
  }
}

/** Of a link whose target is not known from then. Where it leads to something, the entry has the numbers of that. */
function isSameLink({ linkTarget = '', ...entry }: FileEntry, facts: ComparedFile): boolean {
  const isItself = entry.targetType === 'missing' || entry.targetType === 'outside';
  return (
    Buffer.byteLength(linkTarget) === facts.size &&
    (!isItself || (entry.mtimeMs === facts.mtimeMs && entry.uid === facts.uid && entry.gid === facts.gid))
  );
}

/** Of what has arrived, where rights and owners may have been lost. Links whose target is known are to be read. */
export function hasArrived(row: InventoryRow, facts: ComparedFile): boolean {
  const type = typeOfMode(row.mode);
  const isToBeSame = type === 'file' || (type === 'symlink' && facts.target === undefined);
  return (
    type === facts.type && (!isToBeSame || (row.size === facts.size && sameTime(row.mtimeMs, facts.mtimeMs)))
  );
}

/** Where a file system has coarser times. */
function sameTime(one: number, other: number): boolean {
  return Math.abs(one - other) < 1;
}
