/** What of files could not be kept: how often, and where first, by reason (images/tools/agent/attributes.py). */

export const capability = 'security.capability';
const accessLists = new Set(['system.posix_acl_access', 'system.posix_acl_default']);
export const setIdReason = 'set-user-ID and set-group-ID bits';
const setId = 0o6000;
/** Why a socket or a device is left out of a copy. */
export const notCopied = 'it is neither a file, a folder nor a link';

/** What gives a file no rights: what comes from elsewhere must not run with rights of its own. */
export function isHarmless(attribute: string): boolean {
  return attribute.startsWith('user.') || attribute.startsWith('system.posix_acl_');
}

/** Whether a file is run with the rights of its owner or group. */
export function hasSetId({ type, mode }: { type: string; mode: number }): boolean {
  return type === 'file' && (mode & setId) !== 0;
}

export class Losses {
  private readonly found = new Map<string, { count: number; first: string }>();

  add(reason: string, path: string, count = 1): void {
    const known = this.found.get(reason);
    if (known === undefined) {
      this.found.set(reason, { count, first: path });
    } else {
      known.count += count;
    }
  }

  attributes(names: Iterable<string>, path: string): void {
    for (const kind of new Set([...names].map(kindOf))) {
      this.add(kind, path);
    }
  }

  /** `at` makes a path of the volume of one as it was added. */
  rows(at: (path: string) => string = (path) => path): [string, number, string][] {
    return [...this.found].map(([reason, { count, first }]) => [reason, count, at(first)]);
  }
}

/** What people know an attribute by. */
function kindOf(name: string): string {
  if (name === setIdReason) {
    return name;
  }
  if (accessLists.has(name)) {
    return 'access control lists';
  }
  return name === capability
    ? 'file capabilities'
    : `extended attributes ${name.slice(0, Math.max(0, name.indexOf('.')))}.*`;
}

const maxLines = 100;
const maxLineLength = 500;

/** In words what was left out: the first of it, and how much more there was. */
export interface LeftOut {
  lines: string[];
  more: number;
}

/** Bounded, whatever is left out: an archive may be hostile. */
export function leaveOut(leftOut: LeftOut, text: string): void {
  if (leftOut.lines.length < maxLines) {
    leftOut.lines.push(text.slice(0, maxLineLength));
  } else {
    leftOut.more += 1;
  }
}

const shownLines = 10;

/** The first of many, and how many there are. `unlisted`: beside these. */
export function firstOf(lines: readonly string[], unlisted = 0): string[] {
  const more = lines.length - shownLines + unlisted;
  return more > 0 ? [...lines.slice(0, shownLines), `And ${more} more.`] : [...lines];
}
