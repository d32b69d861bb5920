/**
 * As much of an engine as a client that looks for one sees: started as a process of its own, with the real lock, and
 * with a socket that answers two routes. The real routes are tested with the server.
 */
import { appendFileSync, chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { socketPath, stateDirectory } from '../../../src/api/rules/endpoint';
import { protocolVersion } from '../../../src/api/version';
import { acquireLock } from '../../../src/backend/machine/lock';

const {
  TINY_VERSION: version = '1.0.0',
  TINY_PROTOCOL: protocol = String(protocolVersion),
  TINY_FAIL: failure,
  TINY_BUSY: reason,
  TINY_LINGER_MS: linger = '0',
} = process.env;

async function run(home: string): Promise<void> {
  // One that comes late must not outlive its test.
  setInterval(() => existsSync(home) || process.exit(), 200).unref();
  let lock = acquireLock(join(home, 'engine.lock'));
  for (const end = Date.now() + 300; lock === undefined && Date.now() < end;) {
    await sleep(20);
    lock = acquireLock(join(home, 'engine.lock'));
  }
  if (lock === undefined) {
    return;
  }
  writeFileSync(join(home, 'installation.json'), '{"schemaVersion":1,"id":"tiny"}');
  appendFileSync(join(home, 'started'), `${version} ${process.pid}\n`);
  rmSync(socketPath(home), { force: true });
  await serve(home);
  // Deaf already, but not gone: its lock is held a while longer.
  await sleep(Number(linger));
  lock.release();
}

/** Until it is told to stop. */
function serve(home: string): Promise<void> {
  const { promise: stopped, resolve: stop } = resolvable();
  const startedAt = new Date().toISOString();
  const info = { version, protocol: Number(protocol), pid: process.pid, home, startedAt };
  const answers: Record<string, () => unknown> = {
    'GET /v1/engine': () => info,
    'POST /v1/engine/stop': () => {
      if (reason !== undefined) {
        return { stopping: false, reason };
      }
      setImmediate(stop);
      return { stopping: true };
    },
  };
  const server = createServer((request, response: ServerResponse) => {
    // As the real one, it does not mind a query that it does not know.
    const [path = ''] = (request.url ?? '').split('?');
    const body = answers[`${request.method ?? ''} ${path}`]?.();
    response.writeHead(body === undefined ? 404 : 200, { connection: 'close' });
    response.end(JSON.stringify(body ?? {}));
  });
  server.listen(socketPath(home), () => chmodSync(socketPath(home), 0o600));
  return stopped.then(() => void server.close());
}

function resolvable(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

if (failure !== undefined) {
  process.stderr.write(`${failure}\n`);
  process.exitCode = 1;
} else {
  void run(stateDirectory()).then(
    () => process.exit(0),
    () => process.exit(1),
  );
}
