/** Ways to the TCP ports of a runtime, on whatever machine it is. Any number at once, while it runs. */
import type { Duplex } from 'node:stream';

/** An address of this machine that leads straight into a runtime, with no process of ours in between. */
export interface DirectEndpoint {
  host: string;
  /** Of sshd. Published ports are reached at the same host, by the numbers of the plan. */
  port: number;
}

export interface Connections {
  /**
   * Opens a byte stream to a TCP port of a running runtime, on whatever machine it is; 22 is sshd. Ending one direction
   * leaves the other open; destroying the stream closes the connection. Where nobody listens the stream ends at once.
   * Throws `not_found` and `illegal_state`.
   */
  dial(name: string, port: number): Promise<Duplex>;
  /**
   * Where this machine reaches sshd and the published ports of a runtime without the engine; undefined where only `dial`
   * leads there. Throws `not_found`.
   */
  directEndpoint(name: string): Promise<DirectEndpoint | undefined>;
  /** Connections to its SSH and ports go through this process now, and break when it ends. Asks nobody. */
  carries(name: string): boolean;
}
