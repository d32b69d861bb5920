/** One volume and the agent that reads and writes it: what the shared cases of `agentKeepsProtocol` ask of either agent. */
import { pack, type Header } from 'tar-stream';
import { Readable } from 'node:stream';
import assert from 'node:assert/strict';
import type { AgentAccess } from '../../../../src/backend/files/agent/access';
import type { AgentFiles } from '../../../../src/backend/files/agent/agent-files';
import { needsRoot } from '../../skip';

export interface Room {
  readonly files: AgentFiles;
  readonly access: AgentAccess;
  /** Files may belong to others than who runs the tests. */
  readonly givesOwners: boolean;
  /** Makes a device (character, 1:3). False where this machine's user may make none. */
  makeDevice: (path: string) => Promise<boolean>;
  /** Sets an extended attribute as another program would. */
  setAttribute: (path: string, name: string, value: string) => Promise<void>;
  /** Ends the agent in order. The next request has a new one, which finds what is on the disk. */
  restart: () => Promise<void>;
  /** Ends the agent in the middle of its work. */
  kill: () => Promise<void>;
  /** Checks that the volume is sound, and removes it. */
  end: () => Promise<void>;
}

export interface Rooms {
  make: () => Promise<Room>;
}

export type Member = [Partial<Header> & { name: string }, (string | Buffer)?];

export function tarOf(members: readonly Member[]): Readable {
  const archive = pack();
  for (const [header, content] of members) {
    archive.entry(header, content ?? '');
  }
  archive.finalize();
  return Readable.from(archive, { objectMode: false });
}

export async function bytesOf(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) {
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

export const anew = { create: true, overwrite: false };
export const over = { create: true, overwrite: true };

/** The room of the test that runs, and short words for what tests do there. */
export class Case {
  private current: Room | undefined;

  /** Makes a room for each test of the surrounding `describe`. */
  constructor(rooms: Rooms) {
    beforeEach(async () => {
      this.current = await rooms.make();
    });
    afterEach(async () => {
      const { current } = this;
      this.current = undefined;
      await current?.end();
    });
  }

  get room(): Room {
    return this.current ?? assert.fail('no test runs');
  }

  get files(): AgentFiles {
    return this.room.files;
  }

  /** For a test whose subject is to whom files belong. */
  needsOwners(context: Mocha.Context): void {
    if (!this.room.givesOwners) needsRoot(context, 'gives files to others');
  }

  async text(path: string): Promise<string> {
    return (await bytesOf(await this.files.read(path))).toString();
  }

  async save(path: string, content: string | Buffer): Promise<void> {
    await this.files.write(path, Buffer.from(content), over);
  }

  async names(path = '/'): Promise<string[]> {
    return (await this.files.list(path)).entries.map(({ name }) => name);
  }

  async stage(members: readonly Member[]): Promise<string> {
    const stage = await this.files.stage();
    const { failed } = await this.files.putTar(stage, tarOf(members), undefined, { keepRights: true });
    assert.deepEqual(failed, []);
    return stage;
  }

  /** Puts files of any kind, owner and mode into a folder. */
  async put(folder: string, members: readonly Member[]): Promise<void> {
    const { failed } = await this.files.merge(await this.stage(members), folder, 'overwrite');
    assert.deepEqual(failed, []);
  }

  /** Asks the agent by itself. */
  async ask(op: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
    const channel = await this.room.access.channel();
    return { ...(await channel.request(op, fields)).ok };
  }
}
