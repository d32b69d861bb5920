/**
 * What Node can't say of this machine's files: attributes, holes, times to the nanosecond. Asked of the Python of this
 * machine, where it has one; names and values travel as data on its standard input.
 */
import { encodeName } from '../../machine/file-names';
import { pythonProgram } from '../../machine/python';
import { run } from '../../machine/run';

/** So many files at a time: their names and answers are in memory at once. */
const batch = 12_000;
/** Of these, processes look at so many each, side by side: fewer are not worth the start of another one. */
const share = 6000;
/** Of values, which travel as twice as many digits. */
const batchBytes = 8 * 1024 * 1024;
const timeoutMs = 600_000;
/** Of one batch: attributes have 64 KiB at most, and most files none. */
const maxAnswerBytes = 512 * 1024 * 1024;

/** Answers, for files that have attributes or holes, `[index, {name: hex}, [[from, to], …] | null]`. */
const inspecting = `
import errno, json, os, stat, sys
def ranges(path, size):
    f = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found, at = [], 0
        while at < size:
            try:
                start = os.lseek(f, at, os.SEEK_DATA)
            except OSError as e:
                if e.errno == errno.ENXIO:
                    break
                return None
            at = min(size, os.lseek(f, start, os.SEEK_HOLE))
            found.append([start, at])
        return found
    finally:
        os.close(f)
answer = []
asked = json.load(sys.stdin)
holed = set(asked['holed'])
for index, name in enumerate(asked['names']):
    path = name.encode('latin-1')
    try:
        values = {}
        for key in os.listxattr(path, follow_symlinks=False):
            if key.startswith(('user.', 'trusted.', 'system.posix_acl_', 'security.capability')):
                values[key] = os.getxattr(path, key, follow_symlinks=False).hex()
        data = None
        if index in holed:
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and status.st_blocks * 512 < status.st_size:
                data = ranges(path, status.st_size)
        if values or data is not None:
            answer.append([index, values, data])
    except OSError:
        pass
json.dump(answer, sys.stdout)
`;

/** Answers `[index, name]` of each attribute that a file can't have. */
const applying = `
import json, os, stat, sys
refused = []
def give(index, path, values):
    try:
        status = os.lstat(path)
    except OSError:
        refused.extend([index, key] for key in values)
        return
    mode = status.st_mode & 0o7777
    if stat.S_ISLNK(status.st_mode):
        refused.extend([index, key] for key in values)
        return
    for key, value in values.items():
        try:
            try:
                os.setxattr(path, key, bytes.fromhex(value), follow_symlinks=False)
            except PermissionError:
                os.chmod(path, mode | 0o200)
                try:
                    os.setxattr(path, key, bytes.fromhex(value), follow_symlinks=False)
                finally:
                    os.chmod(path, mode)
        except (OSError, ValueError):
            refused.append([index, key])
for index, (name, values, time) in enumerate(json.load(sys.stdin)):
    path = name.encode('latin-1')
    if values:
        give(index, path, values)
    if time is not None:
        try:
            os.utime(path, ns=(int(time), int(time)), follow_symlinks=False)
        except (OSError, OverflowError):
            pass
json.dump(refused, sys.stdout)
`;

export interface LocalFacts {
  xattrs: Map<string, Buffer>;
  /** Where there is data; undefined for a file without holes. */
  data: [from: number, to: number][] | undefined;
}

/** `source`: where it is, as in machine/file-names.ts. */
interface LocalFile {
  source: string;
  mayHaveHoles: boolean;
}

export interface FactsToApply {
  path: string;
  xattrs: ReadonlyMap<string, Buffer>;
  mtimeNs: bigint | undefined;
}

/** What there is to know of each file, by its index; undefined where nobody can say. Holes are sought where they may be. */
export async function inspectLocal(
  files: readonly LocalFile[],
  signal: AbortSignal,
): Promise<Map<number, LocalFacts> | undefined> {
  const found = new Map<number, LocalFacts>();
  for (let at = 0; at < files.length; at += batch) {
    const starts = Array.from(
      { length: Math.ceil(Math.min(batch, files.length - at) / share) },
      (_, index) => at + index * share,
    );
    const answers = await Promise.all(
      starts.map(async (start) => ({ start, rows: await inspectShare(files, start, signal) })),
    );
    for (const { start, rows } of answers) {
      if (rows === undefined) {
        return undefined;
      }
      for (const row of rows) {
        const [index, values, data] = listOf(row);
        if (typeof index === 'number') {
          found.set(start + index, { xattrs: valuesOf(values), data: rangesOf(data) });
        }
      }
    }
  }
  return found;
}

/** What one process answers, with indexes from `start` on. */
function inspectShare(
  files: readonly LocalFile[],
  start: number,
  signal: AbortSignal,
): Promise<unknown[] | undefined> {
  const some = files.slice(start, start + share);
  const names = some.map(({ source }) => bytesOf(source));
  const holed = some.flatMap(({ mayHaveHoles }, index) => (mayHaveHoles ? [index] : []));
  return ask(inspecting, { names, holed }, signal);
}

/** Answers the attributes that were refused: all of them where nobody can set any. */
export async function applyLocal<Item extends FactsToApply>(
  items: readonly Item[],
  signal: AbortSignal,
): Promise<{ item: Item; name: string }[]> {
  const refused: { item: Item; name: string }[] = [];
  for (const some of batches(items)) {
    const sent = some.map(({ path, xattrs, mtimeNs }) => [
      bytesOf(path),
      Object.fromEntries([...xattrs].map(([name, value]) => [name, value.toString('hex')])),
      mtimeNs?.toString() ?? null,
    ]);
    const rows = await ask(applying, sent, signal);
    if (rows === undefined) {
      refused.push(...some.flatMap((item) => [...item.xattrs.keys()].map((name) => ({ item, name }))));
    }
    for (const row of rows ?? []) {
      const [index, name] = listOf(row);
      const item = typeof index === 'number' ? some[index] : undefined;
      if (item !== undefined && typeof name === 'string') {
        refused.push({ item, name });
      }
    }
  }
  return refused;
}

/** Neither too many nor too much at once. */
function* batches<Item extends FactsToApply>(items: readonly Item[]): Generator<Item[]> {
  let some: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    some.push(item);
    for (const { length } of item.xattrs.values()) bytes += length;
    if (some.length >= batch || bytes > batchBytes) {
      yield some;
      [some, bytes] = [[], 0];
    }
  }
  if (some.length > 0) {
    yield some;
  }
}

/** A name as JSON can carry it: a character for each byte. */
function bytesOf(path: string): string {
  return encodeName(path).toString('latin1');
}

function valuesOf(values: unknown): Map<string, Buffer> {
  const entries: [string, unknown][] =
    typeof values === 'object' && values !== null ? Object.entries(values) : [];
  return new Map(entries.map(([name, hex]) => [name, Buffer.from(String(hex), 'hex')]));
}

function rangesOf(data: unknown): [number, number][] | undefined {
  return Array.isArray(data)
    ? data.map((range: unknown) => {
        const [from, to] = listOf(range);
        return [Number(from), Number(to)];
      })
    : undefined;
}

/** Undefined where there is no Python, or none that can. */
async function ask(script: string, input: unknown, signal: AbortSignal): Promise<unknown[] | undefined> {
  if (process.platform !== 'linux') {
    return undefined;
  }
  const end = await run(await pythonProgram(), ['-I', '-S', '-c', script], {
    what: 'look at the files of this machine',
    timeoutMs,
    signal,
    input: JSON.stringify(input),
    maxBytes: maxAnswerBytes,
  }).catch(() => undefined);
  signal.throwIfAborted();
  if (end?.code !== 0) {
    return undefined;
  }
  const answer: unknown = JSON.parse(end.stdout);
  return Array.isArray(answer) ? answer : undefined;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
