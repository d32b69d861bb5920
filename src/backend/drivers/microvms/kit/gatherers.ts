/** Where what Debian has for a guest comes from: this machine's own packages, else those of a container. */
import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { unpackTar } from '../../../files/local/unpack/unpack';
import { gather } from './gather';

type Line = (text: string) => void;

export interface Gatherer {
  /** Version of the newest kernel. */
  kernel(line: Line, signal: AbortSignal): Promise<string>;
  /** Puts kernel, modules and busybox into a folder that is there and empty. */
  into(folder: string, line: Line, signal: AbortSignal): Promise<void>;
}

/** Runs a script in an image of Debian; `take` gets a tar of the folder that it made. Answers what was printed. */
export type ScriptRunner = (
  run: { image: string; script: Buffer; args: readonly string[]; line: Line; signal: AbortSignal },
  folder: string,
  take: (tar: Readable) => Promise<void>,
) => Promise<string>;

/** `script`: gather.sh. Only where packages of Debian can be had without root. */
export function hostGatherer(script: string): Gatherer {
  const onDebian = async (): Promise<void> => {
    if (!(await hasProgram('apt-get')) || !(await hasProgram('dpkg-deb'))) {
      throw new BerthError('not_supported', 'This machine has no packages of Debian.');
    }
  };
  return {
    kernel: async (line, signal) => {
      await onDebian();
      return (await gather(script, ['--version'], line, signal)).trim();
    },
    into: async (folder, line, signal) => {
      await gather(script, [folder], line, signal);
    },
  };
}

const gathered = '/berth-gathered';
const update = '#!/bin/sh\napt-get update -q >&2 || exit 1\n';

/** Takes them from the packages of a container's image, by a script that is run in one. */
export function containerGatherer(script: string, image: string, runScript: ScriptRunner): Gatherer {
  const run = async (
    args: readonly string[],
    folder: string,
    take: (tar: Readable) => Promise<void>,
    line: Line,
    signal: AbortSignal,
  ) =>
    runScript(
      { image, script: Buffer.concat([Buffer.from(update), await readFile(script)]), args, line, signal },
      folder,
      take,
    );
  const ignore = (tar: Readable): Promise<void> => Promise.resolve(void tar.destroy());
  return {
    kernel: async (line, signal) => (await run(['--version'], '/etc/hostname', ignore, line, signal)).trim(),
    into: async (folder, line, signal) => {
      await run([gathered], gathered, (tar) => unpack(tar, folder, signal), line, signal);
    },
  };
}

/** The tar names the folder itself first. */
async function unpack(tar: Readable, folder: string, signal: AbortSignal): Promise<void> {
  const fail = (name: string, reason: string): never => {
    throw new BerthError('internal', `The kernel of microVMs was not unpacked: ${name}: ${reason}`);
  };
  const receive = async (take: (chunk: Buffer) => Promise<void> | undefined): Promise<void> => {
    for await (const chunk of tar) {
      await take(chunk as Buffer);
    }
  };
  const report = { received: () => undefined, lost: () => undefined, skipped: fail, failed: fail };
  await unpackTar(receive, { folder, renaming: { drop: 1, prefix: [] } }, { report, signal });
}

async function hasProgram(name: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, name)))) {
      return true;
    }
  }
  return false;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
