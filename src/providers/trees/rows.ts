/** The rows of both trees: identities only. What a row shows is looked up in the store when it is drawn. */
import type { FileEntry } from '../../api';

export type WorkspaceRow =
  | { type: 'group'; key: string }
  | { type: 'workspace'; name: string }
  | { type: 'problem'; workspace: string; index: number }
  | { type: 'operation'; workspace: string; id: string }
  | { type: 'step'; workspace: string; operation: string; index: number }
  | { type: 'port'; workspace: string }
  | { type: 'published'; workspace: string; host: number; guest: number }
  | { type: 'mount'; workspace: string; volume: string; target: string; readOnly: boolean }
  /** All files of a workspace, from `/` on. */
  | { type: 'root'; workspace: string }
  | FileRow
  | MoreRow
  | NoticeRow;

/** Where a row is for the shell of a workspace; what it is a row of may be mounted there. */
export interface Inside {
  workspace: string;
  path: string;
  readOnly: boolean;
  /** What is mounted at the path itself. */
  mounted?: 'volume' | 'other';
}

export interface FileRow {
  type: 'file';
  /** A volume, or the `rootfs@…` of a workspace. */
  volume: string;
  /** From the volume's root, starting with `/`. */
  path: string;
  entry: FileEntry;
  /** In the tree of a workspace's files. */
  inside?: Inside;
}

interface MoreRow {
  type: 'more';
  volume: string;
  path: string;
  shown: number;
  total: number;
  inside?: Inside;
}

interface NoticeRow {
  type: 'notice';
  volume: string;
  path: string;
  message: string;
  inside?: Inside;
}

export type VolumeRow =
  | { type: 'group'; key: string }
  | { type: 'volume'; name: string }
  /** A workspace that has the volume, or a runtime that is no workspace's. */
  | { type: 'user'; volume: string; name: string }
  /** All snapshots of a volume. */
  | { type: 'snapshots'; volume: string }
  | { type: 'snapshot'; volume: string; id: string }
  | FileRow
  | MoreRow
  | NoticeRow;

export type Row = WorkspaceRow | VolumeRow;

/** Stable over refreshes: VS Code keeps what is expanded and selected by it. */
export function rowId(row: Row): string {
  switch (row.type) {
    case 'group':
      return `group:${row.key}`;
    case 'workspace':
      return `workspace:${row.name}`;
    case 'problem':
      return `problem:${row.workspace}:${row.index}`;
    case 'operation':
      return `operation:${row.id}`;
    case 'step':
      return `step:${row.operation}:${row.index}`;
    case 'port':
      return `port:${row.workspace}`;
    case 'published':
      return `published:${row.workspace}:${row.host}`;
    case 'mount':
      return `mount:${row.workspace}:${row.target}`;
    case 'volume':
      return `volume:${row.name}`;
    case 'user':
      return `user:${row.volume}:${row.name}`;
    case 'snapshots':
      return `snapshots:${row.volume}`;
    case 'snapshot':
      return `snapshot:${row.id}`;
    case 'root':
      return `root:${row.workspace}`;
    case 'file':
    case 'more':
    case 'notice':
      return `${row.type}:${placeId(row)}`;
  }
}

/** One volume may be mounted twice: the path inside tells its rows apart. */
function placeId({ volume, path, inside }: FileRow | MoreRow | NoticeRow): string {
  return inside === undefined ? `${volume}:${path}` : `${inside.workspace}@${inside.path}`;
}

/**
 * One object per row id, as VS Code knows rows by reference: a new list of rows reuses the objects of the old
 * one, with their fields brought up to date.
 */
export class RowCache<T extends Row> {
  private readonly rows = new Map<string, T>();

  intern(row: T): T {
    const id = rowId(row);
    const known = this.rows.get(id);
    if (known === undefined) {
      this.rows.set(id, row);
      return row;
    }
    return Object.assign(known, row);
  }

  find(id: string): T | undefined {
    return this.rows.get(id);
  }

  all(): IterableIterator<T> {
    return this.rows.values();
  }

  /** Forgets rows that can't be drawn any more. */
  drop(isGone: (row: T) => boolean): void {
    for (const [id, row] of this.rows) {
      if (isGone(row)) {
        this.rows.delete(id);
      }
    }
  }
}

/** Whether it is a folder, or a link to one. */
export function isDirectory(entry: FileEntry): boolean {
  return entry.type === 'directory' || (entry.type === 'symlink' && entry.targetType === 'directory');
}

const types = new Set<unknown>([
  'group',
  'workspace',
  'problem',
  'operation',
  'step',
  'port',
  'published',
  'mount',
  'root',
  'volume',
  'user',
  'snapshots',
  'snapshot',
  'file',
  'more',
  'notice',
]);

/** What VS Code hands to a command may be anything. */
export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && 'type' in value && types.has(value.type);
}
