/** What mke2fs puts into every file system for e2fsck, and nobody has asked for: not shown while there is nothing in it. */
import { rootInode, type Ext4 } from '../../../ext4/file-system';

const folderName = 'lost+found';

/** images/tools/agent/entries.py does the same where a system has the disk mounted. */
export function isUnusedLostAndFound(fs: Ext4, folder: number, name: string): boolean {
  if (folder !== rootInode || name !== folderName) {
    return false;
  }
  const number = fs.lookup(folder, name);
  const inode = number === undefined ? undefined : fs.inode(number);
  return inode?.isDirectory === true && inode.uid === 0 && fs.names(inode.number).size === 0;
}
