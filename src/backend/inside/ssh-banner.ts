/**
 * Whether an SSH server answers: it speaks first (RFC 4253, section 4.2). Who asks says goodbye as a client does, by which
 * the log of the server tells this connection from all others (`probe-lines.ts`).
 */
import { connect } from 'node:net';
import { waitFor } from '../machine/wait';
import { farewell } from './probe-lines';

const attemptTimeoutMs = 2000;
/** A server on a busy machine that is cut off before it has read the goodbye writes down other words. */
const goodbyeTimeoutMs = 30_000;
/** RFC 4253, section 6: packets without encryption are filled up to a multiple of this, by at least 4 bytes. */
const blockBytes = 8;
const minPaddingBytes = 4;
/** Sections 11.1 and 12. */
const messageDisconnect = 1;
const byApplication = 11;

const goodbye = Buffer.concat([Buffer.from('SSH-2.0-Berth\r\n'), disconnectPacket(farewell)]);

function disconnectPacket(text: string): Buffer {
  const description = Buffer.from(text);
  const payload = Buffer.concat([
    ...[Buffer.from([messageDisconnect]), word(byApplication)],
    ...[word(description.length), description],
    // No language.
    word(0),
  ]);
  const rest = (5 + payload.length + minPaddingBytes) % blockBytes;
  const padding = minPaddingBytes + (rest === 0 ? 0 : blockBytes - rest);
  const length = word(1 + payload.length + padding);
  return Buffer.concat([length, Buffer.from([padding]), payload, Buffer.alloc(padding)]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

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
        if (line.startsWith('SSH-')) {
          // It is over when the other side has closed it, or is silent for too long: nobody waits for that.
          socket.setTimeout(goodbyeTimeoutMs);
          socket.unref().end(goodbye);
          resolve({ banner: line.trim() });
        } else {
          end({ failure: `"${line.trim()}" instead of SSH` });
        }
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
