/** Pairs of SSH keys, made and read by ssh2. */
import { utils } from 'ssh2';
import { BerthError } from '../../api/errors';

const maxTries = 20;

/** Both halves as OpenSSH writes them. */
export interface KeyPair {
  private: string;
  public: string;
}

/**
 * ssh2 drops leading zero bytes of the public key: one pair in 200 is one that nobody can read
 * (https://github.com/mscdex/ssh2/issues/1513). Such a pair is thrown away. Throws `internal` when many tries gave none
 * that can be read.
 */
export function makePair(
  comment: string,
  generate: () => KeyPair = () => utils.generateKeyPairSync('ed25519', { comment }),
): KeyPair {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const pair = generate();
    if (isReadable(pair)) {
      return pair;
    }
  }
  throw noneReadable();
}

/** The same where making one takes long. Throws as that does. */
export async function readablePair(generate: () => Promise<KeyPair>): Promise<KeyPair> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const pair = await generate();
    if (isReadable(pair)) {
      return pair;
    }
  }
  throw noneReadable();
}

const isReadable = (pair: KeyPair): boolean =>
  ![pair.private, pair.public].some((half) => utils.parseKey(half) instanceof Error);

const noneReadable = (): BerthError =>
  new BerthError('internal', `No readable SSH key in ${maxTries} tries.`);

/** The private half holds the public one, so a lost or edited `.pub` does no harm. Throws `internal` for a damaged one. */
export function publicHalf(privateKey: string, path: string): string {
  const key = utils.parseKey(privateKey);
  if (key instanceof Error) {
    throw new BerthError('internal', `The key ${path} is damaged: ${key.message}.`, {
      hint: 'Move it away: a new one is made, and put in at the next start.',
    });
  }
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

/** `ssh-ed25519 AAAA…` of a line of a `.pub` file. */
export function withoutComment(publicKey: string): string {
  return publicKey.trim().split(/\s+/).slice(0, 2).join(' ');
}
