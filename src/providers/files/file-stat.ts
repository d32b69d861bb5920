/** A file's entry as VS Code's file types and stat. */
import * as vscode from 'vscode';
import type { FileEntry } from '../../api';

const { File, Directory, SymbolicLink, Unknown } = vscode.FileType;
const anyWriteBit = 0o222;

/** A link carries what it leads to; one that leads nowhere or outside is only a link. */
export function fileType({ type, targetType }: FileEntry): vscode.FileType {
  switch (type) {
    case 'file':
      return File;
    case 'directory':
      return Directory;
    case 'symlink':
      return SymbolicLink | (targetType === 'directory' ? Directory : targetType === 'file' ? File : Unknown);
    case 'other':
      return Unknown;
  }
}

/** `isFixed`: it is where nothing can be changed. */
export function fileStat(entry: FileEntry, isFixed: boolean): vscode.FileStat {
  const isWritable = !isFixed && (entry.type === 'symlink' || (entry.mode & anyWriteBit) !== 0);
  return {
    type: fileType(entry),
    ctime: Math.floor(entry.ctimeMs),
    mtime: Math.floor(entry.mtimeMs),
    size: entry.size,
    ...(!isWritable && { permissions: vscode.FilePermission.Readonly }),
  };
}

/** The folder of all volumes: volumes are neither made nor deleted as folders. */
export const allVolumesStat: vscode.FileStat = {
  type: Directory,
  ctime: 0,
  mtime: 0,
  size: 0,
  permissions: vscode.FilePermission.Readonly,
};
