/** Whether an engine is on this machine, so that what it publishes on loopback is reached from here. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { DockerTarget } from '../../../../api/rules/docker-host';

/**
 * By its address: ssh leads to another machine, a socket or pipe to this one, and TCP to this one where the address is
 * its own. A socket that is forwarded from another machine looks like one of this one: who finds its ports closed tells.
 */
export async function isElsewhere(target: DockerTarget): Promise<boolean> {
  if ('ssh' in target) {
    return true;
  }
  return 'host' in target && !(await isOwnAddress(target.host));
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
