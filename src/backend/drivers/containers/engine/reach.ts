/** On which machine an engine is: what it publishes on loopback is reached from here only where that is this one. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { DockerTarget } from '../../../../api/rules/docker-host';
import { localTarget } from '../../../../api/rules/runtimes';

/**
 * `local`, or the name of the machine in its address: ssh leads to another machine, a socket or pipe to this one, and
 * TCP to this one where the address is its own. A socket that is forwarded from another machine looks like one of this.
 */
export async function machineOf(target: DockerTarget): Promise<string> {
  if ('ssh' in target) {
    return otherMachine(target.ssh.host);
  }
  const isLocal = 'socketPath' in target || (await isOwnAddress(target.host));
  return isLocal ? localTarget : otherMachine(target.host);
}

/** A machine that has the name which means this one is told by its full name. */
export function otherMachine(name: string): string {
  return name === localTarget ? `${name}.` : name;
}

/** Of loopback, or of a network interface of this machine. Of a name all addresses must be. */
async function isOwnAddress(host: string): Promise<boolean> {
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)),
  );
  try {
    const found = isIP(host) === 0 ? await lookup(host, { all: true }) : [{ address: host }];
    return found.every(({ address }) => isLoopback(address) || own.has(address));
  } catch {
    return false;
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address === '0.0.0.0';
}
