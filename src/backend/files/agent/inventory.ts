/** Inventories through an agent: what it is asked, and what it may answer (images/tools/agent/inventory.py). */
import { BerthError } from '../../../api/errors';
import { normalizePath } from '../../../api/rules/volume-path';
import { compareNames, compareParts } from '../name-order';
import type {
  FoundDetails,
  Inventory,
  InventoryFailure,
  InventoryFolder,
  InventoryOptions,
  InventoryRow,
  WantedDetails,
} from '../inventory';
import type { AgentAccess } from './access';
import type { AgentChannel, Reply } from './channel';
import { failedOf, numberOf, textOf } from './replies';

/** A file may be large: as long as it is read, its digest may take its time. */
const timeoutMs = 6 * 3_600_000;
/** Of a link's target; the others are shorter. */
const maxTextChars = 8192;
const rowLength = 9;

interface Line {
  parts: readonly string[];
  own: InventoryRow | undefined;
  rows: readonly InventoryRow[];
}

/** Holds the agent until it is closed. */
export async function openInventory(
  access: AgentAccess,
  path: string,
  { without = [] }: InventoryOptions,
  signal?: AbortSignal,
): Promise<Inventory> {
  const release = access.hold();
  try {
    const channel = await access.channel();
    const fields = { path: normalizePath(path), without, manifest: access.hasManifest === true };
    const { ok } = await channel.request('inventory_open', fields, { signal });
    const handle = numberOf(ok.handle, 'a handle');
    return {
      root: rowOf(ok.root),
      path: normalizePath(textOf(ok.real, 'a path')),
      folders: (failed) => foldersOf(channel, handle, failed, signal),
      close: async () => {
        await channel.request('inventory_close', { handle }).catch(() => undefined);
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** The next page is asked for before the one that came is looked at. */
async function* foldersOf(
  channel: AgentChannel,
  handle: number,
  failed: (failure: InventoryFailure) => void,
  signal?: AbortSignal,
): AsyncGenerator<InventoryFolder, void> {
  const ask = (): Promise<Reply> => {
    const answer = channel.request('inventory_next', { handle }, { signal, timeoutMs });
    answer.catch(() => undefined);
    return answer;
  };
  let open: InventoryFolder | undefined;
  for (let next: Promise<Reply> | undefined = ask(); next !== undefined;) {
    const { ok }: Reply = await next;
    next = ok.end === true ? undefined : ask();
    failedOf(ok.failed).forEach(failed);
    for (const line of listOf(ok.lines).map(lineOf)) {
      if (line.own === undefined) {
        open = joined(open, line);
        continue;
      }
      if (open !== undefined) {
        yield inOrder(open, line.parts);
      }
      open = { ...line, own: line.own };
    }
  }
  if (open !== undefined) {
    yield inOrder(open);
  }
}

function joined(open: InventoryFolder | undefined, { parts, rows }: Line): InventoryFolder {
  if (open === undefined || compareParts(open.parts, parts) !== 0) {
    throw unexpected();
  }
  return { ...open, rows: [...open.rows, ...rows] };
}

/** Two trees are held beside each other by it. */
function inOrder(folder: InventoryFolder, next?: readonly string[]): InventoryFolder {
  const { parts, rows } = folder;
  const isSorted = rows.every(({ name }, at) => at === 0 || compareNames(rows[at - 1]?.name ?? '', name) < 0);
  if (!isSorted || (next !== undefined && compareParts(parts, next) >= 0)) {
    throw unexpected();
  }
  return folder;
}

/** Of some of the files, from the first on; the rest is to be asked for again. */
export async function askDetails(
  channel: AgentChannel,
  files: readonly WantedDetails[],
  signal?: AbortSignal,
): Promise<FoundDetails[]> {
  const wanted = files.map(({ path, content }) => [path, content]);
  const { ok } = await channel.request('details', { files: wanted }, { signal, timeoutMs });
  const rows = listOf(ok.rows);
  if (rows.length === 0 || rows.length > files.length) {
    throw unexpected();
  }
  return rows.map(detailsOf);
}

function detailsOf(row: unknown): FoundDetails {
  if (row === null) {
    return 'gone';
  }
  if (!Array.isArray(row)) {
    const [failure] = failedOf([row]);
    return { reason: failure?.reason ?? 'no reason' };
  }
  const [target, attributes, digest] = listOf(row);
  return {
    target: optionalText(target),
    attributes: textOf(attributes, 'attributes'),
    digest: optionalText(digest),
  };
}

function lineOf(value: unknown): Line {
  const [parts, own, rows] = listOf(value);
  return {
    parts: listOf(parts).map(nameOf),
    own: own === null ? undefined : rowOf(own),
    rows: listOf(rows).map(rowOf),
  };
}

function rowOf(value: unknown): InventoryRow {
  const row = listOf(value);
  if (row.length !== rowLength) {
    throw unexpected();
  }
  const [name, mode, uid, gid, size, device, mtime, mark, digest] = row;
  return {
    name: typeof name === 'string' && !name.includes('/') ? name : nameOf(name),
    mode: numberOf(mode, 'a mode'),
    uid: numberOf(uid, 'a user'),
    gid: numberOf(gid, 'a group'),
    size: numberOf(size, 'a size'),
    device: numberOf(device, 'a device'),
    mtimeMs: numberOf(mtime, 'a time') / 1000,
    mark: optionalText(mark),
    digest: optionalText(digest),
  };
}

/** An agent inside of a workspace says what its guest wants: nothing that leads elsewhere. */
function nameOf(value: unknown): string {
  const name = textOf(value, 'a name');
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw unexpected();
  }
  return name;
}

function optionalText(value: unknown): string | undefined {
  if (value === null || value === undefined) {
    return undefined;
  }
  const text = textOf(value, 'a text');
  if (text.length > maxTextChars) {
    throw unexpected();
  }
  return text;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw unexpected();
  }
  return value;
}

function unexpected(): BerthError {
  return new BerthError('internal', "The volume's agent answered an inventory with what none can be.");
}
