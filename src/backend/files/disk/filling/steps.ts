/** What a new file system is filled with, in the words that the engine and the thread that fills it share. */
import type { LeftOut } from '../../../tar/losses';

/** A part of a file that is more than zeros. */
export interface Piece {
  /** Where it is in the file. */
  at: number;
  /** Where it is in the file of all contents. */
  from: number;
  length: number;
}

export interface NewInode {
  kind: 'directory' | 'file' | 'symlink' | 'fifo' | 'character' | 'block';
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Microseconds since 1970. */
  mtime: number;
  /** Nanoseconds below that. */
  mtimeRest?: number;
  /** Of a file, holes included. */
  size: number;
  /** Of a file, in order. */
  pieces?: readonly Piece[];
  /** Of a symlink. */
  target?: string;
  device?: { major: number; minor: number };
  /** By their full names, with the values that getxattr(2) answers. */
  xattrs: ReadonlyMap<string, Uint8Array>;
}

export interface Child {
  name: string;
  /** The same number is the same inode: another name for it. */
  id: number;
  /** With the first name of an inode. */
  made?: NewInode;
}

/** Some of what a folder holds. Every folder comes after the one that it is in, and has a last step. */
export interface FolderStep {
  /** For people. */
  path: string;
  /** 0 is the root. */
  id: number;
  /** Of the root only: what it is itself. */
  made?: NewInode;
  children: readonly Child[];
  isLast: boolean;
}

export type ToFiller = { step: FolderStep } | 'end';
export type FromFiller =
  /** One step is done. */
  | 'done'
  /** Still at work. */
  | 'writing'
  /** All of it lasts; these are in words what was left out. */
  | { ended: LeftOut }
  | { failed: { code: string; detail?: string | undefined } };
