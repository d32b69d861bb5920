/** Text that came from guests and other tools, made safe and measurable for a terminal. */
import { StringDecoder } from 'node:string_decoder';
import type stringWidth from 'string-width';

const escape = String.fromCharCode(27);

/**
 * Control characters, of ASCII and of Latin-1, and those that turn the direction of text around: a name or a message
 * must not drive the terminal, nor show as something else.
 */
const control = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;
/** What `createStyle` writes, and what stays of the rest. */
const allowed = new RegExp(`(${escape}\\[(?:0|1|2|31|32|33|34)m|[\\n\\t])|${control.source}`, 'gu');

/** Every control character replaced by `?`. */
export function printable(text: string): string {
  return text.replace(control, '?');
}

/** The same for what others say in several lines, where there is one for it. */
export function inOneLine(text: string): string {
  return printable(text.trim().replace(/\s*[\r\n]+\s*/g, ' '));
}

/** Each line of what others say made printable; those after the first, indented, never look like lines of ours. */
export function indentedLines(text: string, indent = '    '): string[] {
  const lines = text.split(/\r\n|[\r\n]/).filter((line) => line.trim() !== '');
  return lines.map((line, at) => (at === 0 ? printable(line.trim()) : indent + printable(line.trimEnd())));
}

/** What a shell takes for more than a letter of a name. */
const special = /[\s"'$&()*;<>?[\\`|!^{}]|^[#~]/;
const controls = /([\p{Cc}\u2028-\u202e\u2066-\u2069]+)/u;
const short = new Map([
  ['\n', '\\n'],
  ['\t', '\\t'],
  ['\r', '\\r'],
]);

/** A file name as GNU ls shows it on a terminal: as it is typed in a shell, and nothing in it drives the terminal. */
export function shellName(name: string): string {
  if (name !== '' && !special.test(name) && !controls.test(name)) {
    return name;
  }
  // With a group in the separator, what separates stands at the odd places.
  const quotes = name
    .split(controls)
    .map((part, at) => (at % 2 === 1 ? `$'${octal(part)}'` : `'${part.replaceAll("'", "'\\''")}'`));
  return quotes.filter((part) => part !== "''").join('') || "''";
}

function octal(text: string): string {
  return Array.from(text, (each) => short.get(each) ?? bytesOf(each)).join('');
}

function bytesOf(text: string): string {
  return Array.from(Buffer.from(text), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

/** As `printable`, for a text of several lines with colours of ours in it. */
export function printableLines(text: string): string {
  return text.replace(allowed, (_, kept: string | undefined) => kept ?? '?');
}

/** JSON whose control characters are all escaped: the ones of ASCII are so already. */
export function printableJson(json: string): string {
  return json.replace(control, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Text of a guest as it streams in, made safe for a terminal: without colours, `?` for other control characters. */
export class PrintableStream {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  push(chunk: Buffer): string {
    const text = this.rest + this.decoder.write(chunk);
    const cut = text.search(unfinished);
    this.rest = cut < 0 ? '' : text.slice(cut);
    return withoutColours(cut < 0 ? text : text.slice(0, cut));
  }

  end(): string {
    return withoutColours(this.rest + this.decoder.end());
  }
}

/** A colour, or the end of a line, of which the next chunk may have the other half. */
const unfinished = new RegExp(`(?:${escape}(?:\\[[0-9;:]{0,32})?|\r)$`);
const colour = new RegExp(`${escape}\\[[0-9;:]*m`, 'g');

function withoutColours(text: string): string {
  const plain = text.replace(colour, '').replaceAll('\r\n', '\n');
  return plain.replace(control, (character) => (character === '\n' || character === '\t' ? character : '?'));
}

/** Columns that a text takes, as terminals count: colours and combining marks take none, wide characters and emoji two. */
export function width(text: string): number {
  const plain = text.replace(colour, '');
  return isNarrow(plain) ? plain.length : measured(text);
}

/**
 * ASCII, Latin-1 without what is invisible in it, dashes, dots, arrows and blocks: each is a character of its own and
 * takes one column. To count others, tables of Unicode are needed: to read them takes as long as Node's own start.
 */
const narrow =
  /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190\u2192\u2264\u2265\u2580-\u2593\u2713\u2717]*$/;

/** Every character of it takes one column. */
export function isNarrow(text: string): boolean {
  return narrow.test(text);
}

function measured(text: string): number {
  // Read when it is needed, and at once: `import()` answers later. ESLint allows it here alone.
  const library = require('string-width') as { default: typeof stringWidth };
  return library.default(text);
}

/** What a person takes for one character each. */
function* charactersOf(text: string): Iterable<string> {
  if (isNarrow(text)) {
    yield* text;
    return;
  }
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    yield segment;
  }
}

/** Shortened to so many columns, with an ellipsis when something is missing; a character is whole or gone. */
export function clip(text: string, columns: number): string {
  let kept = '';
  let taken = 0;
  let fits = '';
  for (const segment of charactersOf(text)) {
    taken += width(segment);
    if (taken > columns) {
      return `${fits}…`;
    }
    kept += segment;
    fits = taken < columns ? kept : fits;
  }
  return text;
}

/** Shortened to so many columns by what is in its middle: where a path begins, and what it is about, stays. */
export function clipMiddle(text: string, columns: number): string {
  if (width(text) <= columns) {
    return text;
  }
  const parts = [...charactersOf(text)];
  const start = clip(text, Math.floor(columns / 2));
  const end = clip(parts.reverse().join(''), columns - width(start) + 1);
  const turned = [...charactersOf(end)].reverse();
  return start + turned.slice(1).join('');
}
