/** The baseline for files of a machine that runs: one SFTP connection, kept. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Client, type SFTPWrapper } from 'ssh2';
import type { SshTarget } from '../../src/api';

const timeoutMs = 60_000;

function settled<T>(run: (done: (error: Error | undefined, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, value) => (error === undefined ? resolve(value) : reject(error)));
  });
}

export interface Sftp {
  stat(path: string): Promise<unknown>;
  list(path: string): Promise<unknown>;
  read(path: string): Promise<unknown>;
}

export async function withSftp<T>(target: SshTarget, use: (sftp: Sftp) => Promise<T>): Promise<T> {
  const { host, port, user: username, identityFile } = target;
  const client = new Client();
  try {
    client.connect({
      host,
      port,
      username,
      privateKey: readFileSync(identityFile),
      readyTimeout: timeoutMs,
    });
    await once(client, 'ready', { signal: AbortSignal.timeout(timeoutMs) });
    const sftp = await settled<SFTPWrapper>((done) => client.sftp(done));
    return await use({
      stat: (path) => settled((done) => sftp.stat(path, done)),
      list: (path) => settled((done) => sftp.readdir(path, done)),
      read: (path) => settled((done) => sftp.readFile(path, done)),
    });
  } finally {
    client.end();
  }
}
