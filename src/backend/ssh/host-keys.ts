/** Keys of an SSH server that a user has installed inside: those that `ssh-keygen -A` makes. */
import { utils } from 'ssh2';
import { makePair } from './key-pair';

export const hostKeyTypes = ['rsa', 'ecdsa', 'ed25519'] as const;

/** A pair as OpenSSH reads it, with its usual size. */
export function makeHostKeys(type: (typeof hostKeyTypes)[number]): { private: string; public: string } {
  const generate = {
    rsa: () => utils.generateKeyPairSync('rsa', { bits: 3072 }),
    ecdsa: () => utils.generateKeyPairSync('ecdsa', { bits: 256 }),
    ed25519: () => utils.generateKeyPairSync('ed25519'),
  };
  const pair = makePair('', generate[type]);
  return { private: withEnd(pair.private), public: withEnd(pair.public) };
}

/** sshd wants the last line to be one. */
const withEnd = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
