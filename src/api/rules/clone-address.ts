/**
 * Which addresses Berth has git clone. One rule for the extension, the command line and the engine, after git's own
 * reading (`git help clone`, "GIT URLS"; connect.c and transport.c): `scheme://`, `[user@]host:path`, `/path`.
 * The address is kept in the record and shown, so nothing that may be a secret is taken with it.
 */
import { BerthError } from '../errors';

export const maxCloneAddress = 2048;

export type CloneAddressProblem =
  'long' | 'characters' | 'option' | 'helper' | 'secret' | 'query' | 'unknown';

/** Line breaks, blanks, control characters, and those that are not seen but change what is. */
const unwanted = /[\s\p{C}]/u;
const encodedControl = /%(?:[01][0-9a-f]|7f)/i;
const url = /^(https?|git|ssh|git\+ssh|ssh\+git):\/\/([^/?#]*)([^]*)$/;
const host = /^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*)|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/u;
const user = /^[\p{L}\p{N}_.+~][\p{L}\p{N}_.+~-]*$/u;
/** As scp has it: the colon comes before any slash. */
const scpLike = /^(?:([^@:/]+)@)?(\[[^\]/]+\]|[^@:/]+):([^]+)$/;

/** Why git is not given this address; undefined when it is. */
export function cloneAddressProblem(address: string): CloneAddressProblem | undefined {
  if (address.length > maxCloneAddress) {
    return 'long';
  }
  if (unwanted.test(address) || encodedControl.test(address)) {
    return 'characters';
  }
  if (address.startsWith('-')) {
    return 'option';
  }
  // `ext::sh -c …` runs a command, and any `x::` the program git-remote-x.
  if (/^[A-Za-z0-9+.-]*::/.test(address)) {
    return 'helper';
  }
  const [, scheme, authority, rest] = url.exec(address) ?? [];
  if (scheme !== undefined && authority !== undefined && rest !== undefined) {
    return urlProblem(scheme.includes('ssh'), authority, rest);
  }
  if (address.startsWith('/') || address.startsWith('file:///')) {
    return undefined;
  }
  return address.includes('://') ? unknownUrl(address) : scpProblem(address);
}

function urlProblem(isSsh: boolean, authority: string, rest: string): CloneAddressProblem | undefined {
  const at = authority.lastIndexOf('@');
  const name = authority.slice(0, Math.max(at, 0));
  // A lone name before @ is how tokens are given to web servers; ssh needs it, and takes no token.
  if (at >= 0 && (!isSsh || /:|%3a/i.test(name))) {
    return 'secret';
  }
  if (!isSsh && /[?#]/.test(rest)) {
    return 'query';
  }
  const isRight = host.test(authority.slice(at + 1)) && (at < 0 || user.test(name));
  return isRight && rest.startsWith('/') && rest.length > 1 && !rest.startsWith('/-') ? undefined : 'unknown';
}

/** Also one that no rule here knows may hold a secret: that matters more than that it is unknown. */
function unknownUrl(address: string): CloneAddressProblem {
  return /:\/\/[^/?#]*@/.test(address) ? 'secret' : 'unknown';
}

function scpProblem(address: string): CloneAddressProblem | undefined {
  const [, name, machine, path] = scpLike.exec(address) ?? [];
  if (machine === undefined || path === undefined) {
    return 'unknown';
  }
  // git takes all up to the first colon for the host: this is meant as user:password@host:path, or a broken URL.
  if (name === undefined && path.includes('@')) {
    return 'secret';
  }
  const isDrive = name === undefined && /^[A-Za-z]$/.test(machine);
  const isBrokenUrl = name === undefined && /^(?:https?|git|ssh|file|ftps?)$/i.test(machine);
  const isRight = host.test(machine) && (name === undefined || user.test(name)) && !path.startsWith('-');
  return isRight && !isDrive && !isBrokenUrl ? undefined : 'unknown';
}

const safeWay =
  'Use an SSH address, or leave it out and bring a git credential helper: ' +
  '`--credential ~/.gitconfig --credential ~/.git-credentials` (`credentialFiles`).';
const forms = 'For example https://host/group/project.git or git@host:group/project.git.';

/** What happened, and what to do, in words. */
export const cloneAddressWords: Record<CloneAddressProblem, { message: string; hint: string }> = {
  long: {
    message: `The clone address is longer than ${maxCloneAddress} characters.`,
    hint: forms,
  },
  characters: {
    message: 'The clone address has a space, a line break or a character that is not seen.',
    hint: 'Write it without; %20 stands for a space.',
  },
  option: { message: 'The clone address starts with "-": git would take it for an option.', hint: forms },
  helper: { message: 'The clone address names a program that git would run ("::").', hint: forms },
  secret: {
    message:
      'The clone address holds what may be a password or a token, before the "@". It would be kept and shown.',
    hint: safeWay,
  },
  query: {
    message: 'The clone address holds what may be a token, after "?" or "#". It would be kept and shown.',
    hint: safeWay,
  },
  unknown: { message: 'The clone address is none that git can clone.', hint: forms },
};

/** Throws `bad_request` for an address that git is not given. */
export function checkCloneAddress(address: string): void {
  const problem = cloneAddressProblem(address);
  if (problem !== undefined) {
    const { message, hint } = cloneAddressWords[problem];
    throw new BerthError('bad_request', message, { field: 'cloneUrl', hint });
  }
}

/**
 * A text with nothing in it of what addresses may hold in secret: names and passwords before "@", queries. For what
 * older versions have taken, and for what git itself says.
 */
export function redactAddresses(text: string): string {
  return text
    .replace(
      /\b([a-z][a-z0-9+.-]{0,30}):(\/{1,2})([^\s/?#'"<>]{0,2048})@/gi,
      (_, scheme: string, slashes: string, name: string) => `${scheme}:${slashes}${shownUser(scheme, name)}@`,
    )
    .replace(/\b((?:https?|git):\/\/[^\s?#'"<>]{0,2048}[?#])[^\s'"<>]+/gi, '$1***')
    .replace(/(^|[\s'"(])([\w.+-]+):[^\s:/@'"()]+@([\w.-]+:)/g, '$1$2:***@$3');
}

function shownUser(scheme: string, name: string): string {
  const colon = name.search(/:|%3a/i);
  if (!/ssh/i.test(scheme)) {
    return '***';
  }
  return colon < 0 ? name : `${name.slice(0, colon)}:***`;
}
