/** The WebSocket behind terminals and `exec`: see `streamPaths.attach`. */
import type { FastifyInstance } from 'fastify';
import type { WebSocket } from 'ws';
import { asBerthError } from '../../api/errors';
import type { AttachControl } from '../../api/paths';
import { AttachInput, AttachStart } from '../../api/stream-schemas';
import { streams, type StreamParams } from '../../api/streams';
import type { ExecSession } from '../services/workspaces/access';
import { connectOutput, sendInput } from './attached-client';
import type { Services } from './services';
import { optionsOf } from './stream-options';
import { typeEndOfInput } from './terminal-input';
import { makeReader } from './validation';

/** bash where it is, else sh: the user's login shell. */
const loginShell = ['/bin/sh', '-c', 'if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi'];

/** Registers the route. A terminal ends with its connection, or when the client ends it. */
export function registerAttach(server: FastifyInstance, services: Services): void {
  server.get<{ Params: StreamParams<'workspaces.attach'> }>(
    streams['workspaces.attach'].path,
    { ...optionsOf('workspaces.attach'), websocket: true as const },
    (socket, request) => {
      socket.once('close', services.lifetime.hold());
      socket.once('close', services.work.begin(`a terminal or command in ${request.params.name}`));
      socket.on('error', () => socket.terminate());
      socket.once('message', (content: Buffer) => {
        void begin(socket, request.params.name, content, services).catch((error: unknown) => {
          control(socket, { type: 'error', error: asBerthError(error).toBody() });
          socket.close();
        });
      });
    },
  );
}

const readStart = makeReader(AttachStart);
const readInput = makeReader(AttachInput);

function control(socket: WebSocket, message: AttachControl): void {
  socket.send(JSON.stringify(message));
}

async function begin(socket: WebSocket, name: string, content: Buffer, { access }: Services): Promise<void> {
  const { argv, tty, cols = 80, rows = 24, ...rest } = readStart(content.toString('utf8'));
  const early: { content: Buffer; isBinary: boolean }[] = [];
  const keep = (message: Buffer, isBinary: boolean) => void early.push({ content: message, isBinary });
  socket.on('message', keep);
  const session = await access.attach(name, {
    argv: argv ?? loginShell,
    ...(tty && { tty: { cols, rows } }),
    ...rest,
    env: { ...(tty && { TERM: 'xterm-256color' }), ...rest.env },
  });
  socket.off('message', keep);
  control(socket, { type: 'started' });
  connectOutput(socket, session);
  session.stdin.on('error', () => undefined);
  const take = (message: Buffer, isBinary: boolean): void => {
    if (isBinary) {
      sendInput(socket, session, message);
    } else {
      obey(session, tty, message);
    }
  };
  early.forEach((message) => take(message.content, message.isBinary));
  socket.on('message', take);
  const end = (): void => void session.kill().catch(() => undefined);
  socket.once('close', end);
  if (socket.readyState !== socket.OPEN) {
    end();
  }
  control(socket, { type: 'exit', exitCode: await session.exit });
  socket.close();
}

/** What a later version may send is no reason to end a program. */
function inputOf(content: Buffer): AttachInput | undefined {
  try {
    return readInput(content.toString('utf8'));
  } catch {
    return undefined;
  }
}

function obey(session: ExecSession, hasTerminal: boolean, content: Buffer): void {
  const message = inputOf(content);
  if (message === undefined) {
    return;
  }
  if (message.type === 'resize') {
    void session.resize(message.cols, message.rows).catch(() => undefined);
  } else if (hasTerminal) {
    // To end the stream would close the terminal with all that is still to be said.
    typeEndOfInput(session);
  } else {
    session.stdin.end();
  }
}
