/**
 * Makes an image fit to be used: finishes what a killed engine had begun to write, and replays the journal that a
 * killed guest left. Without that, what is written to it would be undone by the next guest's replay, silently.
 */
import { open } from 'node:fs/promises';
import { BerthError } from '../../api/errors';
import { isErrno } from '../machine/files';
import { asDiskError } from './disk-error';
import { findE2fs, lastLine, runE2fs, type Outcome } from './e2fsprogs';
import { finishRedoLog } from './redo-log';
import { Superblock, superblockOffset, superblockSize } from './structures/superblock';

const replayTimeoutMs = 120_000;
const checkTimeoutMs = 60 * 60_000;
/** Bits of e2fsck's exit code: 1 and 2 are repairs that were made. */
const unrepaired = ~3;

/** The superblock of an image. Throws `not_found` without a file, and a `DiskError` for what is no ext4. */
export async function readSuperblock(volume: string, path: string): Promise<Superblock> {
  const raw = Buffer.alloc(superblockSize);
  const file = await open(path, 'r').catch((error: unknown) => {
    throw isErrno(error, 'ENOENT')
      ? new BerthError('not_found', `The disk of the volume ${volume} is gone: ${path}.`, { cause: error })
      : error;
  });
  try {
    await file.read(raw, 0, raw.length, superblockOffset);
  } finally {
    await file.close();
  }
  try {
    return new Superblock(raw);
  } catch (error) {
    const { code, message } = asDiskError(error);
    throw new BerthError(code, `The disk of the volume ${volume} can't be used: ${message}.`, {
      cause: error,
    });
  }
}

/**
 * To be called by whoever is to be the only one who has the image. Throws `illegal_state` for a journal that can't be
 * replayed.
 */
export async function makeFit(volume: string, path: string, find = findE2fs): Promise<void> {
  finishRedoLog(path);
  if (!(await readSuperblock(volume, path)).needsRecovery) {
    return;
  }
  const outcome = await replay(volume, path, find);
  if ((outcome.exitCode & unrepaired) !== 0 || (await readSuperblock(volume, path)).needsRecovery) {
    throw new BerthError(
      'illegal_state',
      `The journal of the volume ${volume} could not be replayed: ${lastLine(outcome)}`,
      { hint: `Check the disk: \`e2fsck -f ${path}\`.` },
    );
  }
}

/**
 * Clears away what processes had open though it was deleted: a check takes that for damage. To be called for one that is fit and
 * nobody else has. Answers what is wrong with it that is not mended, in words; without e2fsck it is left as it is.
 */
export async function clearOrphans(
  volume: string,
  path: string,
  find = findE2fs,
): Promise<string | undefined> {
  if (!(await readSuperblock(volume, path)).hasOrphans || (await find('e2fsck')) === undefined) {
    return undefined;
  }
  const args = ['-f', '-p', path];
  const outcome = await runE2fs('e2fsck', args, 'clear deleted files away', checkTimeoutMs, find);
  return (outcome.exitCode & unrepaired) === 0
    ? undefined
    : `Its file system has errors: ${lastLine(outcome)}`;
}

async function replay(volume: string, path: string, find: typeof findE2fs): Promise<Outcome> {
  const args = ['-p', '-E', 'journal_only', path];
  try {
    return await runE2fs('e2fsck', args, 'replay a journal', replayTimeoutMs, find);
  } catch (error) {
    if (error instanceof BerthError && error.code === 'not_supported') {
      throw new BerthError(
        'illegal_state',
        `The volume ${volume} was not unmounted: its journal must be replayed before its files can be read, and e2fsck is not installed.`,
        {
          hint: 'Start the workspace that has it and stop it again: that replays it. Or install e2fsprogs.',
          cause: error,
        },
      );
    }
    throw error;
  }
}
