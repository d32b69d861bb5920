import type { AgentChannel } from './channel';
import type { TakeChunk, TarSource } from '../../tar/flow';

/** How `AgentFiles` reaches a volume: the driver's part. */
export interface AgentAccess {
  readonly volume: string;
  /** Its agent runs in the engine itself, and answers lists as JSON that can be sent on unread. */
  readonly writesLists?: boolean;
  /** What is in it was noted when it was made, beside it, with the digest of each file: see images/tools/agent/manifest.py. */
  readonly hasManifest?: boolean;
  /** A living channel to the agent, opened when there is none. */
  channel(): Promise<AgentChannel>;
  /** Keeps it open until the returned function is called. */
  hold(): () => void;
  /** For drivers that have a way for many bytes which is faster than the channel. */
  readonly bulk?: BulkAccess;
}

/** Carries the content of files that are large, hold no holes and have no attributes: what is simple. */
export interface BulkAccess {
  /** A smaller file is sooner there through the channel. */
  readonly minBytes: number;
  /** The tar of one file. Fails with `not_found` when it is not there. */
  read(path: string, take: TakeChunk, signal?: AbortSignal): Promise<void>;
  /** Unpacks a tar of such files into a folder; the folders in between are made. */
  write(folder: string, tar: TarSource, signal?: AbortSignal): Promise<void>;
}
