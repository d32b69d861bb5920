/** What is in a tree, folder by folder, with what tells whether it has changed (images/tools/agent/inventory.py). */

/** A name in a tree, or a folder itself. */
export interface InventoryRow {
  name: string;
  /** With the kind of file, as stat(2) has it. */
  mode: number;
  uid: number;
  gid: number;
  /** 0 for folders. */
  size: number;
  device: number;
  mtimeMs: number;
  /** What has the same one in two inventories of one volume has not changed in between. */
  mark: string | undefined;
  /** Of the content, where it is known without being read. */
  digest: string | undefined;
}

export interface InventoryFolder {
  /** Names from the path of the inventory on. */
  parts: readonly string[];
  own: InventoryRow;
  /** What is in it but for folders, which come by themselves. */
  rows: readonly InventoryRow[];
}

export interface InventoryFailure {
  path: string;
  reason: string;
}

export interface Inventory {
  /** What is at the path. Only a folder has more. */
  root: InventoryRow;
  /** The path of it without links, for `details`. */
  path: string;
  /**
   * Each before what is below it, in the order of `compareNames`, and so its rows. Paths of failures are from the path of the
   * inventory. To be read once, and to its end or `return`ed: it holds what it reads from.
   */
  folders(failed: (failure: InventoryFailure) => void): AsyncGenerator<InventoryFolder, void>;
  close(): Promise<void>;
}

export interface InventoryOptions {
  /** Names of the top that are left out. */
  without?: readonly string[];
}

/** What is known of a file when it has been looked at. */
export interface FileDetails {
  /** Of a link. */
  target: string | undefined;
  attributes: string;
  /** Of the content, where it was asked for. */
  digest: string | undefined;
}

/** `gone` since it was listed. */
export type FoundDetails = FileDetails | { reason: string } | 'gone';

export interface WantedDetails {
  /** From the volume's root. */
  path: string;
  content: boolean;
}
