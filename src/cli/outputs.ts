/** `--output LOCAL=PATH`: what a command leaves behind, copied to this machine when it has ended. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BerthError, asBerthError } from '../api';
import type { Cli } from './cli';
import { formatFailure } from './failure';
import { localPath } from './parse/sources';
import { locate, withMounts } from './remote';
import { transfer } from './verbs/cp';

export interface Output {
  local: string;
  /** As it was given. */
  path: string;
  workspace: string;
}

/** Before the command runs: what can't be copied is said while there is nothing to lose. */
export async function locateOutputs(cli: Cli, name: string, texts: readonly string[]): Promise<Output[]> {
  const client = texts.length === 0 ? undefined : await cli.engine();
  const outputs: Output[] = [];
  for (const text of texts) {
    const split = text.indexOf('=');
    const [local, path] = [text.slice(0, split), text.slice(split + 1)];
    if (split < 1 || path === '') {
      throw new BerthError('bad_request', `"${text}" is not LOCAL=PATH.`, {
        hint: 'For example --output report=/home/workspace/report.',
      });
    }
    const at = client && (await locate(client, name, path, { signal: cli.signal }));
    if (at?.path === '/') {
      throw new BerthError('bad_request', `${path} is a whole volume.`, { hint: 'Name something in it.' });
    }
    outputs.push({ local: localPath(local, cli.cwd), path, workspace: name });
  }
  return outputs;
}

/** All that are there, whatever became of the command; what was there on this machine is replaced. */
export async function collectOutputs(cli: Cli, outputs: readonly Output[]): Promise<void> {
  for (const output of outputs) {
    try {
      await collectOutput(cli, output);
    } catch (error) {
      const { code, message } = asBerthError(error);
      const told =
        code === 'path_not_found'
          ? new BerthError(code, `The output ${output.path} is missing: the command has not made it.`)
          : new BerthError(code, `The output ${output.path} was not copied: ${message}`);
      cli.streams.stderr.write(formatFailure(told, cli.json, cli.errorStyle));
      cli.exitCode = cli.exitCode === 0 ? 1 : cli.exitCode;
    }
  }
}

async function collectOutput(cli: Cli, { local, path, workspace }: Output): Promise<void> {
  const client = await cli.engine();
  // Only now is known where the links lead that the command has made.
  const at = withMounts(await locate(client, workspace, path));
  await client.call('files.stat', { params: { volume: at.volume }, query: { path: at.path } });
  await mkdir(dirname(local), { recursive: true });
  // Under that very name, also when there is a folder of the last time.
  const from = { volume: at.volume, paths: [at.path] };
  await transfer(cli, client, { from, to: { local }, exact: true }, 'overwrite');
}
