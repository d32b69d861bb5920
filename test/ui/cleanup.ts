/** Takes away what a ui test made, also when the test failed half-way. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Session } from './support/launch';

/** The command line that came with the installed extension. */
async function cliOf({ vscode }: Session): Promise<string> {
  const extensions = join(vscode.directory, 'exts');
  const [ours] = (await readdir(extensions)).filter((each) => each.startsWith('berth.berth-'));
  return join(extensions, ours ?? '', 'dist', 'cli.js');
}

/** Runs the command line on the engine of a session. */
export async function berth(session: Session, ...argv: string[]): Promise<string> {
  const env = { ...process.env, HOME: session.vscode.home, BERTH_HOME: join(session.vscode.home, '.berth') };
  const { stdout } = await promisify(execFile)(process.execPath, [await cliOf(session), ...argv], {
    env,
    timeout: 60_000,
  });
  return stdout;
}

/** All of the session: with the last one goes what Docker has of them. Whether they are gone. */
export async function deleteSnapshots(session: Session): Promise<boolean> {
  const listed = await berth(session, 'snapshot', 'list', '--json').catch(() => '[]');
  const all = JSON.parse(listed) as { volume: string; id: string }[];
  let areGone = true;
  for (const { volume, id } of all) {
    const deleted = berth(session, 'snapshot', 'delete', volume, id, '--yes');
    areGone = (await isGone(id, 'There is no snapshot', deleted)) && areGone;
  }
  return areGone;
}

/** Whether it is gone. Some tests delete theirs themselves. */
export const deleteWorkspace = (session: Session, workspace: string): Promise<boolean> =>
  isGone(workspace, 'There is no workspace', berth(session, 'delete', workspace, '--yes'));

/** Whether it is gone. */
export const deleteVolume = (session: Session, volume: string): Promise<boolean> =>
  isGone(volume, 'There is no volume', berth(session, 'volume', 'delete', volume, '--yes'));

async function isGone(name: string, gone: string, deleted: Promise<string>): Promise<boolean> {
  try {
    await deleted;
    return true;
  } catch (error) {
    if (String(error).includes(gone)) return true;
    console.error(`${name} could not be deleted: ${String(error)}`);
    return false;
  }
}
