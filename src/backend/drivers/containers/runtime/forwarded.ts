/**
 * Whether a socket of this machine leads to the engine of another one, as `ssh -L` forwards it: a port that such an
 * engine publishes is closed here, though what it leads to answers inside.
 */
import { connect } from 'node:net';
import { sshPortInside } from '../../../inside/places';
import { toolsDirectory } from '../../../inside/init-script';
import { becomes } from '../../../machine/wait';
import type { RuntimeInfo } from '../../driver';
import type { Endpoint } from '../engine/endpoint';
import { runInside } from './exec';

/** Engines in a virtual machine of this one have their ports forwarded only some seconds after a start. */
const newTimeoutMs = 8_000;
const oldTimeoutMs = 500;
const isOldAfterMs = 60_000;
const pollMs = 100;
const connectTimeoutMs = 2_000;
const insideTimeoutMs = 10_000;

/** Of a container that runs and publishes its SSH on loopback. Undefined where it can't be found out by that one. */
export async function isForwarded(
  endpoint: Endpoint,
  { name, sshPort = 0 }: RuntimeInfo,
): Promise<boolean | undefined> {
  if ((await attempt(sshPort)) !== 'refused') {
    return false;
  }
  const startedAt = await endpoint.call(`look at ${name}`, async (docker) => {
    const { State: state } = await docker.getContainer(name).inspect();
    return Date.parse(state.StartedAt);
  });
  const age = Date.now() - startedAt;
  const isTaken = await becomes(async () => (await attempt(sshPort)) !== 'refused', {
    what: `SSH of ${name}`,
    timeoutMs: age > isOldAfterMs ? oldTimeoutMs : newTimeoutMs,
    intervalMs: pollMs,
  });
  if (isTaken) {
    return false;
  }
  return (await answersInside(endpoint, name)) ? true : undefined;
}

function attempt(port: number): Promise<'refused' | 'other'> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: connectTimeoutMs });
    const settle = (outcome: 'refused' | 'other'): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => settle('other')).once('timeout', () => settle('other'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      settle(error.code === 'ECONNREFUSED' ? 'refused' : 'other');
    });
  });
}

/** Its sshd greets whoever connects to it inside. */
async function answersInside(endpoint: Endpoint, name: string): Promise<boolean> {
  const argv = [`${toolsDirectory}/busybox/nc`, '-w', '2', '127.0.0.1', String(sshPortInside)];
  const ran = await runInside(endpoint, name, { argv, timeoutMs: insideTimeoutMs }).catch(() => undefined);
  return ran?.output.startsWith('SSH-') === true;
}
