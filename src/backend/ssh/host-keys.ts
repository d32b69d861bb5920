/** Keys of an SSH server that a user has installed inside: those that `ssh-keygen -A` makes. */
import { promisify } from 'node:util';
import { utils } from 'ssh2';
import { readablePair, type KeyPair } from './key-pair';

export const hostKeyTypes = ['rsa', 'ecdsa', 'ed25519'] as const;

const generate = promisify<'rsa' | 'ecdsa' | 'ed25519', { bits: number }, KeyPair>(utils.generateKeyPair);
const bits = { rsa: 3072, ecdsa: 256, ed25519: 256 };

/** A pair as OpenSSH reads it, with its usual size. It is made on another thread: one of RSA takes a second. */
export async function makeHostKeys(type: (typeof hostKeyTypes)[number]): Promise<KeyPair> {
  const pair = await readablePair(() => generate(type, { bits: bits[type] }));
  return { private: withEnd(pair.private), public: withEnd(pair.public) };
}

/** sshd wants the last line to be one. */
const withEnd = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
