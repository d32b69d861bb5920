/**
 * A text with nothing in it of what addresses may hold in secret: names and passwords before "@", queries. For what
 * older versions have taken, and for what git itself says. It hides too much rather than too little, and takes time in
 * proportion to the text, whatever the text is.
 */
import { isShownAnyway, maxCloneAddress } from './clone-address';

const schemes = /([a-z][a-z0-9+.-]{0,30}):\/{1,2}/gi;
/** No colon but that of a port: nobody's password. */
const machine = /^(?:[^:]*|\[[^\]]*\])(?::\d*)?$/;
/** What a sentence puts behind an address. */
const closing = /['"`<>)\]},.:;!]{0,8}$/;
/** The two ends of `name:password@host:path`. */
const scpName = /(?:^|[,;'"([=])[\w.+-]+:/;
const scpHost = /@[\w.-]+\]?:/g;

/** The text with the secrets of its addresses replaced, and all else as it is. */
export function redactAddresses(text: string): string {
  return text.replace(/\S+/g, (word) => (/[@?#]/.test(word) ? redactWord(word) : word));
}

/** A word has no blank in it, but maybe quotes, brackets and several addresses. */
function redactWord(word: string): string {
  const lastAt = word.lastIndexOf('@');
  const shown: string[] = [];
  let scheme: string | undefined;
  let position = 0;
  for (const match of word.matchAll(schemes)) {
    if (match.index < position) {
      continue;
    }
    const before = redactRest(scheme, word.slice(position, match.index));
    shown.push(before.text);
    if (before.isQuery) {
      return shown.join('') + hiddenQuery(word);
    }
    scheme = match[1] ?? '';
    const start = match.index + match[0].length;
    position = hostStart(word, start, lastAt);
    const rest = word.slice(position, position + maxCloneAddress);
    shown.push(
      match[0],
      position > start ? `${shownUser(scheme, word.slice(start, position - 1), rest)}@` : '',
    );
  }
  const last = redactRest(scheme, word.slice(position));
  return shown.join('') + last.text + (last.isQuery ? hiddenQuery(word) : '');
}

/** Where the name of the machine begins: after the last "@" of what is before the path, or may be meant so. */
function hostStart(word: string, start: number, lastAt: number): number {
  const length = word.slice(start).search(/[/?#]/);
  const authority = length < 0 ? word.slice(start) : word.slice(start, start + length);
  const at = authority.lastIndexOf('@');
  if (at >= 0) {
    return start + at + 1;
  }
  const isCutShort = length >= 0 && word[start + length] !== '/';
  const isMachine = machine.test(authority.replace(closing, '')) && !isCutShort;
  return isMachine || lastAt < start ? start : lastAt + 1;
}

/** From the machine's name to the next address: up to where a query begins. */
function redactRest(scheme: string | undefined, text: string): { text: string; isQuery: boolean } {
  if (scheme === undefined) {
    return { text: redactScp(text), isQuery: false };
  }
  const query = /^(?:https?|git)$/i.test(scheme) ? text.search(/[?#]/) : -1;
  const shown = query < 0 ? text : text.slice(0, query + 1);
  const length = shown.search(/[,;'"([=]/);
  return {
    text: length < 0 ? shown : shown.slice(0, length) + redactScp(shown.slice(length)),
    isQuery: query >= 0,
  };
}

function hiddenQuery(word: string): string {
  const tail = closing.exec(word)?.[0] ?? '';
  return /[?#]$/.test(word.slice(0, word.length - tail.length)) ? tail : `***${tail}`;
}

function redactScp(text: string): string {
  const name = scpName.exec(text);
  const host = [...text.matchAll(scpHost)].at(-1);
  const start = (name?.index ?? 0) + (name?.[0].length ?? 0);
  return name === null || host === undefined || host.index <= start
    ? text
    : `${text.slice(0, start)}***${text.slice(host.index)}`;
}

function shownUser(scheme: string, name: string, rest: string): string {
  if (!/ssh/i.test(scheme)) {
    return isShownAnyway(name, rest.replace(/^[^/]*/, '')) ? name : '***';
  }
  const colon = name.search(/:|%3a/i);
  return colon < 0 ? name : `${name.slice(0, colon)}:***`;
}
