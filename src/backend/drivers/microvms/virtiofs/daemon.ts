/**
 * virtiofsd serves one folder of this machine to one guest. There are two of the name: QEMU's own, in C, until QEMU 8,
 * and its successor in Rust (https://gitlab.com/virtio-fs/virtiofsd), with other arguments.
 */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { runWell } from '../../../machine/run';
import type { QemuEnvironment } from '../qemu/programs';

const helpTimeoutMs = 10_000;
/** Usually installed in libexec, not on PATH. */
const prefixes = ['/usr', '/usr/local', '/opt/homebrew', '/home/linuxbrew/.linuxbrew', '/opt/local'];
const usualFolders = prefixes.flatMap((prefix) =>
  ['libexec', 'lib', 'lib/qemu', 'bin'].map((folder) => `${prefix}/${folder}`),
);
/**
 * The C one has no word for it: it gets a view of the folder that nobody can write to, in a mount namespace of its own.
 * Constant text; what follows are arguments.
 */
const readOnlyView = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"';

/**
 * Attributes of users reach the folder as they are; those of this machine (`trusted.`, `system.`, `security.`) are for no
 * guest to read or to write. File capabilities, which virtiofsd wants a name for, are kept where they give no rights here.
 * Syntax: https://gitlab.com/virtio-fs/virtiofsd/-/blob/main/doc/xattr-mapping.md
 */
const attributes = ':prefix:all:security.capability:user.berth.::ok:all:user.:::bad:all:::';

export interface Virtiofsd {
  path: string;
  language: 'c' | 'rust';
  /** It can be told to let nobody write. */
  hasReadOnly: boolean;
}

export interface Serving {
  socket: string;
  folder: string;
  readOnly: boolean;
}

/**
 * The first one of this machine that runs for this user, in PATH or `elsewhere`; undefined when there is none at all. Throws
 * `not_supported` when all are for root only, or when one that is not does not run.
 */
export async function findVirtiofsd(
  { env, platform }: Pick<QemuEnvironment, 'env' | 'platform'>,
  elsewhere: readonly string[] = usualFolders,
): Promise<Virtiofsd | undefined> {
  if (platform !== 'linux') {
    // It is made of system calls of Linux.
    return undefined;
  }
  const folders = [...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...elsewhere];
  let forRoot: string | undefined;
  for (const folder of folders) {
    const path = join(folder, 'virtiofsd');
    if (await isExecutable(path)) {
      const help = await helpOf(path);
      if (help !== undefined) {
        return describeVirtiofsd(path, help);
      }
      forRoot ??= path;
    }
  }
  if (forRoot !== undefined) {
    throw forRootOnly(forRoot);
  }
  return undefined;
}

/** Which virtiofsd a program is, by what its `--help` says. */
export function describeVirtiofsd(path: string, help: string): Virtiofsd {
  const language = help.includes('--shared-dir') ? 'rust' : 'c';
  return { path, language, hasReadOnly: help.includes('--readonly') };
}

/**
 * Program and arguments. Throws `not_supported` for one that only root can run, and where nothing would keep a guest from
 * writing to what it may only read.
 */
export function servingCommand(
  daemon: Virtiofsd,
  { socket, folder, readOnly }: Serving,
  isRoot: boolean,
): readonly [string, ...string[]] {
  if (daemon.language === 'c' && !isRoot) {
    throw forRootOnly(daemon.path);
  }
  const own: [string, ...string[]] =
    daemon.language === 'c'
      ? // In fuse's options a comma separates.
        [
          daemon.path,
          `--socket-path=${socket}`,
          ...words(`source=${escaped(folder)}`, 'cache=auto', 'sandbox=chroot', `xattrmap=${attributes}`),
        ]
      : [
          ...([daemon.path, `--socket-path=${socket}`, `--shared-dir=${folder}`, '--cache=auto'] as const),
          ...[`--sandbox=${isRoot ? 'chroot' : 'none'}`, '--xattr', `--xattrmap=${attributes}`],
        ];
  if (!readOnly) {
    return own;
  }
  if (daemon.hasReadOnly) {
    return [...own, '--readonly'];
  }
  if (!isRoot) {
    throw new BerthError('not_supported', `${daemon.path} can't share a folder read-only.`, {
      hint: 'Install a newer virtiofsd, or mount the volume without `:ro`.',
      field: 'mounts',
    });
  }
  return [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    '--',
    'sh',
    '-c',
    readOnlyView,
    'sh',
    folder,
    ...own,
  ];
}

/** The error `not_supported` for a folder that no daemon can serve, with what to install. */
export function missingVirtiofsd(volume: string): BerthError {
  return new BerthError(
    'not_supported',
    `The volume ${volume} is a folder, which takes virtiofsd to share with a microVM, and there is none.`,
    {
      hint: 'Install it (`sudo apt install virtiofsd`, on Debian 12 `qemu-system-common`), or use a volume of the kind "disk".',
      field: 'mounts',
    },
  );
}

function forRootOnly(path: string): BerthError {
  return new BerthError('not_supported', `${path} shares folders with microVMs for root only.`, {
    hint: 'Install the virtiofsd in Rust, version 1.4 or later (not in Debian 12), or use a volume of the kind "disk".',
    field: 'mounts',
  });
}

function words(...options: string[]): string[] {
  return options.flatMap((option) => ['-o', option]);
}

function escaped(path: string): string {
  return path.replaceAll(/[\\,]/g, '\\$&');
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** What it says of itself; undefined when it runs for root only. */
async function helpOf(path: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await runWell(path, ['--help'], {
      what: 'ask virtiofsd what it can do',
      timeoutMs: helpTimeoutMs,
    });
    return stdout + stderr;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // The first thing that the C one does is to leave its groups.
    if (reason.includes('setgroups() failed')) {
      return undefined;
    }
    throw new BerthError('not_supported', `${path} does not run: ${reason}`, {
      hint: 'Install it anew, or use a volume of the kind "disk".',
      cause: error,
    });
  }
}
