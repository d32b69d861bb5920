/**
 * The neighbours of the driver, real ones: a guest kit and the root file system of `workspace:latest`. Both are made
 * once and kept for the next run, as other large things of the tests are.
 */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { createWriteStream } from 'node:fs';
import { BerthError } from '../../../../src/api/errors';
import { Endpoint } from '../../../../src/backend/drivers/containers/endpoint';
import type { ImageStore } from '../../../../src/backend/drivers/driver';
import { Disks } from '../../../../src/backend/drivers/microvms/disks/disk-store';
import type { MicrovmDriverOptions } from '../../../../src/backend/drivers/microvms/driver';
import { hostGatherer } from '../../../../src/backend/drivers/microvms/guest/gatherers';
import { GuestKitStore } from '../../../../src/backend/drivers/microvms/guest/kit';
import { readTools } from '../../../../src/backend/drivers/containers/tools-export';
import { runProgram } from '../../../support/programs';

const images = resolve(__dirname, '../../../../../images');
const agentDirectory = join(images, 'tools', 'agent');
const cache = join(homedir(), '.cache', 'berth', 'microvm-tests');
const mebibyte = 1024 * 1024;

export const quiet = {
  debug: (): void => undefined,
  info: (): void => undefined,
  warn: (): void => undefined,
  error: (): void => undefined,
};

async function run(program: string, argv: readonly string[]): Promise<string> {
  const ran = await runProgram(program, argv, { timeoutMs: 300_000 });
  if (ran.code !== 0) {
    throw new Error(`${program} ${argv.join(' ')} ended with ${ran.code}: ${ran.stderr}`);
  }
  return ran.stdout.trim();
}

/** By unpacking and mke2fs, as root. */
async function ext4OfTar(out: string, tar: Readable | string, roomMiB: number): Promise<void> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'draft-'));
  try {
    const file = typeof tar === 'string' ? tar : join(folder, 'tar');
    if (typeof tar !== 'string') {
      await pipeline(tar, createWriteStream(file));
    }
    await mkdir(join(folder, 'tree'));
    await run('tar', ['-x', '-p', '--numeric-owner', '-f', file, '-C', join(folder, 'tree')]);
    const sizeMiB = Math.ceil((await stat(file)).size / mebibyte) + roomMiB;
    const draft = join(folder, 'ext4');
    await run('mke2fs', ['-q', '-t', 'ext4', '-m', '0', '-d', join(folder, 'tree'), draft, `${sizeMiB}M`]);
    await rename(draft, out);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function rootOf(image: string): Promise<{ digest: string; path: string }> {
  if (image !== 'workspace:latest') {
    throw new BerthError('image_missing', `The image ${image} is not there.`);
  }
  const digest = await run('docker', ['image', 'inspect', '-f', '{{.Id}}', image]);
  const path = join(cache, `${digest.replace(':', '-')}.ext4`);
  const isThere = await stat(path).catch(() => undefined);
  if (isThere === undefined) {
    await mkdir(cache, { recursive: true });
    const container = await run('docker', ['create', image]);
    const tar = join(cache, `${container.slice(0, 12)}.tar`);
    try {
      await run('docker', ['export', '-o', tar, container]);
      await ext4OfTar(path, tar, 1024);
    } finally {
      await run('docker', ['rm', '-f', container]);
      await rm(tar, { force: true });
    }
  }
  return { digest, path };
}

const endpoint = new Endpoint({
  dockerHost: () => 'unix:///var/run/docker.sock',
  surroundings: { env: process.env, home: homedir(), platform: process.platform, uid: 0 },
  log: quiet,
});

export const kits = new GuestKitStore({
  home: cache,
  images,
  gatherers: [hostGatherer(join(images, 'guest', 'gather.sh'))],
  tools: (signal) => readTools(endpoint, 'berth-tools:1', signal),
  buildExt4: (out, tar) => ext4OfTar(out, tar, 64),
});

/** Makes the kit and the root file system unless they are there. */
export async function prepareParts(): Promise<void> {
  if ((await kits.find()) === undefined) {
    await kits.build(() => undefined, new AbortController().signal);
  }
  await rootOf('workspace:latest');
}

export function driverParts(
  home: string,
): Pick<
  MicrovmDriverOptions,
  'kits' | 'roots' | 'disks' | 'buildBundle' | 'containerImages' | 'agentDirectory'
> {
  const config = {
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'],
  };
  const rest = { user: '', workdir: '', entrypoint: [], cmd: [] };
  return {
    kits,
    roots: {
      resolve: async (image) => (await rootOf(image)).digest,
      ensure: async (image) => ({ ...(await rootOf(image)), config: { ...config, ...rest } }),
    },
    disks: (questions) => new Disks({ home, agentDirectory, questions }),
    buildBundle: (out, tar) => ext4OfTar(out, tar, 16),
    containerImages: noImages,
    agentDirectory,
  };
}

const noImages: ImageStore = {
  list: () => Promise.resolve([]),
  resolve: () => Promise.resolve(undefined),
  pull: () => Promise.reject(new Error('not here')),
  build: () => Promise.reject(new Error('not here')),
  push: () => Promise.reject(new Error('not here')),
  save: () => Promise.reject(new Error('not here')),
  remove: () => Promise.reject(new Error('not here')),
};
