/** Connections into a container by exec: they need no port of any machine, and no network inside. */
import { Duplex } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { localTarget } from '../../../../api/rules/runtimes';
import { relayCommand } from '../../../inside/relay';
import { demultiplex } from '../engine/demux';
import type { Endpoint } from '../engine/endpoint';
import { label } from '../engine/labels';
import type { DirectEndpoint, RuntimeInfo } from '../../driver';
import { startExec } from './exec';

/** Throws `not_found`, and `illegal_state` for a container that does not run. */
export async function dialContainer(endpoint: Endpoint, name: string, port: number): Promise<Duplex> {
  const argv = relayCommand(port);
  const { stream } = await startExec(endpoint, name, { argv, user: '0:0', tty: false, env: [] });
  const { stdout, stderr } = demultiplex(stream);
  stderr.on('error', () => undefined).resume();
  const close = (): void => void stream.destroy();
  return Duplex.from({ readable: stdout, writable: stream }).on('error', close).on('close', close);
}

/**
 * Where its ports are published on this machine: nowhere without a network, and nowhere for one of another machine.
 * Throws `not_found`.
 */
export async function directEndpointOf(
  endpoint: Endpoint,
  name: string,
  info: RuntimeInfo | undefined,
): Promise<DirectEndpoint | undefined> {
  if (info === undefined) {
    throw new BerthError('not_found', `There is no container ${name}.`);
  }
  const { sshPort, labels } = info;
  const isPublished =
    sshPort !== undefined && !publishesNothing(labels) && (await endpoint.target()) === localTarget;
  return isPublished ? { host: '127.0.0.1', port: sshPort } : undefined;
}

/** As it was made: no port of any machine leads into it. */
export function publishesNothing(labels: RuntimeInfo['labels']): boolean {
  return labels[label.network] === 'off' || labels[label.reach] === 'engine';
}
