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

export async function cleanUp(session: Session | undefined, workspace: string): Promise<void> {
  if (session !== undefined) {
    await berth(session, 'delete', workspace, '--yes').catch((error: unknown) => {
      if (!String(error).includes('There is no workspace')) {
        console.error(`${workspace} could not be deleted: ${String(error)}`);
      }
    });
  }
}
