/** The files of a volume through an agent (images/tools/agent). */
import { randomUUID } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import type { FileChange, FileEntry, FileList } from '../../../api/files/schemas';
import type { FoundDetails, Inventory, InventoryOptions, WantedDetails } from '../inventory';
import { maxNoted, type Kept } from '../kept';
import type { AgentAccess } from './access';
import { failWith, receiveTar, sendTar, unreadable, type TarRequest } from './archives';
import type { AgentChannel, Reply, RequestOptions } from './channel';
import { ChannelClosedError } from './errors';
import { follow } from './following';
import { askDetails, openInventory } from './inventory';
import {
  cursorOf,
  entriesOf,
  entryOf,
  failedOf,
  keptOf,
  lostOf,
  mergeOf,
  numberOf,
  textOf,
  usageOf,
  writtenOf,
} from './replies';
import { searchFields, textOfFiles } from './search';
import { firstChunk, readStream, takeFirst, writeStream } from './streams';
import { WrittenList } from '../../../api/files/written-list';
import { normalizePath, quote } from '../../../api/rules/volume-path';
import { push, type TakeChunk, type TarSource } from '../../tar/flow';
import type {
  CopyOptions,
  ListOptions,
  RemoveOptions,
  MergeResult,
  RenameOptions,
  PutTarOptions,
  TextOfFiles,
  TextQuery,
  TreeUsage,
  Unpacked,
  Unread,
  VolumeFiles,
  WriteOptions,
} from '../volume-files';
import { asError } from '../../machine/as-error';

/** Walks and copies of whole trees: as long as they get on, they may take their time. */
const treeTimeoutMs = 6 * 3_600_000;
/** For as many files as one message is about. */
const searchTimeoutMs = 10 * 60_000;
const tarBuffer = 2 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

export class AgentFiles implements VolumeFiles {
  /** From the first step of an upload or a move to its last the agent must stay the same one. */
  private readonly stages = new Map<string, () => void>();
  private readonly watches = new Set<() => void>();

  constructor(private readonly access: AgentAccess) {}

  get volume(): string {
    return this.access.volume;
  }

  async stat(path: string): Promise<FileEntry> {
    const { ok } = await this.again('stat', { path: normalizePath(path) });
    return entryOf(ok.entry);
  }

  async list(path: string, { isSentOn = false, ...page }: ListOptions = {}): Promise<FileList> {
    const written = isSentOn && this.access.writesLists === true;
    const fields = { path: normalizePath(path), ...page, ...(written && { written }) };
    const { ok, payload } = await this.again('list', fields);
    const next = ok.next === undefined ? undefined : cursorOf(ok.next, page.cursor);
    const head = {
      path: fields.path,
      total: numberOf(ok.total, 'a total'),
      ...(next !== undefined && { next }),
    };
    return written ? new WrittenList(head, payload) : { ...head, entries: entriesOf(ok.entries) };
  }

  async read(
    path: string,
    options: { offset?: number; length?: number } = {},
    signal?: AbortSignal,
  ): Promise<Readable> {
    const offset = options.offset ?? 0;
    const fields = { path: normalizePath(path), offset, length: options.length ?? null, chunk: firstChunk };
    const release = this.access.hold();
    try {
      const [channel, { ok, payload }] = await this.asked('read', fields, { signal });
      const handle = ok.handle === null ? undefined : numberOf(ok.handle, 'a handle');
      const opened = { first: payload, handle, left: numberOf(ok.left, 'a length') };
      return readStream(channel, opened, offset, release, signal);
    } catch (error) {
      release();
      throw error;
    }
  }

  async searchText(paths: readonly string[], query: TextQuery, signal?: AbortSignal): Promise<TextOfFiles> {
    const asked = paths.map((path) => normalizePath(path));
    const reply = await this.again('search', searchFields(asked, query), {
      signal,
      timeoutMs: searchTimeoutMs,
    });
    return textOfFiles(asked, reply);
  }

  async write(
    path: string,
    content: Readable | Buffer,
    options: WriteOptions,
    signal?: AbortSignal,
  ): Promise<FileEntry> {
    const normal = normalizePath(path);
    const source = Buffer.isBuffer(content) ? Readable.from([content], { objectMode: false }) : content;
    const release = this.access.hold();
    try {
      const { first, rest } = await takeFirst(source, firstChunk);
      if (rest !== undefined) {
        const channel = await this.access.channel();
        return await writeStream(channel, normal, first, rest, options, signal);
      }
      const ask = options.overwrite ? this.again.bind(this) : this.once.bind(this);
      const { ok } = await ask('write', { path: normal, ...options }, { payload: first, signal });
      return writtenOf(ok);
    } finally {
      source.destroy();
      release();
    }
  }

  async mkdir(path: string, options: { parents?: boolean } = {}): Promise<FileEntry> {
    const { ok } = await this.once('mkdir', { path: normalizePath(path), ...options });
    return entryOf(ok.entry);
  }

  /** Renames, or copies and removes where two mounts are between. Throws `not_supported` where a copy is not wanted. */
  async rename(from: string, to: string, options: RenameOptions): Promise<FileEntry> {
    const { overwrite, mayCopy = true } = options;
    const fields = { from: normalizePath(from), to: normalizePath(to), overwrite };
    const renamed = await this.once('rename', fields);
    if (renamed.ok.elsewhere !== true) {
      return entryOf(renamed.ok.entry);
    }
    if (!mayCopy) {
      throw new BerthError('not_supported', `Something else is mounted at ${quote(fields.to)}.`, {
        hint: 'Copy it, then remove the original.',
      });
    }
    const { ok } = await this.once('move', fields, { timeoutMs: treeTimeoutMs });
    return entryOf(ok.entry);
  }

  async copy(from: string, to: string, options: CopyOptions, signal?: AbortSignal): Promise<FileEntry> {
    const { overwrite, note } = options;
    const { ok } = await this.once(
      'copy',
      { from: normalizePath(from), to: normalizePath(to), overwrite, note },
      { signal, timeoutMs: treeTimeoutMs, progress: options.progress },
    );
    failedOf(ok.failed).forEach((each) => options.unread?.(each.path, each.reason));
    for (const loss of lostOf(ok.lost ?? [])) {
      options.lost?.(loss);
    }
    return entryOf(ok.entry);
  }

  async remove(path: string, options: RemoveOptions, signal?: AbortSignal): Promise<void> {
    const { recursive, progress } = options;
    const fields = { path: normalizePath(path), recursive };
    const { ok } = await this.once('remove', fields, { signal, timeoutMs: treeTimeoutMs, progress });
    progress?.(numberOf(ok.removed, 'removed'));
  }

  async chmod(path: string, mode: number): Promise<FileEntry> {
    const { ok } = await this.again('chmod', { path: normalizePath(path), mode });
    return entryOf(ok.entry);
  }

  inventory(path: string, options: InventoryOptions, signal?: AbortSignal): Promise<Inventory> {
    return openInventory(this.access, path, options, signal);
  }

  async details(files: readonly WantedDetails[], signal?: AbortSignal): Promise<FoundDetails[]> {
    const release = this.access.hold();
    try {
      return await askDetails(await this.access.channel(), files, signal);
    } finally {
      release();
    }
  }

  async usage(path: string, signal?: AbortSignal): Promise<TreeUsage> {
    const options = { signal, timeoutMs: treeTimeoutMs };
    const { ok } = await this.again('usage', { path: normalizePath(path) }, options);
    return usageOf(ok);
  }

  async watch(
    path: string,
    options: { recursive: boolean },
    listener: (changes: FileChange[]) => void,
  ): Promise<() => void> {
    const release = this.access.hold();
    const watching = new AbortController();
    const stop = (): void => {
      if (!watching.signal.aborted) {
        watching.abort();
        this.watches.delete(stop);
        release();
      }
    };
    this.watches.add(stop);
    try {
      await follow(this.access, normalizePath(path), options.recursive, listener, watching.signal, stop);
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  async getTar(path: string, signal?: AbortSignal, unread?: Unread, note?: string): Promise<Readable> {
    const source = await this.realPath(path, signal);
    const stream = new PassThrough({ highWaterMark: tarBuffer });
    const gone = new AbortController();
    stream.once('close', () => gone.abort());
    const take = (chunk: Buffer): Promise<void> | undefined => push(stream, Buffer.from(chunk));
    const ended = signal === undefined ? gone.signal : AbortSignal.any([signal, gone.signal]);
    const notes = { unread: unread ?? failWith(stream), leftOut: unread, note };
    this.receive({ path: source, signal: ended, ...notes }, take).then(
      () => stream.end(),
      (error: unknown) => stream.destroy(asError(error)),
    );
    return stream;
  }

  /** A tar of a file or folder, in chunks. Throws what could not be read, where nobody notes it (`unread`). */
  async receiveTar(
    path: string,
    take: TakeChunk,
    signal?: AbortSignal,
    unread?: Unread,
    note?: string,
  ): Promise<void> {
    const source = await this.realPath(path, signal);
    const missing: string[] = [];
    const noteUnread =
      unread ?? ((file: string, reason: string) => void missing.push(`${quote(file)}: ${reason}`));
    await this.receive({ path: source, signal, unread: noteUnread, leftOut: unread, note }, take);
    if (missing[0] !== undefined) {
      throw unreadable(missing[0]);
    }
  }

  async noteCopied(): Promise<string> {
    const note = randomUUID();
    this.stages.set(note, this.access.hold());
    try {
      await this.once('note_copied', { note, max: maxNoted });
      return note;
    } catch (error) {
      this.releaseStage(note);
      throw error;
    }
  }

  async removeCopied(note: string, path: string): Promise<Kept[]> {
    const fields = { note, path: normalizePath(path) };
    const { ok } = await this.once('remove_copied', fields, { timeoutMs: treeTimeoutMs });
    return keptOf(ok.kept);
  }

  async forgetCopied(note: string): Promise<void> {
    await this.once('forget_copied', { note }).catch(() => undefined);
    this.releaseStage(note);
  }

  async stage(): Promise<string> {
    const release = this.access.hold();
    try {
      const { ok } = await this.again('stage', {});
      const stage = textOf(ok.stage, 'a stage');
      this.stages.set(stage, release);
      return stage;
    } catch (error) {
      release();
      throw error;
    }
  }

  async putTar(
    stage: string,
    tar: Readable | TarSource,
    signal?: AbortSignal,
    options?: PutTarOptions,
  ): Promise<Unpacked> {
    const release = this.access.hold();
    try {
      return await sendTar(await this.access.channel(), stage, tar, signal, options);
    } finally {
      release();
    }
  }

  get putBulk(): VolumeFiles['putBulk'] {
    const { bulk } = this.access;
    return bulk && { minBytes: bulk.minBytes, put: (...args) => bulk.write(...args) };
  }

  async merge(...[stage, target, policy, options]: Parameters<VolumeFiles['merge']>): Promise<MergeResult> {
    try {
      const fields = { stage, target: normalizePath(target), policy, ...options };
      const { ok } = await this.once('merge', fields, { timeoutMs: treeTimeoutMs });
      return mergeOf(ok);
    } finally {
      this.releaseStage(stage);
    }
  }

  async unstage(stage: string): Promise<void> {
    try {
      await this.once('unstage', { stage }, { timeoutMs: treeTimeoutMs });
    } catch (error) {
      // Gone with its agent, or merged: the next agent sweeps what may be left.
      if (!(error instanceof BerthError) || !['gone', 'runtime_unavailable'].includes(error.code)) {
        throw error;
      }
    } finally {
      this.releaseStage(stage);
    }
  }

  /** Ends what this object holds; the agent stays for others. */
  close(): Promise<void> {
    for (const release of [...this.watches, ...this.stages.values()]) {
      release();
    }
    this.stages.clear();
    return Promise.resolve();
  }

  private async realPath(path: string, signal?: AbortSignal): Promise<string> {
    const { ok } = await this.again('real', { path: normalizePath(path) }, { signal });
    return textOf(ok.real, 'a path');
  }

  private async receive(request: TarRequest, take: TakeChunk): Promise<void> {
    const release = this.access.hold();
    try {
      await receiveTar(await this.access.channel(), { ...request, bulk: this.access.bulk }, take);
    } finally {
      release();
    }
  }

  private releaseStage(stage: string): void {
    this.stages.get(stage)?.();
    this.stages.delete(stage);
  }

  private async once(op: string, fields: Fields, options: RequestOptions = {}): Promise<Reply> {
    const release = this.access.hold();
    try {
      const channel = await this.access.channel();
      return await channel.request(op, fields, options);
    } finally {
      release();
    }
  }

  /** For what may be done twice: asks a new agent when the old one goes before it answers. */
  private async again(op: string, fields: Fields, options: RequestOptions = {}): Promise<Reply> {
    const [, reply] = await this.asked(op, fields, options);
    return reply;
  }

  private async asked(op: string, fields: Fields, options: RequestOptions): Promise<[AgentChannel, Reply]> {
    const release = this.access.hold();
    try {
      const channel = await this.access.channel();
      return [channel, await channel.request(op, fields, options)];
    } catch (error) {
      if (!(error instanceof ChannelClosedError)) {
        throw error;
      }
      const channel = await this.access.channel();
      return [channel, await channel.request(op, fields, options)];
    } finally {
      release();
    }
  }
}
