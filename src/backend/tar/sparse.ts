/**
 * Sparse files in tars, as GNU tar writes them (its manual, "Storing Sparse Files"): a map says where in the file the
 * bytes of the archive belong; all between is a hole. The map is in the header and blocks behind it (old GNU, type S),
 * in the extended header (PAX 0.0 and 0.1), or before the content (PAX 1.0).
 */
export interface SparsePart {
  offset: number;
  length: number;
}

export const sparseKey = 'GNU.sparse.';
/** Memory is not filled by a map; a file in so many parts is hardly sparse. */
const maxParts = 1_000_000;
const maxDigits = 16;
const block = 512;
const entryBytes = 24;
const inHeader = { at: 386, count: 4, more: 482, size: 483 };
const inExtension = { at: 0, count: 21, more: 504 };
const newline = 0x0a;
const zero = 0x30;

/** What the records of an extended header say, by their names without the prefix. */
export class SparseRecords {
  private readonly values = new Map<string, string>();
  /** Of 0.0, where a name comes again and again. */
  private readonly numbers: string[] = [];
  private isMixedUp = false;

  /** What can't be understood is found when the map is asked for. */
  add(name: string, value: string): void {
    if (name === 'offset' || name === 'numbytes') {
      this.isMixedUp ||= (name === 'offset') !== (this.numbers.length % 2 === 0);
      this.numbers.push(value);
    } else {
      this.values.set(name, value);
    }
  }

  get name(): string | undefined {
    return this.values.get('name');
  }

  /** Of the file, holes included. */
  get size(): number {
    return numberOf(this.values.get('realsize') ?? this.values.get('size'));
  }

  /** The map; undefined when it is before the content. Throws for a version that is not known. */
  get parts(): SparsePart[] | undefined {
    const version = `${this.values.get('major') ?? 0}.${this.values.get('minor') ?? 0}`;
    if (version === '1.0') {
      return undefined;
    }
    if (!['0.0', '0.1'].includes(version)) {
      throw new Error(`version ${version} is not known`);
    }
    if (this.isMixedUp) {
      throw new Error('its offsets and lengths do not alternate');
    }
    const map = this.values.get('map');
    return paired((map === undefined ? this.numbers : map.split(',')).map((text) => numberOf(text)));
  }
}

/** A map that comes in blocks of 512 bytes; complete when `take` says so. */
export interface BlockMap {
  readonly parts: readonly SparsePart[];
  take(block: Buffer): boolean;
}

/** Before the content: decimal numbers, each with a line break; the first says how many parts there are. */
export class TextMap implements BlockMap {
  private readonly numbers: number[] = [];
  private digits = 0;
  private value = 0;

  /**
   * Takes more of the map's text, and answers whether all of it is there. Throws for what is no map, or has too many
   * parts.
   */
  take(bytes: Buffer): boolean {
    for (const byte of bytes) {
      if (byte === newline && this.digits > 0) {
        this.numbers.push(this.value);
        this.value = this.digits = 0;
        const [count = 0] = this.numbers;
        if (count > maxParts) {
          throw new Error('it has too many parts');
        }
        if (this.numbers.length === 1 + 2 * count) {
          return true;
        }
      } else if (byte >= zero && byte < zero + 10 && this.digits < maxDigits) {
        this.value = this.value * 10 + byte - zero;
        this.digits++;
      } else {
        throw new Error('its map is not made of numbers');
      }
    }
    return false;
  }

  get parts(): SparsePart[] {
    return paired(this.numbers.slice(1));
  }
}

/** Old GNU: a few parts in the header, more in blocks behind it. */
export class GnuMap implements BlockMap {
  readonly parts: SparsePart[] = [];
  /** Of the file, holes included. */
  readonly size: number;
  readonly isComplete: boolean;

  constructor(
    header: Buffer,
    private readonly numberAt: (block: Buffer, start: number, length: number) => number,
  ) {
    this.size = numberAt(header, inHeader.size, 12);
    this.isComplete = this.add(header, inHeader);
  }

  take(bytes: Buffer): boolean {
    return this.add(bytes, inExtension);
  }

  private add(bytes: Buffer, { at, count, more }: { at: number; count: number; more: number }): boolean {
    for (let place = at; place < at + count * entryBytes && bytes[place] !== 0; place += entryBytes) {
      this.parts.push({
        offset: this.numberAt(bytes, place, 12),
        length: this.numberAt(bytes, place + 12, 12),
      });
    }
    if (this.parts.length > maxParts) {
      throw new Error('it has too many parts');
    }
    return bytes[more] === 0;
  }
}

/** Throws unless the parts are in order, do not overlap, lie inside of the file and are all of the archive's bytes. */
export function checkParts(parts: readonly SparsePart[], size: number, dataBytes: number): void {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of parts) {
    if (offset < end || offset + length > size) {
      throw new Error('its parts overlap or lie outside of it');
    }
    end = offset + length;
    sum += length;
  }
  if (!Number.isSafeInteger(size) || sum !== dataBytes) {
    throw new Error('its parts are not what the archive holds');
  }
}

/** As 1.0 has it before the content, filled up to whole blocks. GNU tar knows a hole at the end by an empty part. */
export function encodeMap(parts: readonly SparsePart[], size: number): Buffer {
  const last = parts.at(-1);
  const isToEnd = last !== undefined && last.offset + last.length === size;
  const all = isToEnd ? parts : [...parts, { offset: size, length: 0 }];
  const numbers = [all.length, ...all.flatMap(({ offset, length }) => [offset, length])];
  const text = Buffer.from(numbers.map((number) => `${number}\n`).join(''));
  return Buffer.concat([text, Buffer.alloc((block - (text.length % block)) % block)]);
}

function paired(numbers: readonly number[]): SparsePart[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * maxParts) {
    throw new Error('its map is not complete, or too large');
  }
  const parts: SparsePart[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    parts.push({ offset: numbers[at] ?? 0, length: numbers[at + 1] ?? 0 });
  }
  return parts;
}

function numberOf(text = ''): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new Error('a number in its map is none');
  }
  return value;
}
