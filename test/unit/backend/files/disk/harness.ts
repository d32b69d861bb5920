/** Real images, made by mke2fs and checked by e2fsck: whether ours agree with everybody else's ext4 is the question. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { AgentFiles } from '../../../../../src/backend/files/agent/agent-files';
import { DiskAccess } from '../../../../../src/backend/files/disk/disk-access';
import type { WorkerTimeouts } from '../../../../../src/backend/files/disk/disk-worker';
import { makeFit } from '../../../../../src/backend/ext4/fitness';
import { tarOf, type Member } from '../../../../support/files/agents/room';
import { lockImage } from '../../../../../src/backend/files/disk/image-lock';

export { bytesOf, tarOf, type Member } from '../../../../support/files/agents/room';

process.env.PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

export function makeImage(path: string, sizeMiB = 64, options: readonly string[] = []): string {
  writeFileSync(path, '');
  truncateSync(path, sizeMiB * 1024 * 1024);
  chmodSync(path, 0o600);
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', ...options, path]);
  return path;
}

/** Nothing is wrong with it. */
export function assertClean(image: string): void {
  const { status, stdout, stderr } = spawnSync('e2fsck', ['-fn', image], { encoding: 'utf8' });
  assert.equal(status, 0, `e2fsck: ${stdout}${stderr}`);
}

/** What another implementation says about it. */
export function debugfs(image: string, command: string): string {
  return execFileSync('debugfs', ['-R', command, image], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
  });
}

export interface DiskOptions {
  sizeMiB?: number;
  mke2fs?: readonly string[];
  idleMs?: number;
  timeouts?: WorkerTimeouts;
}

/** A volume on an image of its own; all that is in it at first is `lost+found`, which is taken out. */
export class TestDisk {
  readonly files: AgentFiles;
  readonly access: DiskAccess;

  private constructor(
    readonly image: string,
    { idleMs, timeouts }: DiskOptions,
  ) {
    this.access = new DiskAccess({
      ...{ volume: 'test', path: image },
      ...(idleMs !== undefined && { idleMs }),
      ...(timeouts !== undefined && { timeouts }),
      prepare: async () => {
        const unlock = await lockImage('test', image);
        await makeFit('test', image).catch((error: unknown) => {
          unlock();
          throw error;
        });
        return unlock;
      },
    });
    this.files = new AgentFiles(this.access);
  }

  static async create(folder: string, options: DiskOptions = {}): Promise<TestDisk> {
    const image = makeImage(join(folder, 'test.ext4'), options.sizeMiB, options.mke2fs);
    const disk = new TestDisk(image, options);
    await disk.files.remove('/lost+found', { recursive: false });
    return disk;
  }

  static on(image: string, options: DiskOptions = {}): TestDisk {
    return new TestDisk(image, options);
  }

  /** As it is for the next one who opens it: e2fsck finds nothing wrong but the folder that we took out. */
  async check(): Promise<void> {
    await this.access.close();
    const { status, stdout } = spawnSync('e2fsck', ['-fn', this.image], { encoding: 'utf8' });
    const rest = stdout
      .split('\n')
      .filter(
        (line) =>
          !/^e2fsck|^Pass \d|^\/lost\+found not found|^Create\? no|^test|non-contiguous|^\s*$|WARNING/.test(
            line,
          ),
      );
    assert.deepEqual(rest, [], `e2fsck (${status}): ${stdout}`);
  }

  async put(folder: string, members: readonly Member[]): Promise<void> {
    const stage = await this.files.stage();
    await this.files.putTar(stage, tarOf(members));
    const { failed } = await this.files.merge(stage, folder, 'overwrite');
    assert.deepEqual(failed, []);
  }

  /** Ends the worker behind the back of whoever uses it. */
  async kill(): Promise<void> {
    const channel = await this.access.channel();
    channel.end();
    await channel.closed;
  }

  async dispose(): Promise<void> {
    await this.files.close();
    await this.access.close();
  }
}

/** Changes the image by another implementation, while nobody has it open. */
export async function writeByDebugfs(disk: TestDisk, commands: readonly string[]): Promise<void> {
  await disk.access.close();
  execFileSync('debugfs', ['-w', '-f', '-', disk.image], {
    input: commands.map((command) => `${command}\n`).join(''),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/** Type, size, mode, owner, group, time and target of what is in a tar, by name. */
export async function membersOf(tar: Buffer): Promise<Record<string, unknown[]>> {
  const seen: Record<string, unknown[]> = {};
  const reader = extract();
  const done = new Promise<void>((resolve, reject) => {
    reader.on('finish', () => resolve());
    reader.on('error', reject);
  });
  reader.on('entry', ({ name, type, size, mode, uid, gid, mtime, linkname }, stream, next) => {
    seen[name] = [type, size, mode, uid, gid, Number(mtime), linkname];
    stream.on('end', next);
    stream.resume();
  });
  reader.end(tar);
  await done;
  return seen;
}
