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

/** All of the session: with the last one goes what Docker has of them. */
export async function deleteSnapshots(session: Session | undefined): Promise<void> {
  if (session === undefined) return;
  const listed = await berth(session, 'snapshot', 'list', '--json').catch(() => '[]');
  const all = JSON.parse(listed) as { volume: string; id: string }[];
  for (const { volume, id } of all) await berth(session, 'snapshot', 'delete', volume, id, '--yes');
}

export async function cleanUp(session: Session | undefined, workspace: string): Promise<void> {
  if (session !== undefined) {
    await berth(session, 'delete', workspace, '--yes').catch((error: unknown) => {
      if (!String(error).includes('There is no workspace')) {
        console.error(`${workspace} could not be deleted: ${String(error)}`);
      }
    });
  }
}
