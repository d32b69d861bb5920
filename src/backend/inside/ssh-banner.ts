/** Whether an SSH server answers: it speaks first (RFC 4253, section 4.2). */
import { connect } from 'node:net';
import { waitFor } from '../machine/wait';

const attemptTimeoutMs = 2000;

/** The first line of what listens on a port, or why there is none. */
export function readBanner(
  port: number,
  host = '127.0.0.1',
): Promise<{ banner: string } | { failure: string }> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    let seen = '';
    const end = (answer: { banner: string } | { failure: string }): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(attemptTimeoutMs, () => end({ failure: `nothing said within ${attemptTimeoutMs} ms` }));
    socket.on('error', (error) => end({ failure: error.message }));
    socket.on('close', () => end({ failure: 'the connection was closed without a word' }));
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
      if (seen.includes('\n') || seen.length > 255) {
        const line = seen.split('\n', 1)[0] ?? '';
        end(
          line.startsWith('SSH-') ? { banner: line.trim() } : { failure: `"${line.trim()}" instead of SSH` },
        );
      }
    });
  });
}

export interface BannerWait {
  timeoutMs: number;
  signal: AbortSignal;
  /** Adds what the runtime says about itself to the message. */
  explain: () => Promise<string>;
}

/** Waits until an SSH server answers on a loopback port. */
export async function waitForBanner(port: number, options: BannerWait): Promise<string> {
  let last = 'nothing';
  return waitFor(
    async () => {
      const answer = await readBanner(port);
      if ('banner' in answer) {
        return answer.banner;
      }
      last = answer.failure;
      return undefined;
    },
    {
      what: `SSH to answer on 127.0.0.1:${port}`,
      timeoutMs: options.timeoutMs,
      intervalMs: 15,
      signal: options.signal,
      lastSeen: async () => `${last}. ${await options.explain()}`,
    },
  );
}
