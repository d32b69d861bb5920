/** Our keys: one client key per installation, one host key per workspace, kept over rebuilds. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, removeTree } from '../machine/files';
import { replaceFile } from '../machine/whole-file';
import { KeyedLock } from '../machine/keyed-lock';
import type { StateDirectory } from '../store/state-directory';

export interface KeyPair {
  /** OpenSSH format. */
  privateKey: string;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  publicKey: string;
}

export class SshKeys {
  private readonly lock = new KeyedLock();

  constructor(private readonly state: StateDirectory) {}

  clientKey(): Promise<KeyPair> {
    return this.ensure(this.state.clientKey, 'berth');
  }

  /** Makes it where there is none, and does not read one that is there: that is work which the engine's start can do without. */
  async makeClientKey(): Promise<void> {
    const status = await stat(this.state.clientKey).catch(() => undefined);
    if (status?.isFile() !== true) {
      await this.clientKey();
    }
  }

  hostKey(workspace: string): Promise<KeyPair> {
    return this.ensure(this.hostKeyPath(workspace), `berth-${workspace}`);
  }

  async forgetHostKey(workspace: string): Promise<void> {
    await removeTree(this.hostKeyPath(workspace));
    await removeTree(`${this.hostKeyPath(workspace)}.pub`);
  }

  private hostKeyPath(workspace: string): string {
    return join(this.state.hostKeys, workspace);
  }

  /** Reads the pair at `path`, or makes it. The private half is written last: it marks the pair as whole. */
  private ensure(path: string, comment: string): Promise<KeyPair> {
    return this.lock.run(path, async () => {
      // It reads ssh2, for which the start of the engine need not wait.
      const { makePair, publicHalf, withoutComment } = await import('./key-pair.js');
      try {
        const privateKey = await readFile(path, 'utf8');
        return { privateKey, publicKey: publicHalf(privateKey, path) };
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) {
          throw error;
        }
      }
      const pair = makePair(comment);
      await replaceFile(`${path}.pub`, `${pair.public}\n`, 0o644);
      await replaceFile(path, pair.private);
      return { privateKey: pair.private, publicKey: withoutComment(pair.public) };
    });
  }
}
