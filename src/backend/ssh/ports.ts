/**
 * The ledger of ssh ports: lowest free first, kept by a workspace while it is stopped. A port counts as free
 * when nobody of ours has it and nobody listens on it, on loopback or on all addresses.
 */
import { createServer } from 'node:net';
import { BerthError } from '../../api/errors';

export interface PortRange {
  first: number;
  last: number;
}

export const defaultPortRange: PortRange = { first: 2200, last: 2400 };

/** Of a machine without IPv6. */
const absent = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(absent.has(error.code ?? '')));
    server.listen({ port, host, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

/** Nobody listens on it now, also not where `localhost` leads first on many machines. */
export async function isFree(port: number): Promise<boolean> {
  return (
    (await canListen(port, '0.0.0.0')) &&
    (await canListen(port, '127.0.0.1')) &&
    (await canListen(port, '::1'))
  );
}

export class PortLedger {
  private readonly owners = new Map<number, string>();
  private searching: Promise<unknown> = Promise.resolve();

  constructor(private readonly range: () => PortRange) {}

  /** Notes a port of a record, at start. */
  reserve(port: number, owner: string): void {
    this.owners.set(port, owner);
  }

  ownerOf(port: number): string | undefined {
    return this.owners.get(port);
  }

  release(owner: string): void {
    for (const [port, name] of this.owners) {
      if (name === owner) {
        this.owners.delete(port);
      }
    }
  }

  releasePort(port: number, owner: string): void {
    if (this.owners.get(port) === owner) {
      this.owners.delete(port);
    }
  }

  /** Reserves the lowest free port for `owner`. One search at a time, so that two never get the same. */
  assign(owner: string): Promise<number> {
    const search = this.searching.then(() => this.search(owner));
    this.searching = search.catch(() => undefined);
    return search;
  }

  private async search(owner: string): Promise<number> {
    const { first, last } = this.range();
    for (let port = first; port <= last; port += 1) {
      if (!this.owners.has(port) && (await isFree(port))) {
        this.owners.set(port, owner);
        return port;
      }
    }
    throw new BerthError('capacity', `No available port in range ${first}-${last}.`, {
      hint: 'Delete workspaces that you no longer need, or widen the port range in the settings.',
    });
  }
}
