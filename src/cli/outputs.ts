/** `--output LOCAL=PATH`: what a command leaves behind, copied to this machine when it has ended. */
import { access, constants, lstat, mkdir, stat } from 'node:fs/promises';
import { dirname, posix } from 'node:path';
import { BerthError, asBerthError } from '../api';
import { homeFolder } from '../api/rules/home-volume';
import { resultOf } from '../api/rules/results';
import type { Cli } from './cli';
import { exitCodes, formatFailure } from './failure';
import { localPath } from './parse/sources';
import { locate, withMounts } from './remote';
import { transfer } from './verbs/cp';

export interface Output {
  local: string;
  /** As it was given. */
  path: string;
  workspace: string;
}

/**
 * What can be known before there is a workspace: nothing is made for outputs that could not be copied. Throws
 * `bad_request` for a whole volume, and for what no output can be.
 */
export async function parseOutputs(
  cli: Cli,
  texts: readonly string[],
  mounts: readonly string[] = [],
): Promise<Omit<Output, 'workspace'>[]> {
  const volumes = [
    '/',
    homeFolder,
    ...mounts.flatMap((mount) => /:(\/[^:]*)(?::r[ow])?$/.exec(mount)?.[1] ?? []),
  ];
  const whole = volumes.map((volume) => posix.resolve(volume));
  const outputs = texts.map((text) => parseOutput(text, cli.cwd));
  refuseSameTargets(outputs.map(({ local }) => local));
  for (const { local, path } of outputs) {
    if (whole.includes(posix.resolve(homeFolder, path.replace(/^~(?=\/|$)/, homeFolder)))) {
      throw wholeVolume(path);
    }
    await checkLocal(local);
  }
  return outputs;
}

function parseOutput(text: string, cwd: string): Omit<Output, 'workspace'> {
  const split = text.indexOf('=');
  const [local, path] = [text.slice(0, split), text.slice(split + 1)];
  if (split < 1 || path === '') {
    throw new BerthError('bad_request', `"${text}" is not LOCAL=PATH.`, {
      field: 'output',
      hint: `For example --output report=${homeFolder}/report.`,
    });
  }
  return { local: localPath(local, cwd), path };
}

/** Each takes the place of what is there: of two in one place nothing would be left of the first. */
function refuseSameTargets(locals: readonly string[]): void {
  const twice = locals.find((local, index) => locals.indexOf(local) < index);
  if (twice !== undefined) {
    throw new BerthError('bad_request', `Two outputs would both be ${twice}.`, {
      field: 'output',
      hint: 'Give each a place of its own.',
    });
  }
}

function wholeVolume(path: string): BerthError {
  return new BerthError('bad_request', `${path} is a whole volume.`, {
    field: 'output',
    hint: 'Name a file or folder in it.',
  });
}

/** The folder that it is put into, or the nearest one above that is there, must take it. */
async function checkLocal(local: string): Promise<void> {
  let folder = dirname(local);
  for (;;) {
    try {
      if (!(await stat(folder)).isDirectory()) {
        throw new BerthError('bad_request', `${folder} is not a folder: ${local} can't be written.`, {
          field: 'output',
        });
      }
      await access(folder, constants.W_OK);
      return;
    } catch (error) {
      if (error instanceof BerthError) {
        throw error;
      }
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing || dirname(folder) === folder) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new BerthError('bad_request', `${local} can't be written: ${reason}.`, { field: 'output' });
      }
      folder = dirname(folder);
    }
  }
}

/**
 * Before the command runs: what can't be copied is said while there is nothing to lose. Throws `bad_request` for a
 * whole volume.
 */
export async function locateOutputs(cli: Cli, name: string, texts: readonly string[]): Promise<Output[]> {
  const outputs = await parseOutputs(cli, texts);
  const client = texts.length === 0 ? undefined : await cli.engine();
  for (const { path } of outputs) {
    const at = client && (await locate(client, name, path, { signal: cli.signal }));
    if (at?.path === '/') {
      throw wholeVolume(path);
    }
  }
  return outputs.map((output) => ({ ...output, workspace: name }));
}

/** Sees to it that an output which was not copied is not lost; answers what to do to get it. */
export type Rescue = (output: Output) => Promise<string | undefined>;

/**
 * All that are there, whatever became of the command; what was there on this machine is replaced. `rescue` is asked for
 * each that is there and was not copied, or not whole.
 */
export async function collectOutputs(cli: Cli, outputs: readonly Output[], rescue?: Rescue): Promise<void> {
  for (const output of outputs) {
    const failure = await collectOutput(cli, output).catch((error: unknown) => notCopied(output, error));
    if (failure === undefined) {
      continue;
    }
    const hint = failure.code === 'path_not_found' ? undefined : await rescue?.(output);
    const shown = new BerthError(failure.code, failure.message, hint === undefined ? {} : { hint });
    cli.streams.stderr.write(formatFailure(shown, cli.json, cli.errorStyle));
    cli.exitCode = cli.exitCode === 0 ? exitCodes.failure : cli.exitCode;
  }
}

function notCopied({ path }: Output, error: unknown): BerthError {
  const { code, message } = asBerthError(error);
  return code === 'path_not_found'
    ? new BerthError(code, `The output ${path} is missing: the command did not create it.`)
    : new BerthError(code, `The output ${path} was not copied: ${message}`);
}

/** Answers what is to be said when a part of it was left out. */
async function collectOutput(cli: Cli, { local, path, workspace }: Output): Promise<BerthError | undefined> {
  const client = await cli.engine();
  // Only now is known where the links lead that the command has made.
  const at = withMounts(await locate(client, workspace, path));
  const { type } = await client.call('files.stat', {
    params: { volume: at.volume },
    query: { path: at.path },
  });
  await mkdir(dirname(local), { recursive: true });
  const isBeside = await isOfOtherKind(local, type === 'directory');
  // Under that very name, also when there is a folder of the last time.
  const from = { volume: at.volume, paths: [at.path] };
  const policy = isBeside ? 'rename' : 'overwrite';
  const ended = await transfer(cli, client, { from, to: { local }, exact: true }, policy);
  if (isBeside && cli.exitCode === 0) {
    cli.exitCode = exitCodes.failure;
  }
  const { failed } = resultOf(ended, 'transfer');
  return failed.length === 0
    ? undefined
    : new BerthError('forbidden', `The output ${path} was not copied as a whole.`);
}

/** A file takes no folder's place, nor a folder a file's: the output is put beside it, as its workspace may go now. */
async function isOfOtherKind(local: string, isFolder: boolean): Promise<boolean> {
  return lstat(local).then(
    (there) => there.isDirectory() !== isFolder,
    () => false,
  );
}
