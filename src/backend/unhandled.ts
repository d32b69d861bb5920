/**
 * Errors that nobody handles. None ends the engine unseen: each is logged with what ran, and those after which the state
 * in memory can't be trusted end it in order.
 */
import { isErrno } from './machine/files';

/** Of connections: whoever had such a socket is told by its own end, and no state of ours depends on it. */
const ofConnections = [
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTCONN', 'EHOSTUNREACH'],
  ...['ENETUNREACH', 'EHOSTDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'],
  ...['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_DESTROYED', 'ERR_SOCKET_CLOSED'],
];

export interface UnhandledDeps {
  log: { error(fields: object, message: string): void; fatal(fields: object, message: string): void };
  /** Operations and requests that run now. */
  running: () => readonly string[];
  /** Ends the process, with what can be ended in order. */
  end: () => void;
  /** Kept in `engine.stderr`, which the next client quotes. */
  print: (text: string) => void;
}

/** A listener for `uncaughtException`. */
export function onUncaught({ log, running, end, print }: UnhandledDeps): (error: unknown) => void {
  let isEnding = false;
  return (error) => {
    const fields = { err: error, running: running() };
    if (isErrno(error, ...ofConnections)) {
      log.error(fields, 'a connection failed and nobody listened');
      return;
    }
    log.fatal(fields, 'uncaught exception: the engine ends');
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    print(
      `The engine failed${fields.running.length > 0 ? ` during ${fields.running.join(', ')}` : ''}: ${text}`,
    );
    if (!isEnding) {
      isEnding = true;
      end();
    }
  };
}

/** A listener for `unhandledRejection`: what was awaited by nobody leaves nothing half done in memory. */
export function onRejection({ log, running }: UnhandledDeps): (error: unknown) => void {
  return (error) => log.error({ err: error, running: running() }, 'unhandled rejection');
}
