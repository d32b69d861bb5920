/**
 * What Node can't say of this machine's files: attributes, holes, times to the nanosecond. Asked of the Python of this
 * machine, where it has one; names and values travel as data on its standard input.
 */
import { PassThrough, type Readable } from 'node:stream';
import { encodeName } from '../../machine/file-names';
import { pythonProgram } from '../../machine/python';
import { run } from '../../machine/run';

/** So many files at a time: their names and answers are in memory at once. */
const batch = 12_000;
/** Of these, processes look at so many each, side by side: fewer are not worth the start of another one. */
const share = 6000;
const timeoutMs = 600_000;
/** What a transfer makes is sent as it comes, however long that takes: no timer takes more. */
const endlessMs = 2 ** 31 - 1;
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

/**
 * Gets the folder in a line, then lines of files in it, each a list of `[name, {attribute: hex} | null, time | null]`.
 * Answers `[index, attribute]` of each attribute that a file can't have; files are counted over all lines.
 */
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
def main(lines, utime):
    os.chdir(json.loads(next(lines)).encode('latin-1'))
    index = 0
    for line in lines:
        for name, values, time in json.loads(line):
            path = name.encode('latin-1') or b'.'
            if values:
                give(index, path, values)
            if time is not None:
                try:
                    utime(path, ns=(int(time), int(time)), follow_symlinks=False)
                except (OSError, OverflowError):
                    pass
            index += 1
main(iter(sys.stdin.buffer), os.utime)
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
  return ask(inspecting, JSON.stringify({ names, holed }), signal);
}

/**
 * Sets attributes and times of files while others are still being made, by one Python for all of them: what changes the
 * mode of a file for a moment must not be seen by way of another name of it.
 */
export class FactsApplier {
  private readonly lines = new PassThrough();
  private readonly given = new AbortController();
  private answer: Promise<unknown[] | undefined> | undefined;

  /** Files are named from `folder`. */
  constructor(
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {}

  /** A line of `applying`. */
  add(line: Uint8Array): void {
    if (this.answer === undefined) {
      this.lines.write(`${JSON.stringify(bytesOf(this.folder))}\n`);
      const signal = AbortSignal.any([this.signal, this.given.signal]);
      this.answer = ask(applying, this.lines, signal, endlessMs);
      // What nobody reads any more is not kept.
      this.answer.then(
        () => this.lines.resume(),
        () => this.lines.resume(),
      );
    }
    this.lines.write(line);
  }

  /** Waits for all of them. Answers the attributes that were refused: all where nobody can set any. */
  async end(): Promise<[index: number, name: string][] | 'all'> {
    this.lines.end();
    if (this.answer === undefined) {
      return [];
    }
    const late = setTimeout(() => this.given.abort(), timeoutMs);
    // Of what hangs nothing was heard.
    const rows = await this.answer.catch(() => undefined);
    clearTimeout(late);
    this.signal.throwIfAborted();
    return rows === undefined ? 'all' : rows.flatMap(refusedOf);
  }

  /** Ends what is under way. */
  async abandon(): Promise<void> {
    this.given.abort();
    await this.answer?.catch(() => undefined);
  }
}

function refusedOf(row: unknown): [index: number, name: string][] {
  const [index, name] = listOf(row);
  return typeof index === 'number' && typeof name === 'string' ? [[index, name]] : [];
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
async function ask(
  script: string,
  input: string | Readable,
  signal: AbortSignal,
  withinMs = timeoutMs,
): Promise<unknown[] | undefined> {
  if (process.platform !== 'linux') {
    return undefined;
  }
  const end = await run(await pythonProgram(), ['-I', '-S', '-c', script], {
    what: 'look at the files of this machine',
    timeoutMs: withinMs,
    signal,
    input,
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
