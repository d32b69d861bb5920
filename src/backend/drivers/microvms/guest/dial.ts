/** Connections into a guest: through a port of this machine where one is forwarded, else by a command inside. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { sshPortInside } from '../../../inside/places';
import { relayCommand } from '../../../inside/relay';
import type { DirectEndpoint, RuntimePlan } from '../../driver';
import type { Machine } from '../machines/machine';
import { quotedCommand } from './exec';

/** QEMU forwards all ports of a machine on loopback. */
export function directEndpointOf({ sshPort }: Pick<RuntimePlan, 'sshPort'>): DirectEndpoint {
  return { host: '127.0.0.1', port: sshPort };
}

/** Throws `runtime_unavailable` where QEMU does not take the connection. */
export async function dialMachine(
  { ssh, name }: Pick<Machine, 'ssh' | 'name'>,
  plan: Pick<RuntimePlan, 'sshPort' | 'ports'>,
  port: number,
): Promise<Duplex> {
  const { host, port: sshPort } = directEndpointOf(plan);
  const forwarded = port === sshPortInside ? sshPort : plan.ports?.find(({ guest }) => guest === port)?.host;
  if (forwarded === undefined) {
    const { channel } = await ssh.run(quotedCommand(relayCommand(port)), {});
    channel.stderr.resume();
    return channel;
  }
  const socket = connect({ host, port: forwarded, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
  } catch (cause) {
    throw new BerthError(
      'runtime_unavailable',
      `Port ${port} of ${name} can't be reached: ${String(cause)}`,
      {
        hint: 'Restart the workspace.',
        cause,
      },
    );
  }
  return socket;
}
