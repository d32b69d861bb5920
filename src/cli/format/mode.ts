import type { FileType } from '../../api';

const marks: Record<FileType, string> = { file: '-', directory: 'd', symlink: 'l', other: '?' };

/** Type and permission bits as `ls -l` writes them: `drwxr-xr-x`. */
export function formatMode(type: FileType, mode: number): string {
  const triple = (shift: number): string => {
    const bits = (mode >> shift) & 7;
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
  };
  return marks[type] + triple(6) + triple(3) + triple(0);
}
