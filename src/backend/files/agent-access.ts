import type { Readable } from 'node:stream';
import type { AgentChannel } from './agent-channel';
import type { TakeChunk, TarSource } from './tar-flow';

/** How `AgentFiles` reaches a volume: the driver's part. */
export interface AgentAccess {
  readonly volume: string;
  /** A living channel to the agent, opened when there is none. */
  channel(): Promise<AgentChannel>;
  /** Keeps it open until the returned function is called. */
  hold(): () => void;
  /** A tar of a path without links, its entries named from the base name (`.` for the root). */
  getTar(path: string, signal?: AbortSignal): Promise<Readable>;
  /** The same in chunks; without it, `getTar` is read. */
  receiveTar?(path: string, take: TakeChunk, signal?: AbortSignal): Promise<void>;
  /** Unpacks a tar into a folder. */
  putTar(folder: string, tar: Readable | TarSource, signal?: AbortSignal): Promise<void>;
}
