/** QEMU's programs on this machine: where they are, and which version. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { runWell } from '../../../machine/run';
import type { Architecture } from './command-line';

/** Nothing that we have it do starts programs, changes users or priorities: seccomp refuses that. */
const sandbox = [
  '-sandbox',
  'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
] as const;
const versionTimeoutMs = 20_000;
/** Where installers put them without a word to PATH. */
const usualFolders: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['/usr/bin', '/usr/local/bin', '/usr/libexec'],
  darwin: ['/opt/homebrew/bin', '/usr/local/bin'],
  win32: ['C:\\Program Files\\qemu'],
};

export interface QemuPrograms {
  system: string;
  image: string;
  /** E.g. `7.2.22`, with the packager's addition: a saved state fits this very build. */
  version: string;
  build: string;
  /** Options that keep QEMU itself in bounds, should a guest break out into it; none where it has no seccomp. */
  confinement: readonly string[];
}

export interface QemuEnvironment {
  env: Readonly<Partial<Record<string, string>>>;
  platform: NodeJS.Platform;
  architecture: Architecture;
  /** Of Linux. Default: `/dev/kvm`. */
  kvmDevice?: string;
}

/** That of this process. */
export function ownQemuEnvironment(): QemuEnvironment {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  return { env: process.env, platform: process.platform, architecture };
}

/** Throws `runtime_unavailable` that says what to install. */
export async function findQemu(environment: QemuEnvironment): Promise<QemuPrograms> {
  const { architecture } = environment;
  const name = architecture === 'x64' ? 'qemu-system-x86_64' : 'qemu-system-aarch64';
  const [system, image] = await Promise.all([
    findProgram(name, environment),
    findProgram('qemu-img', environment),
  ]);
  if (system === undefined || image === undefined) {
    const missing = [system ?? name, image ?? 'qemu-img'].filter(
      (path) => !path.includes('/') && !path.includes('\\'),
    );
    throw new BerthError(
      'runtime_unavailable',
      `QEMU is not installed: there is no ${missing.join(' and no ')}.`,
      {
        hint: installHint(environment),
      },
    );
  }
  return { system, image, ...(await versionOf(system)) };
}

/** The path of a program, or undefined. */
export async function findProgram(
  name: string,
  { env, platform }: Pick<QemuEnvironment, 'env' | 'platform'>,
): Promise<string | undefined> {
  const file = platform === 'win32' ? `${name}.exe` : name;
  const folders = [...(env.PATH ?? '').split(delimiter), ...(usualFolders[platform] ?? [])];
  for (const folder of folders.filter((path) => path !== '')) {
    const path = join(folder, file);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) {
      return path;
    }
  }
  return undefined;
}

/** It refuses options that it was built without before it says its version. */
async function versionOf(system: string): Promise<Pick<QemuPrograms, 'version' | 'build' | 'confinement'>> {
  const ask = (options: readonly string[]) =>
    runWell(system, [...options, '-version'], {
      what: 'ask QEMU for its version',
      timeoutMs: versionTimeoutMs,
    });
  const confined = await ask(sandbox).catch(() => undefined);
  const { stdout } =
    confined ??
    (await ask([]).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new BerthError('runtime_unavailable', `${system} does not run: ${reason}`, { cause: error });
    }));
  const [build = ''] = stdout.split('\n');
  const version = /version (\S+)/.exec(build)?.[1] ?? 'unknown';
  return { version, build: build.trim(), confinement: confined === undefined ? [] : sandbox };
}

function installHint({ platform, architecture }: QemuEnvironment): string {
  if (platform === 'darwin') {
    return 'Install it: `brew install qemu`.';
  }
  if (platform === 'win32') {
    return 'Install it from https://www.qemu.org/download/#windows.';
  }
  const system = architecture === 'x64' ? 'qemu-system-x86' : 'qemu-system-arm';
  return `Install it, e.g. \`sudo apt install ${system} qemu-utils e2fsprogs\`. Containers work without it.`;
}
