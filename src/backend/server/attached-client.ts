/** The two directions of a WebSocket and a process, whoever is slower, until one of them ends. */
import type { WebSocket } from 'ws';
import { mebibyte } from '../../api/rules/sizes';
import type { ExecSession } from '../services/workspaces/access';

const stdoutMark = Buffer.from([1]);
const stderrMark = Buffer.from([2]);
/** Above this the process is made to wait for the client. */
const highWater = mebibyte;
/** A socket that is not read does not notice that its peer has gone; one that is written to does. */
const probeMs = 1_000;

/** What the process says goes to the client, as fast as that takes it; and nowhere once the client has gone. */
export function connectOutput(socket: WebSocket, session: ExecSession): void {
  const streams = [
    [session.stdout, stdoutMark],
    [session.stderr, stderrMark],
  ] as const;
  for (const [stream, mark] of streams) {
    stream.on('data', (chunk: Buffer) => {
      if (socket.readyState !== socket.OPEN) {
        return;
      }
      socket.send(Buffer.concat([mark, chunk]), { binary: true }, () => {
        if (stream.isPaused() && socket.bufferedAmount < highWater) {
          stream.resume();
        }
      });
      if (socket.bufferedAmount > highWater) {
        stream.pause();
      }
    });
    stream.on('error', () => undefined);
    // Read to its end all the same: a stream that is left full holds up the process, and with Docker the container.
    socket.once('close', () => stream.resume());
  }
}

/** Input for the process; while it takes none, the client is made to wait. */
export function sendInput(socket: WebSocket, { stdin }: ExecSession, content: Buffer): void {
  if (stdin.write(content)) {
    return;
  }
  socket.pause();
  const probe = setInterval(() => socket.ping(() => undefined), probeMs);
  const proceed = (): void => {
    clearInterval(probe);
    stdin.off('drain', proceed);
    stdin.off('close', proceed);
    socket.off('close', proceed);
    socket.resume();
  };
  stdin.once('drain', proceed);
  stdin.once('close', proceed);
  socket.once('close', proceed);
}
