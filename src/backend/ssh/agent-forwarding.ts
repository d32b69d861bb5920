/**
 * Lends an SSH agent of this machine to a workspace, by a connection to its sshd that asks for the forwarding (ssh2), as
 * `ssh -A` does. The socket inside is sshd's, which removes it when the connection ends, however that comes.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { BerthError } from '../../api/errors';

const readyTimeoutMs = 60_000;
/** Until a session is there that has it, and once more until it says where. */
const defaultAnswerTimeoutMs = 20_000;
const goneTimeoutMs = 5_000;
const mark = 'berth-agent=';
/** Says where the agent is, and stays until its input ends. A constant: nothing of a user is in it. */
const command = `printenv SSH_AUTH_SOCK | sed 's/^/${mark}/'; exec cat`;
const maxOutput = 64 * 1024;

export interface AgentLoan {
  /** Of sshd in the workspace, on loopback. */
  port: number;
  /** `ssh-ed25519 AAAA…` */
  hostKey: string;
  /** OpenSSH private key of the installation. */
  privateKey: string;
  /** The agent of this machine: a Unix socket, on Windows a named pipe. */
  agentSocket: string;
  signal: AbortSignal;
  answerTimeoutMs?: number;
}

export interface LentAgent {
  /** Path inside the workspace, for SSH_AUTH_SOCK. */
  socket: string;
  /** Resolves when the socket is gone. */
  release: () => Promise<void>;
}

/** Throws `bad_request` for a path that leads to no agent. */
export async function checkAgentSocket(path: string): Promise<void> {
  const isSocket = await stat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
  if (!isSocket && process.platform !== 'win32') {
    throw new BerthError('bad_request', `There is no SSH agent at ${JSON.stringify(path)}.`, {
      field: 'agentSocket',
      hint: 'Start one and add your key (`eval "$(ssh-agent)"; ssh-add`), or clone without it.',
    });
  }
}

/**
 * Resolves when programs inside can reach the agent; they can until it is released, or the signal is
 * given.
 */
export async function lendAgent(loan: AgentLoan): Promise<LentAgent> {
  const ssh2 = await import('ssh2');
  const client = new ssh2.Client();
  const end = (): void => {
    client.destroy();
  };
  loan.signal.addEventListener('abort', end, { once: true });
  const closed = new Promise<void>((resolve) => client.once('close', resolve));
  const release = async (): Promise<void> => {
    loan.signal.removeEventListener('abort', end);
    client.end();
    await Promise.race([closed, sleep(goneTimeoutMs, undefined, { ref: false })]);
    client.destroy();
  };
  try {
    const timeoutMs = loan.answerTimeoutMs ?? defaultAnswerTimeoutMs;
    await logIn(client, loan);
    return { socket: await socketInside(await holdSession(client, timeoutMs), timeoutMs), release };
  } catch (error) {
    await release();
    throw error;
  }
}

function logIn(client: Client, { port, hostKey, privateKey, agentSocket }: AgentLoan): Promise<void> {
  const [, key = ''] = hostKey.split(' ');
  return new Promise((resolve, reject) => {
    // Also after it is ready: what happens then is seen by the channel.
    client.on('error', (error) => reject(refused(error.message)));
    client.once('close', () => reject(refused('the connection was closed')));
    client.once('ready', resolve);
    client.connect({
      ...{ host: '127.0.0.1', port, username: 'workspace', readyTimeout: readyTimeoutMs },
      ...{ privateKey, authHandler: ['none', 'publickey'] },
      hostVerifier: (offered: Buffer) => offered.toString('base64') === key,
      agent: agentSocket,
      agentForward: true,
    });
  });
}

/** Whoever is root inside may have an sshd that answers nothing. */
function holdSession(client: Client, timeoutMs: number): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(refused(`waited ${timeoutMs / 1000} s for a session`));
    }, timeoutMs);
    client.exec(command, (error, channel) => {
      clearTimeout(timer);
      if (error === undefined) {
        resolve(channel);
      } else {
        reject(refused(error.message));
      }
    });
  });
}

function socketInside(channel: ClientChannel, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const fail = (reason: string): void => {
      clearTimeout(timer);
      reject(refused(reason));
    };
    const timer = setTimeout(() => {
      fail(`waited ${timeoutMs / 1000} s for its socket`);
    }, timeoutMs);
    channel.on('error', (error: Error) => {
      fail(error.message);
    });
    channel.once('close', () => {
      fail('no socket was made for it');
    });
    channel.stderr.resume();
    channel.on('data', (chunk: Buffer) => {
      // The user's own shell may say more before.
      seen = `${seen}${chunk.toString('latin1')}`.slice(-maxOutput);
      const [, socket] = new RegExp(`^${mark}(/[\\x21-\\x7e]{1,200})\\n`, 'm').exec(seen) ?? [];
      if (socket !== undefined) {
        clearTimeout(timer);
        resolve(socket);
      }
    });
  });
}

function refused(reason: string): BerthError {
  return new BerthError('runtime_unavailable', `The SSH agent can't be forwarded: ${reason}.`, {
    hint: 'Log in with your agent (`ssh -A`, the host name is that of the workspace with `berth-` before it), and clone by hand.',
  });
}
