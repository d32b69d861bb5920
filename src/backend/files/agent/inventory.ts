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
import { maxRows } from './limits';
import { failedOf, numberOf, textOf } from './replies';

/** A file may be large: as long as it is read, its digest may take its time. */
const timeoutMs = 6 * 3_600_000;
/** Of a link's target. */
const maxTextChars = 8192;
/** Of a mark, or a digest. */
const maxShortChars = 128;
/** A name has 255 bytes, or characters elsewhere. */
const maxNameChars = 1024;
/** Of folders that could not be read. */
const maxFailures = 100_000;
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
      root: ownRow(ok.root),
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
  const order = new Order();
  let failures = 0;
  let open: Open | undefined;
  for (let next: Promise<Reply> | undefined = ask(); next !== undefined;) {
    const { ok }: Reply = await next;
    next = ok.end === true ? undefined : ask();
    const unread = failedOf(ok.failed);
    failures = within(failures + unread.length, maxFailures, 'folders that can not be read');
    unread.forEach(failed);
    for (const line of listOf(ok.lines).map(lineOf)) {
      order.take(line);
      if (line.own === undefined) {
        open?.rows.push(...line.rows);
        continue;
      }
      if (open !== undefined) {
        yield open;
      }
      open = { parts: line.parts, own: line.own, rows: [...line.rows] };
    }
  }
  if (open !== undefined) {
    yield open;
  }
}

interface Open extends InventoryFolder {
  rows: InventoryRow[];
}

/** Two trees are held beside each other by the order: it is looked at as lines come, and how many rows of a folder are kept. */
class Order {
  private parts: readonly string[] | undefined;
  private name = '';
  private count = 0;

  take({ parts, own, rows }: Line): void {
    const order = this.parts === undefined ? undefined : compareParts(this.parts, parts);
    const goesOn = own === undefined;
    if (goesOn ? order !== 0 || rows.length === 0 : order !== undefined && order >= 0) {
      throw unexpected();
    }
    this.name = goesOn ? this.name : '';
    this.count = within((goesOn ? this.count : 0) + rows.length, maxRows, 'names in one folder');
    this.parts = parts;
    for (const { name } of rows) {
      if (compareNames(this.name, name) >= 0) {
        throw unexpected();
      }
      this.name = name;
    }
  }
}

function within(count: number, most: number, what: string): number {
  if (count > most) {
    throw new BerthError('too_large', `It has more than ${most} ${what}: that is not compared.`, {
      hint: 'Compare other folders of it by themselves.',
    });
  }
  return count;
}

/**
 * Of some of the files, from the first on; the rest is to be asked for again. Throws `internal` for an answer that none
 * can be.
 */
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
    own: own === null ? undefined : ownRow(own),
    rows: listOf(rows).map((row) => rowOf(row)),
  };
}

/** Of a folder itself: it has no name there. */
function ownRow(value: unknown): InventoryRow {
  return rowOf(value, '');
}

function rowOf(value: unknown, ownName?: string): InventoryRow {
  const row = listOf(value);
  if (row.length !== rowLength) {
    throw unexpected();
  }
  const [name, mode, uid, gid, size, device, mtime, mark, digest] = row;
  return {
    name: ownName ?? nameOf(name),
    mode: numberOf(mode, 'a mode'),
    uid: numberOf(uid, 'a user'),
    gid: numberOf(gid, 'a group'),
    size: numberOf(size, 'a size'),
    device: numberOf(device, 'a device'),
    mtimeMs: numberOf(mtime, 'a time') / 1000,
    mark: optionalText(mark, maxShortChars),
    digest: optionalText(digest, maxShortChars),
  };
}

/** An agent inside of a workspace says what its guest wants: nothing that leads elsewhere. */
function nameOf(value: unknown): string {
  const name = textOf(value, 'a name');
  const isNone = name === '' || name === '.' || name === '..' || name.length > maxNameChars;
  if (isNone || /[/\0]/.test(name)) {
    throw unexpected();
  }
  return name;
}

function optionalText(value: unknown, most = maxTextChars): string | undefined {
  if (value === null || value === undefined) {
    return undefined;
  }
  const text = textOf(value, 'a text');
  if (text.length > most) {
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
