/**
 * Answers requests about the files of one image: the protocol of images/tools/agent/main.py, so that the engine's side
 * is the same for both. It knows four kinds more, for archives: `tar_open`, `tar_next`, `untar_open`, `untar`.
 */
import { type Frame } from '../../agent/frames';
import { DiskError, errorReply } from '../../../ext4/disk-error';
import type { Range } from '../../../ext4/punch-holes';
import type { Ext4 } from '../../../ext4/file-system';
import { type Answer, Content, Handles } from './content';
import { Notes } from './copied';
import { type Fields, list, real, stat, writtenList } from './entries';
import { details, DiskInventory } from './inventory';
import { Volume } from './places';
import { search } from './search';
import { Spares } from './spares';
import { Stages } from './stages';
import { TarIn } from './tar-in';
import { TarOut } from './tar-out';
import { chmod, mkdir, remove, rename, usage } from './trees';
import { Watches } from './watches';
import { finish, Job, type Work } from './work';

export type Send = (head: Readonly<Record<string, unknown>>, payload?: Buffer) => void;
type Quick = (request: Fields, payload: Buffer, job: Job) => Answer;
type Slow = (request: Fields, job: Job) => Work<Answer>;

/** How long jobs may take to notice that it is over. */
const graceMs = 5000;

export class DiskAgent {
  private readonly jobs = new Map<number, { job: Job; ended: Promise<void> }>();
  private readonly spares: Spares;
  private readonly content: Content;
  private readonly stages: Stages;
  private readonly watches = new Watches();
  private readonly notes = new Notes();
  private readonly inventories = new Handles<DiskInventory>();
  private readonly tars = new Handles<TarOut | TarIn>();
  private readonly quick: Readonly<Record<string, Quick>>;
  private readonly slow: Readonly<Record<string, Slow>>;

  constructor(
    private readonly fs: Ext4,
    private readonly send: Send,
    { isRootDisk = false, spares = new Spares() } = {},
  ) {
    this.spares = spares;
    const volume = new Volume(fs, isRootDisk);
    const content = (this.content = new Content(volume));
    const stages = (this.stages = new Stages(volume));
    const { watches, notes } = this;
    const { notify } = watches;
    this.quick = {
      stat: (request) => stat(volume, request),
      real: (request) => real(volume, request),
      list: (request) => (request.written === true ? writtenList(volume, request) : list(volume, request)),
      read: (request) => content.read(request),
      pread: (request) => content.pread(request),
      close: (request) => content.close(request),
      write: (request, payload) => content.write(request, payload, notify),
      open_write: (request) => content.openWrite(request),
      pwrite: (request, payload) => content.pwrite(request, payload),
      commit: (request) => content.commit(request, notify),
      mkdir: (request) => mkdir(volume, request, notify),
      rename: (request) => rename(volume, request, notify),
      chmod: (request) => chmod(volume, request, notify),
      watch: (request, _payload, job) => watches.watch(volume, request, job),
      unwatch: (request) => watches.unwatch(request),
      note_copied: (request) => notes.noteCopied(request),
      forget_copied: (request) => notes.forgetCopied(request),
      inventory_open: (request) => this.openInventory(volume, request),
      inventory_close: ({ handle }) => {
        this.inventories.take(handle);
        return {};
      },
      ...this.archives(volume),
    };
    this.slow = {
      copy: (request, job) => stages.copy(request, job, notify, notes.of(request)),
      remove: (request, job) => remove(volume, request, notify, job),
      remove_copied: (request, job) => notes.removeCopied(volume, request, notify, job),
      usage: (request) => usage(volume, request),
      search: (request) => search(volume, request),
      inventory_next: ({ handle }) => this.inventories.get(handle).next(),
      details: (request) => details(volume, request),
      stage: () => stages.stage(),
      unstage: (request) => stages.unstage(request),
      merge: (request) => stages.merge(request, notify),
      sweep: () => stages.sweep(),
    };
  }

  /** How many requests are not answered yet. */
  get busy(): number {
    return this.jobs.size;
  }

  receive({ head, payload }: Frame): void {
    const { id, op } = head;
    if (typeof id !== 'number' || typeof op !== 'string') {
      return;
    }
    if (op === 'cancel') {
      this.jobs.get(id)?.job.cancel();
      return;
    }
    const job = new Job(id, this.send);
    this.settleArchives(op, head.handle);
    const slow = this.slow[op];
    if (slow === undefined) {
      this.answer(job, head, () => this.do(op, head, payload, job));
      return;
    }
    const ended = this.run(slow, head, job).finally(() => this.jobs.delete(id));
    this.jobs.set(id, { job, ended });
  }

  /** Ends what is under way, leaves nothing behind, and closes the image. Answers what of it may become holes. */
  async end(): Promise<Range[]> {
    this.settleArchives('end');
    for (const { job } of this.jobs.values()) {
      job.cancel();
    }
    const jobs = Promise.all([...this.jobs.values()].map(({ ended }) => ended));
    await Promise.race([jobs, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    this.watches.end();
    this.content.closeAll();
    for (const tar of this.tars.all) {
      tar.close();
    }
    try {
      await finish(this.stages.close(), new Job(0, () => undefined));
    } catch (error) {
      this.fs.close();
      throw error;
    }
    return this.fs.close();
  }

  private do(op: string, request: Fields, payload: Buffer, job: Job): Answer {
    const quick = this.quick[op];
    if (quick === undefined) {
      throw new DiskError('internal', `there is no ${op}`);
    }
    return quick(request, payload, job);
  }

  private async run(slow: Slow, request: Fields, job: Job): Promise<void> {
    try {
      this.reply(job, await finish(slow(request, job), job));
    } catch (error) {
      this.fail(job, request, error);
    }
  }

  private answer(job: Job, request: Fields, run: () => Answer): void {
    try {
      this.reply(job, run());
    } catch (error) {
      this.fail(job, request, error);
    }
  }

  /** An archive that comes alone is committed in large parts: nobody else may find one of them open. */
  private settleArchives(op: string, handle?: unknown): void {
    const isOwn = op === 'untar' || op === 'untar_end';
    for (const [number, tar] of this.tars.open) {
      if (tar instanceof TarIn && !(isOwn && number === handle)) {
        tar.settle();
      }
    }
  }

  private reply(job: Job, answer: Answer): void {
    const [ok, payload] = isPair(answer) ? answer : [answer];
    this.send({ id: job.id, ok }, payload);
  }

  private fail(job: Job, request: Fields, error: unknown): void {
    const path = request.path ?? request.from ?? request.target ?? request.folder;
    this.send({ id: job.id, error: errorReply(error, path) });
  }

  private openInventory(volume: Volume, request: Fields): Fields {
    const inventory = new DiskInventory(volume, request);
    return { handle: this.inventories.add(inventory), root: inventory.root, real: inventory.real };
  }

  private archives(volume: Volume): Readonly<Record<string, Quick>> {
    const { tars, fs, notes } = this;
    return {
      tar_open: (request) => ({
        handle: tars.add(new TarOut(fs, volume, request, notes.of(request), this.spares)),
      }),
      tar_next: ({ handle }) => {
        const tar = tars.get(handle);
        const chunk = tar instanceof TarOut ? tar.next() : Buffer.alloc(0);
        const { failed, leftOut } = tar instanceof TarOut ? tar : { failed: [], leftOut: [] };
        return [chunk.length === 0 ? { end: true, failed, left_out: leftOut } : {}, chunk];
      },
      untar_open: (request) => ({ handle: tars.add(new TarIn(fs, volume, request)) }),
      untar: ({ handle }, payload) => {
        const tar = tars.get(handle);
        if (tar instanceof TarIn) {
          tar.push(payload, this.jobs.size === 0);
        }
        return {};
      },
      untar_end: ({ handle }) => {
        const tar = tars.get(handle);
        tars.take(handle);
        if (tar instanceof TarIn) {
          tar.end();
          return { lost: tar.losses.rows(), failed: tar.failed };
        }
        return { lost: [], failed: [] };
      },
      tar_close: ({ handle }) => {
        tars.take(handle)?.close();
        return {};
      },
    };
  }
}

function isPair(answer: Answer): answer is readonly [Fields, Buffer] {
  return Array.isArray(answer);
}
