/** Whether a folder may be the state directory: nothing is written to one that somebody uses for something else. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BerthError } from '../errors';

/** What there is before an engine has got as far as to put its id there. */
const ownNames =
  /^(?:engine\..+|\.berth-draft-[0-9a-f]{32}|(?:installation|settings)\.json(?:\..+)?|engine|workspaces|operations|volumes|keys|ssh)$/;
/** Made by systems in any folder. */
const anybodys = new Set(['lost+found', '.DS_Store', 'desktop.ini']);

/**
 * What OpenSSH's configuration has no way to write, in quotes or out of them: the end of a line, and `${`, which begins
 * the name of an environment variable in `IdentityFile` and `UserKnownHostsFile`.
 */
const unwritable = /[\r\n\0]|\$\{/;

/**
 * Throws when `home` is something else than a new folder, an empty one, or a state directory, and when ssh could not be
 * given the files in it.
 */
export function refuseUnfitHome(home: string): void {
  if (unwritable.test(home)) {
    throw refusal(JSON.stringify(home), "ssh can't be given a path with a line break or “${” in it");
  }
  const names = entriesOf(home);
  if (names === undefined) {
    return;
  }
  // Before what lies in it: a mark is made by whoever may write there.
  const { uid, mode } = statSync(home);
  const own = process.getuid?.();
  // Also for root, as by sudo: what it makes there its owner could neither read nor remove.
  if (own !== undefined && uid !== own) {
    throw refusal(home, 'it belongs to another user');
  }
  if (process.platform !== 'win32' && (mode & 0o1002) === 0o1002) {
    throw refusal(home, 'it is a folder for everybody');
  }
  if (isMarked(home)) {
    return;
  }
  const foreign = names.filter((name) => !ownNames.test(name) && !anybodys.has(name));
  if (foreign.length > 0) {
    const shown = foreign.slice(0, 3).map((name) => JSON.stringify(name));
    throw refusal(home, `it holds other files (${shown.join(', ')}${foreign.length > 3 ? ', …' : ''})`);
  }
}

function entriesOf(home: string): string[] | undefined {
  try {
    return readdirSync(home);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT') {
      return undefined;
    }
    throw refusal(home, code === 'ENOTDIR' ? 'it is not a folder' : `it can't be read (${code})`, error);
  }
}

/** An engine of ours put its id there, or its key. */
function isMarked(home: string): boolean {
  const records = ['installation.json', 'keys/installation.json'].map((name) => textOf(join(home, name)));
  return (
    records.some((text) => text?.includes('"schemaVersion"') === true) ||
    textOf(join(home, 'keys/id_ed25519'))?.includes('OPENSSH PRIVATE KEY') === true
  );
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function refusal(home: string, reason: string, cause?: unknown): BerthError {
  return new BerthError('bad_request', `${home} can't be Berth's state directory: ${reason}.`, {
    hint: 'Set BERTH_HOME (in VS Code: berth.stateDirectory) to a folder that is new, empty, or made by Berth.',
    cause,
  });
}
