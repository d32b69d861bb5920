/** Where the files of microVMs lie in the state directory. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, rmdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { isRecordFile } from '../../../store/records';
import type { MachineSockets } from '../qemu/command-line';

/** Of `sun_path` in unix(7), with its end. */
const maxSocketPathBytes = 107;
const maxSocketNameBytes = '/templates-0000.sock'.length;
const prefix = 'workspace-';

export interface RuntimeFiles {
  folder: string;
  record: string;
  rootfs: string;
  /** What the root disk lies over: the runtime's own name for the file of its image. */
  base: string;
  /** A folder: the guest kit that it was started with, by names of its own. */
  kit: string;
  consoleLog: string;
  qemuLog: string;
  pidFile: string;
  /** The saved state of a paused machine. */
  state: string;
  sockets: MachineSockets;
  /** On which a state is received. */
  saveSocket: string;
  /** On which a disk is served as it was at one moment. */
  viewSocket: string;
  /** Of the daemon that serves a shared folder, and what it says. */
  shareSocket: (serial: string) => string;
  shareLog: (serial: string) => string;
  /** Of the network filter of that QEMU, and what it says. */
  filterSocket: (pid: number) => string;
  filterLog: string;
}

export class MicrovmFiles {
  constructor(
    readonly home: string,
    private readonly cache: string = home,
  ) {}

  get workspaces(): string {
    return join(this.home, 'workspaces');
  }
  /** Machines that are being made into templates, which are kept in the cache. */
  get drafts(): string {
    return join(this.home, 'drafts');
  }
  get templates(): string {
    return join(this.cache, 'templates');
  }
  get acceleration(): string {
    return join(this.cache, 'acceleration.json');
  }

  /** The workspace that a runtime is of, by its name. */
  workspaceOf(runtime: string): string {
    return runtime.startsWith(prefix) ? runtime.slice(prefix.length) : runtime;
  }

  of(runtime: string): RuntimeFiles {
    return this.inFolder(join(this.workspaces, this.workspaceOf(runtime)));
  }

  /** The same names in any folder, e.g. a template's. */
  inFolder(folder: string): RuntimeFiles {
    const socket = this.socketNamer(folder);
    return {
      folder,
      record: join(folder, 'runtime.json'),
      rootfs: join(folder, 'rootfs.qcow2'),
      base: join(folder, 'base.ext4'),
      kit: join(folder, 'guest-kit'),
      consoleLog: join(folder, 'console.log'),
      qemuLog: join(folder, 'qemu.log'),
      pidFile: join(folder, 'qemu.pid'),
      state: join(folder, 'machine.state'),
      sockets: {
        ...{ qmp: socket('qmp'), control: socket('control'), ssh: socket('ssh') },
        ...{ filterOut: socket('net-out'), filterIn: socket('net-in') },
      },
      saveSocket: socket('save'),
      viewSocket: socket('view'),
      shareSocket: (serial) => socket(`share-${serial}`),
      shareLog: (serial) => join(folder, `share-${serial}.log`),
      filterSocket: (pid) => socket(`net-${pid}`),
      filterLog: join(folder, 'net.log'),
    };
  }

  /**
   * The fallback directory for sockets whose path here would be too long. Checked to be this user's alone, as anybody
   * can create a directory of that name first. Throws `forbidden` for one that is not.
   */
  async ensureSocketFolder(folder: string): Promise<void> {
    if (hasRoom(folder)) {
      return;
    }
    await mkdir(this.shortFolder, { recursive: true, mode: 0o700 });
    const { uid, mode } = await lstat(this.shortFolder);
    const isOurs = process.platform === 'win32' || uid === process.getuid?.();
    if (!isOurs || (process.platform !== 'win32' && (mode & 0o077) !== 0)) {
      throw new BerthError(
        'forbidden',
        `${this.shortFolder} belongs to somebody else, or is open to others.`,
        {
          hint: 'Remove it, or choose a state directory with a shorter path.',
        },
      );
    }
  }

  /** When no machine has a socket in it any more. */
  async removeSocketFolder(): Promise<void> {
    await rmdir(this.shortFolder).catch(() => undefined);
  }

  private get shortFolder(): string {
    if (process.platform === 'win32') {
      return join(tmpdir(), `berth-${userInfo().username}-${digest(this.home)}`);
    }
    // Not in TMPDIR: the next engine may have another one, and would not find the machines that run.
    return join('/tmp', `berth-${process.getuid?.() ?? 0}-${digest(this.home)}`);
  }

  /** Beside the other files where the path is not too long, else in a short folder of this state directory. */
  private socketNamer(folder: string): (name: string) => string {
    return hasRoom(folder)
      ? (name) => join(folder, `${name}.sock`)
      : (name) => join(this.shortFolder, `${digest(folder)}-${name}`);
  }
}

function hasRoom(folder: string): boolean {
  return Buffer.byteLength(folder) + maxSocketNameBytes <= maxSocketPathBytes;
}

/** As the names above, and what is kept beside them. */
const ownFiles: readonly RegExp[] = [
  /^(?:rootfs\.qcow2|base\.ext4|bundle-\d+\.ext4|qemu\.pid|guest-kit)$/,
  /^machine\.state(?:\.sum|\.part|\.old)?$/,
  /^console\.log\.old$/,
  /^(?:console|qemu|net|share-[\w-]+)\.log$/,
  /^(?:qmp|control|ssh|save|view|net-out|net-in|net-\d+|share-[\w-]+)\.sock$/,
];

/** Whether a microVM has made the file of that name in its folder: others are the user's, or the workspace's. */
export function isRuntimeFile(name: string): boolean {
  return isRecordFile('runtime.json', name) || ownFiles.some((pattern) => pattern.test(name));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
