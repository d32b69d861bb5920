/** What Node can't give files: gathered in the thread, and sent to Python (facts.ts) as lines of JSON. */
import { encodeName } from '../../../machine/file-names';
import { hasSetId, isHarmless, setIdReason } from '../../../tar/losses';
import type { TarEntry } from '../../../tar/header';

/** Of all files: a hostile tar must not fill the memory. */
const maxAttributeBytes = 64 * 1024 * 1024;
/** So many files are worth a line. */
const lineFiles = 1000;
const lineBytes = 1024 * 1024;

/** `lost`: what the file is not given. */
export interface Facts {
  name: string;
  xattrs: Map<string, Buffer>;
  mtimeNs: bigint | undefined;
  lost: string[];
}

export class FactsToApply {
  /** In the order in which Python gets them. */
  private readonly sent: Facts[] = [];
  private waiting: Facts[] = [];
  private waitingBytes = 0;
  private attributeBytes = 0;

  /** What is done to a file later, and what is never: rights of its own, and more attributes than fit. */
  of(name: string, entry: TarEntry): Facts | undefined {
    // Seconds with a fraction, which is all that Node takes, are a microsecond off at times.
    const isWhole = entry.mtimeNs === undefined || entry.mtimeNs % 1_000_000_000n === 0n;
    const isPlain = entry.xattrs === undefined && entry.refused === undefined && !hasSetId(entry);
    if (isPlain) {
      return isWhole ? undefined : { name, xattrs: new Map(), mtimeNs: entry.mtimeNs, lost: [] };
    }
    const xattrs = new Map([...(entry.xattrs ?? [])].filter(([attribute]) => isHarmless(attribute)));
    const lost = [...(entry.xattrs?.keys() ?? [])].filter((attribute) => !isHarmless(attribute));
    lost.push(...(entry.refused ?? []), ...(hasSetId(entry) ? [setIdReason] : []));
    for (const [attribute, { length }] of xattrs) {
      this.attributeBytes += attribute.length + length;
    }
    if (this.attributeBytes > maxAttributeBytes) {
      lost.push(...xattrs.keys());
      xattrs.clear();
    }
    return isWhole && xattrs.size === 0 && lost.length === 0
      ? undefined
      : { name, mtimeNs: entry.mtimeNs, xattrs, lost };
  }

  add(facts: Facts): void {
    this.waiting.push(facts);
    for (const { length } of facts.xattrs.values()) {
      this.waitingBytes += length;
    }
  }

  /** The next line, when there is enough for one or `isLast` says that nothing more comes; its bytes are nobody else's. */
  line(isLast: boolean): Uint8Array<ArrayBuffer> | undefined {
    const isEnough = this.waiting.length >= lineFiles || this.waitingBytes >= lineBytes;
    if (this.waiting.length === 0 || !(isEnough || isLast)) {
      return undefined;
    }
    const rows = this.waiting.map(({ name, xattrs, mtimeNs }) => [
      // A character for each byte, as JSON can carry it.
      encodeName(name).toString('latin1'),
      xattrs.size === 0
        ? null
        : Object.fromEntries([...xattrs].map(([attribute, value]) => [attribute, value.toString('hex')])),
      mtimeNs === undefined ? null : String(mtimeNs),
    ]);
    for (const facts of this.waiting) {
      this.sent.push(facts);
    }
    this.waiting = [];
    this.waitingBytes = 0;
    return new TextEncoder().encode(`${JSON.stringify(rows)}\n`);
  }

  /** Notes what Python could not set; answers the files that lack something. */
  settle(refused: readonly [index: number, name: string][] | 'all'): Facts[] {
    if (refused === 'all') {
      this.sent.forEach(({ lost, xattrs }) => lost.push(...xattrs.keys()));
    } else {
      refused.forEach(([index, name]) => this.sent[index]?.lost.push(name));
    }
    return this.sent.filter(({ lost }) => lost.length > 0);
  }
}
