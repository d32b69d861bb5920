/** What the set-up scripts offer, for tests. They are plain ES modules beside the compiled code, not part of it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type * as VsCodeServer from '../../scripts/lib/vscode-server.mjs' with { 'resolution-mode': 'import' };

/** The repository. */
export const ROOT = join(__dirname, '..', '..', '..');
const INSTALL_TIMEOUT = 600_000;

export interface VsCodeHost {
  node: string;
  server: string;
  chromium: string;
}

/** The server and the browser, installed when missing. */
export async function findHost(): Promise<VsCodeHost> {
  const script = join(ROOT, 'scripts/lib/vscode-host.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: INSTALL_TIMEOUT });
  const parsed: unknown = JSON.parse(stdout);
  if (!isHost(parsed)) throw new Error(`${script} printed ${stdout}`);
  return parsed;
}

function isHost(value: unknown): value is VsCodeHost {
  if (typeof value !== 'object' || value === null) return false;
  return ['node', 'server', 'chromium'].every((key) => typeof Reflect.get(value, key) === 'string');
}

/** The script that starts the server. */
export async function vsCodeServer(): Promise<typeof VsCodeServer> {
  const url = pathToFileURL(join(ROOT, 'scripts/lib/vscode-server.mjs')).href;
  return (await import(url)) as typeof VsCodeServer;
}
