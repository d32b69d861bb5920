/**
 * Which addresses Berth has git clone. One rule for the extension, the command line and the engine, after git's own
 * reading (`git help clone`, "GIT URLS"; connect.c and transport.c): `scheme://`, `[user@]host:path`, `/path`.
 * The address is kept in the record and shown, so nothing that may be a secret is taken with it.
 */
import { BerthError } from '../errors';
import { isBranchName } from './branch-name';
import { quote } from './volume-path';

export const maxCloneAddress = 2048;
const maxPort = 65_535;

export type CloneAddressProblem =
  'long' | 'characters' | 'option' | 'helper' | 'secret' | 'name' | 'query' | 'unknown';

/** Line breaks, blanks, control characters, and those that are not seen but change what is. V8 needs milliseconds for a class of characters, so none is made at the start. */
const unwanted = (): RegExp => /[\s\p{C}]/u;
const encodedControl = /%(?:[01][0-9a-f]|7f)/i;
const url = /^(https?|git|ssh|git\+ssh|ssh\+git):\/\/([^/?#]*)([^]*)$/;
const host = (): RegExp => /^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*)|\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\])$/u;
/** What OpenSSH takes for a machine or a name of its configuration, and for a user (`valid_hostname`, `valid_ruser`). */
const sshHost =
  /^(?:[^-\s'"`$\\;&<>|(){}@:/?#%*[\]][^\s'"`$\\;&<>|(){}@:/?#%*[\]]*|\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\])$/;
const sshUser = /^[^-\s'"`$\\;&<>|(){}:/?#%[\]][^\s'"`$;&<>|(){}:/?#%[\]]*(?<!\\)$/;
/** As scp has it: the colon comes before any slash, and a user's name may hold an @. */
const scpLike = /^(?:([^:/[\]]*)@)?(\[[^\]/]+\]|[^@:/[\]]+):([^]+)$/;
/** In its brackets: a machine with a port, or all that is before the path. An IPv6 address has two colons. */
const bracketed = /^\[(?:([^:]*)@)?([^@:]+)(?::([0-9]{1,5}))?\]$/;

/** What OpenSSH takes for a machine: a name of DNS or of its configuration, or an address of IPv6 in brackets. */
export function isSshHost(text: string): boolean {
  return sshHost.test(text);
}

/** What OpenSSH takes for a user's name: never an option of it. */
export function isSshUser(text: string): boolean {
  return sshUser.test(text);
}

/** Why git is not given this address; undefined when it is. */
export function cloneAddressProblem(address: string): CloneAddressProblem | undefined {
  if (address.length > maxCloneAddress) {
    return 'long';
  }
  if (unwanted().test(address) || encodedControl.test(address)) {
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
  const name = at < 0 ? undefined : authority.slice(0, at);
  const problem = isSsh ? undefined : webProblem(name, rest);
  if (problem !== undefined) {
    return problem;
  }
  const machine = splitPort(authority.slice(at + 1));
  const user = decoded(name ?? '');
  if (isSsh && user?.includes(':') === true) {
    return 'secret';
  }
  const isPath = rest.startsWith('/') && rest.length > 1 && !rest.startsWith('/-');
  const isRight = isSsh ? isSshHost(machine ?? '') && isRightUser(user, name) : host().test(machine ?? '');
  return isPath && isRight ? undefined : 'unknown';
}

/** A lone name before @ is how tokens are given to web servers; one that the path begins with is no secret. */
function webProblem(name: string | undefined, rest: string): CloneAddressProblem | undefined {
  if (name !== undefined && !isShownAnyway(name, rest)) {
    return name === '' || /[:@]|%3a/i.test(name) ? 'secret' : 'name';
  }
  return /[?#]/.test(rest) ? 'query' : undefined;
}

/** As Azure DevOps has it: `https://team@dev.azure.com/team/…`. */
export function isShownAnyway(name: string, path: string): boolean {
  return /^[^:@%?#]+$/.test(name) && path.startsWith(`/${name}/`);
}

function isRightUser(user: string | undefined, written: string | undefined): boolean {
  return written === undefined || (user !== undefined && isSshUser(user));
}

/** git undoes `%40` in addresses of ssh; undefined for what is no text. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Without its port; undefined when that is none. */
function splitPort(text: string): string | undefined {
  const [, machine, port = ''] = /^(.*?)(?::([0-9]*))?$/.exec(text) ?? [];
  return Number(port) <= maxPort ? machine : undefined;
}

/** Also one that no rule here knows may hold a secret: that matters more than that it is unknown. */
function unknownUrl(address: string): CloneAddressProblem {
  return /:\/\/[^/?#]*@/.test(address) ? 'secret' : 'unknown';
}

function scpProblem(address: string): CloneAddressProblem | undefined {
  const [, name, machine, path] = scpLike.exec(address) ?? [];
  if (machine === undefined || path === undefined) {
    return /^\[[^@\]]*:[^@\]]*@/.test(address) ? 'secret' : 'unknown';
  }
  // git takes all up to the first colon for the host: this is meant as user:password@host:path, or a broken URL.
  if (name === undefined && (machine.includes('@') ? /:.*@/.test(machine) : path.includes('@'))) {
    return 'secret';
  }
  const isDrive = name === undefined && /^[A-Za-z]$/.test(machine);
  const isBrokenUrl = name === undefined && /^(?:https?|git|ssh|file|ftps?)$/i.test(machine);
  const isRight = isRightUser(name, name) && isScpHost(machine, name) && !path.startsWith('-');
  return isRight && !isDrive && !isBrokenUrl ? undefined : 'unknown';
}

function isScpHost(machine: string, name: string | undefined): boolean {
  const [, inner, bare, port = '1'] = bracketed.exec(machine) ?? [];
  if (bare === undefined) {
    return isSshHost(machine);
  }
  const isUserTwice = inner !== undefined && name !== undefined;
  return isSshHost(bare) && Number(port) <= maxPort && isRightUser(inner, inner) && !isUserTwice;
}

const safeWay =
  'use an SSH address, or bring a git credential helper ' +
  '(`--credential ~/.gitconfig --credential ~/.git-credentials`, `credentialFiles`).';
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
    hint: `Leave it out, and ${safeWay}`,
  },
  name: {
    message:
      'The clone address holds a name before the "@", which may be a token. It would be kept and shown.',
    hint: `Leave out the name and the "@". Where a login is needed: ${safeWay}`,
  },
  query: {
    message: 'The clone address holds what may be a token, after "?" or "#". It would be kept and shown.',
    hint: `Leave it out. A branch is \`--branch NAME\` (\`cloneBranch\`). Where a login is needed: ${safeWay}`,
  },
  unknown: { message: 'The clone address has a form that Berth does not pass to git.', hint: forms },
};

/** Throws `bad_request` for an address that git is not given. */
export function checkCloneAddress(address: string): void {
  const problem = cloneAddressProblem(address);
  if (problem !== undefined) {
    const { message, hint } = cloneAddressWords[problem];
    throw new BerthError('bad_request', message, { field: 'cloneUrl', hint });
  }
}

const ofClones = {
  cloneBranch: 'A branch needs a repository',
  cloneDepth: 'A depth needs a repository',
  agentSocket: 'A forwarded SSH agent needs a repository',
} as const;

/** A branch, a depth and an agent are of a clone. Throws `bad_request`. */
export function checkCloneOptions(options: {
  cloneUrl?: string;
  cloneBranch?: string;
  cloneDepth?: number;
  agentSocket?: string;
  start?: boolean;
}): void {
  for (const field of ['cloneBranch', 'cloneDepth', 'agentSocket'] as const) {
    if (options.cloneUrl === undefined && options[field] !== undefined) {
      throw new BerthError('bad_request', `${ofClones[field]}, and there is none to clone.`, {
        field,
        hint: 'Give the address of the repository, too: `--clone`.',
      });
    }
  }
  if (options.cloneBranch !== undefined && !isBranchName(options.cloneBranch)) {
    throw new BerthError('bad_request', `${quote(options.cloneBranch)} is no name of a branch or tag.`, {
      field: 'cloneBranch',
      hint: 'See `git help check-ref-format`.',
    });
  }
  if (options.agentSocket !== undefined && options.start === false) {
    throw new BerthError(
      'bad_request',
      'An SSH agent is forwarded only while the repository is cloned, so the workspace must be started.',
      {
        field: 'agentSocket',
        hint: 'Leave out the agent, or start the workspace (without --no-start).',
      },
    );
  }
}
