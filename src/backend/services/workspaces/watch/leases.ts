/**
 * Temporary workspaces live as long as the client that made them holds their lease: a connection, which also a
 * client that was killed lets go of. Nothing else is ever deleted here.
 */
import type { Clock } from '../../../machine/clock';
import type { Log } from '../../../machine/log';
import type { WorkspaceRegistry } from '../registry';

/** So long a client has to come back: after an engine that ended, or before it held one at all. */
export const leaseGraceMs = 10_000;
const maxRetryMs = 300_000;
/** A timer this late says that nobody could be heard meanwhile: the machine slept, or the process stood still. */
const lateMs = 2_000;

export interface LeasesDeps {
  registry: WorkspaceRegistry;
  clock: Clock;
  log: Log;
  /** Deletes it with its volumes; resolves when that has ended, well or not. */
  remove: (workspace: string) => Promise<void>;
}

export class Leases {
  private readonly holders = new Map<string, Set<symbol>>();
  private readonly waiting = new Map<string, () => void>();
  private readonly removing = new Set<string>();
  /** How often a delete was tried. */
  private readonly tries = new Map<string, number>();
  private isListening = false;

  constructor(private readonly deps: LeasesDeps) {}

  /** Some workspace is to be deleted soon: the engine must stay. */
  get isWaiting(): boolean {
    return this.waiting.size > 0;
  }

  /** To be called when clients can be heard: those of an earlier engine come back now. */
  listen(): void {
    this.isListening = true;
    this.deps.registry.all().forEach(({ name }) => this.look(name));
  }

  /** A client is there for it, until the answer is called. */
  hold(name: string): () => void {
    const token = Symbol(name);
    const holders = this.holders.get(name) ?? new Set();
    this.holders.set(name, holders.add(token));
    this.tries.delete(name);
    this.look(name);
    return () => {
      holders.delete(token);
      this.look(name);
    };
  }

  /** To be called when a workspace changed, or is gone. */
  look(name: string): void {
    if (this.deps.registry.find(name) === undefined) {
      this.forget(name);
    } else if (!this.isAbandoned(name)) {
      this.cancel(name);
    } else if (this.isListening && !this.waiting.has(name)) {
      this.wait(name);
    }
  }

  close(): void {
    this.isListening = false;
    [...this.waiting.keys()].forEach((name) => this.cancel(name));
  }

  private isAbandoned(name: string): boolean {
    const record = this.deps.registry.find(name);
    const isHeld = (this.holders.get(name)?.size ?? 0) > 0;
    return record?.temporary === true && record.state !== 'deleting' && !isHeld && !this.removing.has(name);
  }

  private wait(name: string): void {
    const { clock } = this.deps;
    const ms = Math.min(leaseGraceMs * 2 ** (this.tries.get(name) ?? 0), maxRetryMs);
    const due = clock.monotonic() + ms;
    const cancel = clock.after(ms, async () => {
      this.waiting.delete(name);
      if (clock.monotonic() - due > lateMs) {
        this.look(name);
      } else if (this.isAbandoned(name)) {
        await this.remove(name);
      }
    });
    this.waiting.set(name, cancel);
  }

  private async remove(name: string): Promise<void> {
    const { log, remove } = this.deps;
    log.info({ workspace: name }, 'temporary workspace deleted: its client is gone');
    this.tries.set(name, (this.tries.get(name) ?? 0) + 1);
    this.removing.add(name);
    try {
      await remove(name);
    } catch (error) {
      log.warn({ err: error, workspace: name }, 'temporary workspace not deleted: tried again later');
    } finally {
      this.removing.delete(name);
      this.look(name);
    }
  }

  private cancel(name: string): void {
    this.waiting.get(name)?.();
    this.waiting.delete(name);
  }

  private forget(name: string): void {
    this.cancel(name);
    this.holders.delete(name);
    this.tries.delete(name);
  }
}
