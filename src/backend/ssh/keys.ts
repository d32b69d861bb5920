/** Our keys: one client key per installation, one host key per workspace, kept over rebuilds. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utils } from 'ssh2';
import { BerthError } from '../../api/errors';
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

const maxTries = 20;

/**
 * ssh2 drops leading zero bytes of the public key: one pair in 200 is one that nobody can read
 * (https://github.com/mscdex/ssh2/issues/1513). Such a pair is thrown away.
 */
export function makePair(
  comment: string,
  generate: () => { private: string; public: string } = () =>
    utils.generateKeyPairSync('ed25519', { comment }),
): { private: string; public: string } {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const pair = generate();
    if (![pair.private, pair.public].some((half) => utils.parseKey(half) instanceof Error)) {
      return pair;
    }
  }
  throw new BerthError('internal', `No readable SSH key in ${maxTries} tries.`);
}

/** The private half holds the public one, so a lost or edited `.pub` does no harm. */
function publicHalf(privateKey: string, path: string): string {
  const key = utils.parseKey(privateKey);
  if (key instanceof Error) {
    throw new BerthError('internal', `The key ${path} is damaged: ${key.message}.`, {
      hint: 'Move it away: a new one is made, and put in at the next start.',
    });
  }
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

function withoutComment(publicKey: string): string {
  return publicKey.trim().split(/\s+/).slice(0, 2).join(' ');
}
