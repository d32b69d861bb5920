/**
 * What .gitignore files leave out, as gitignore(5) has it. Patterns are those of a guest: they are matched in time that grows with
 * pattern times path, never by a regular expression. Patterns and paths are compared as bytes, which git does as well.
 */
import { encodeName } from '../../../../api/files/file-names';

type Token =
  | { type: 'byte'; byte: string }
  | { type: 'class'; has: (byte: string) => boolean }
  /** One byte, any number of them within a name, any number of whole folders, anything that is left. */
  | { type: 'any' | 'star' | 'folders' | 'rest' };

export interface IgnorePattern {
  tokens: readonly Token[];
  /** Most are bytes alone, or such an end: `*.log`. */
  simple: { bytes: string; isEnd: boolean } | undefined;
  /** Takes back what an earlier one left out. */
  isNegated: boolean;
  isFolderOnly: boolean;
  /** Held against the path from its .gitignore on; else against the name alone. */
  isAnchored: boolean;
}

/** Of the C locale. */
const posixClasses: Readonly<Record<string, (byte: string) => boolean>> = {
  alnum: (byte) => /[0-9A-Za-z]/.test(byte),
  alpha: (byte) => /[A-Za-z]/.test(byte),
  blank: (byte) => byte === ' ' || byte === '\t',
  cntrl: (byte) => byte < ' ' || byte === '\x7f',
  digit: (byte) => /[0-9]/.test(byte),
  graph: (byte) => /[!-~]/.test(byte),
  lower: (byte) => /[a-z]/.test(byte),
  print: (byte) => /[ -~]/.test(byte),
  punct: (byte) => /[!-/:-@[-`{-~]/.test(byte),
  space: (byte) => /[ \t\n\v\f\r]/.test(byte),
  upper: (byte) => /[A-Z]/.test(byte),
  xdigit: (byte) => /[0-9A-Fa-f]/.test(byte),
};

/** The bytes of a name or path, one character each. */
export const bytesOf = (name: string): string => encodeName(name).toString('latin1');

/** The patterns of a file, in its order; lines that are none are left out. */
export function parseIgnoreFile(content: Buffer): IgnorePattern[] {
  return content
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .split('\n')
    .flatMap((line) => parseLine(line.endsWith('\r') ? line.slice(0, -1) : line) ?? []);
}

function parseLine(line: string): IgnorePattern | undefined {
  if (line.startsWith('#')) {
    return undefined;
  }
  let text = withoutTrailingBlanks(line);
  const isNegated = text.startsWith('!');
  text = isNegated ? text.slice(1) : text;
  const isFolderOnly = text.endsWith('/');
  text = isFolderOnly ? text.slice(0, -1) : text;
  const isAnchored = text.includes('/');
  text = text.startsWith('/') ? text.slice(1) : text;
  const tokens = text === '' ? undefined : tokensOf(text);
  return tokens && { tokens, simple: simpleOf(tokens), isNegated, isFolderOnly, isAnchored };
}

function simpleOf(tokens: readonly Token[]): IgnorePattern['simple'] {
  const isEnd = tokens[0]?.type === 'star';
  const rest = isEnd ? tokens.slice(1) : tokens;
  const bytes = rest.flatMap((token) => (token.type === 'byte' ? token.byte : []));
  return bytes.length === rest.length && bytes.length > 0 ? { bytes: bytes.join(''), isEnd } : undefined;
}

/** But for those after a backslash. */
function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === ' ') {
    end -= 1;
  }
  const slashes = /\\*$/.exec(line.slice(0, end))?.[0].length ?? 0;
  return line.slice(0, slashes % 2 === 1 && end < line.length ? end + 1 : end);
}

/** Undefined for what git holds against nothing: a set that does not end, a backslash at the end. */
function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const char = text[at] ?? '';
    if (char === '*') {
      const length = /^\*+/.exec(text.slice(at))?.[0].length ?? 1;
      const [isFirst, after] = [at === 0 || text[at - 1] === '/', text[at + length]];
      at += length;
      if (length >= 2 && isFirst && after === '/') {
        tokens.push({ type: 'folders' });
        at += 1;
      } else {
        tokens.push({ type: length >= 2 && isFirst && after === undefined ? 'rest' : 'star' });
      }
    } else if (char === '?') {
      tokens.push({ type: 'any' });
      at += 1;
    } else if (char === '[') {
      const set = classAt(text, at);
      if (set === undefined) {
        return undefined;
      }
      tokens.push(set.token);
      at = set.end;
    } else {
      const byte = char === '\\' ? text[at + 1] : char;
      if (byte === undefined) {
        return undefined;
      }
      tokens.push({ type: 'byte', byte });
      at += char === '\\' ? 2 : 1;
    }
  }
  return tokens;
}

/** A set in brackets: `[a-z]`, `[!x]`, `[[:digit:]]`. */
function classAt(text: string, start: number): { token: Token; end: number } | undefined {
  let at = start + 1;
  const isNegated = text[at] === '!' || text[at] === '^';
  at += isNegated ? 1 : 0;
  const tests: ((byte: string) => boolean)[] = [];
  for (let isFirst = true; isFirst || text[at] !== ']'; isFirst = false) {
    const named = /^\[:([a-z]*):\]/.exec(text.slice(at, at + 12));
    if (named !== null) {
      const known = posixClasses[named[1] ?? ''];
      if (known === undefined) {
        return undefined;
      }
      tests.push(known);
      at += named[0].length;
      continue;
    }
    const low = memberAt(text, at);
    if (low === undefined) {
      return undefined;
    }
    at = low.end;
    const high = text[at] === '-' && text[at + 1] !== ']' ? memberAt(text, at + 1) : undefined;
    at = high?.end ?? at;
    const [from, to] = [low.byte, high?.byte ?? low.byte];
    tests.push((byte) => byte >= from && byte <= to);
  }
  const has = (byte: string): boolean => byte !== '/' && tests.some((test) => test(byte)) !== isNegated;
  return { token: { type: 'class', has }, end: at + 1 };
}

function memberAt(text: string, at: number): { byte: string; end: number } | undefined {
  const isEscaped = text[at] === '\\';
  const byte = text[isEscaped ? at + 1 : at];
  return byte === undefined ? undefined : { byte, end: at + (isEscaped ? 2 : 1) };
}

/** What matching may cost: a guest can write patterns that all its names nearly match. */
export interface Steps {
  left: number;
}

/** Whether all of it is. Both are bytes. Follows all ways beside each other, so that none is gone twice; counts them. */
export function matches({ tokens, simple }: IgnorePattern, path: string, steps: Steps): boolean {
  steps.left -= 1;
  if (simple !== undefined) {
    const { bytes, isEnd } = simple;
    return isEnd ? path.endsWith(bytes) && !path.slice(0, -bytes.length).includes('/') : path === bytes;
  }
  let now = new Uint8Array(tokens.length + 1);
  let next = new Uint8Array(tokens.length + 1);
  now[0] = 1;
  pass(tokens, now, true);
  for (let at = 0; at < path.length && steps.left > 0; at += 1) {
    const byte = path[at] ?? '';
    steps.left -= tokens.length;
    next.fill(0);
    for (const [state, token] of tokens.entries()) {
      if (now[state] === 1 && takes(token, byte)) {
        next[isRepeated(token) ? state : state + 1] = 1;
      }
    }
    [now, next] = [next, now];
    pass(tokens, now, byte === '/');
  }
  const last = tokens.length - 1;
  return now[last + 1] === 1 || (path !== '' && tokens[last]?.type === 'rest' && now[last] === 1);
}

const isRepeated = ({ type }: Token): boolean => type === 'star' || type === 'folders' || type === 'rest';

function takes(token: Token, byte: string): boolean {
  switch (token.type) {
    case 'byte':
      return token.byte === byte;
    case 'class':
      return token.has(byte);
    case 'any':
    case 'star':
      return byte !== '/';
    case 'folders':
    case 'rest':
      return true;
  }
}

/** With what may be passed without a byte: a star always, folders where one begins. */
function pass(tokens: readonly Token[], states: Uint8Array, isFolderStart: boolean): void {
  for (const [state, { type }] of tokens.entries()) {
    if (states[state] === 1 && (type === 'star' || (type === 'folders' && isFolderStart))) {
      states[state + 1] = 1;
    }
  }
}
