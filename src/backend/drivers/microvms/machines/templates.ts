/**
 * Machines saved at the moment at which they have booted and do not know yet whose they are: starting from one spares
 * the boot. One serves every image, as no disk of a workspace is mounted then. Made in the background; one that is
 * stale has another key, one that is damaged, or whose guest does not live, is thrown away and made anew. They are kept in the cache, where other
 * state directories find them as well.
 */
import { createHash } from 'node:crypto';
import { mkdir, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { isErrno, namesIn, readIfPresent, removeTree } from '../../../machine/files';
import { moveFile } from '../../../machine/whole-file';
import { identityOf } from '../../../machine/process-identity';
import type { Log } from '../../../machine/log';
import { ControlPort } from '../guest/control-port';
import type { Host } from './host';
import { launch, type Launched } from './launch';
import type { MachinePlan } from '../qemu/command-line';
import { isMachine } from '../qemu/identity';
import { killProcess } from '../qemu/process';
import { checksumOf, isIntact, saveState } from '../qemu/saved-state';
import type { MicrovmFiles, RuntimeFiles } from '../runtimes/runtime-files';
import type { Launch } from '../runtimes/runtime-record';

/** Raised whenever the command line of machines changes what they consist of. */
const shapeVersion = 2;
/** Each is as large as the memory that a booted guest has touched. */
const maxTemplates = 6;
const ending = '.state';
const bootTimeoutMs = 120_000;
const saveTimeoutMs = 60_000;
/** One that was made anew and does not live either: this machine has no use for templates of that kind. */
const maxDiscards = 2;
/** Users' machines go first. */
const niceness = 10;

export interface TemplatesOptions {
  host: Host;
  files: MicrovmFiles;
  log: Log;
}

export class Templates {
  private readonly ending = new AbortController();
  private readonly failed = new Set<string>();
  private readonly discards = new Map<string, number>();
  /** States that were read and found whole, as they lay then. */
  private readonly intact = new Set<string>();
  private making: Promise<void> = Promise.resolve();
  private readonly queued = new Set<string>();
  private swept: Promise<void> | undefined;

  constructor(private readonly options: TemplatesOptions) {}

  /** The saved state that a machine of this kind starts from, when there is one. */
  async find(wanted: Launch): Promise<string | undefined> {
    const key = templateKey(wanted);
    const state = this.stateOf(key);
    try {
      // Used now; the state itself stays untouched, as its times tell whether it is the one that was checked.
      await utimes(checksumOf(state), new Date(), new Date());
      if (await this.isIntact(state)) {
        return state;
      }
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
        return undefined;
      }
      throw error;
    }
    this.options.log.warn({ key }, 'a template is damaged: it is made anew');
    await this.remove(key);
    return undefined;
  }

  /** Makes one in the background, unless it is there, or could not be made before. */
  make(wanted: Launch): void {
    const key = templateKey(wanted);
    if (this.queued.has(key) || this.failed.has(key) || this.ending.signal.aborted) {
      return;
    }
    this.queued.add(key);
    this.making = this.making
      .then(() => this.makeNow(key, wanted))
      .catch((error: unknown) => {
        this.failed.add(key);
        if (!this.ending.signal.aborted) {
          this.options.log.warn({ key, error: String(error) }, 'no template was made');
        }
      })
      .finally(() => this.queued.delete(key));
  }

  /** For one that did not start, or whose guest does not live. */
  async discard(wanted: Launch): Promise<void> {
    const key = templateKey(wanted);
    const count = (this.discards.get(key) ?? 0) + 1;
    this.discards.set(key, count);
    if (count >= maxDiscards) {
      this.failed.add(key);
    }
    await this.remove(key);
  }

  /** Once: ends what a killed engine left booting. */
  tidy(): Promise<void> {
    this.swept ??= this.sweep().catch((error: unknown) => {
      this.options.log.warn({ error: String(error) }, 'what an earlier engine left was not tidied up');
    });
    return this.swept;
  }

  /** Resolves when nothing is being made. */
  settled(): Promise<void> {
    return this.making;
  }

  async close(): Promise<void> {
    this.ending.abort();
    await this.making;
  }

  /** Reads all of it, the first time. */
  private async isIntact(state: string): Promise<boolean> {
    const { ino, size, mtimeNs } = await stat(state, { bigint: true });
    const identity = [state, ino, size, mtimeNs].join(' ');
    if (!this.intact.has(identity)) {
      if (!(await isIntact(state))) {
        return false;
      }
      this.intact.add(identity);
    }
    return true;
  }

  private async remove(key: string): Promise<void> {
    const state = this.stateOf(key);
    await Promise.all([state, checksumOf(state)].map((path) => rm(path, { force: true })));
  }

  private stateOf(key: string): string {
    return join(this.options.files.templates, key + ending);
  }

  private draftOf(key: string): RuntimeFiles {
    return this.options.files.inFolder(join(this.options.files.drafts, key));
  }

  private async makeNow(key: string, wanted: Launch): Promise<void> {
    await this.tidy();
    if (this.ending.signal.aborted || (await this.find(wanted)) !== undefined) {
      return;
    }
    const { host, files: all, log } = this.options;
    const { programs } = await host.tools();
    const draft = this.draftOf(key);
    await mkdir(draft.folder, { recursive: true, mode: 0o700 });
    await all.ensureSocketFolder(draft.folder);
    const started = performance.now();
    try {
      const plan = templatePlan(key, wanted, draft, host.architecture);
      const launched = await launch(programs, plan, draft);
      try {
        await this.bootAndSave(launched, draft);
      } finally {
        launched.qmp.close();
        await killProcess(launched.process.identity);
      }
      await mkdir(all.templates, { recursive: true, mode: 0o700 });
      await moveFile(checksumOf(draft.state), checksumOf(this.stateOf(key)));
      await moveFile(draft.state, this.stateOf(key));
      log.info({ key, ms: Math.round(performance.now() - started) }, 'template of microVMs made');
    } finally {
      await this.forgetDraft(draft);
    }
    await this.prune(key);
  }

  private async bootAndSave({ process, qmp }: Launched, files: RuntimeFiles): Promise<void> {
    const { signal } = this.ending;
    beNice(process.identity.pid);
    const control = await ControlPort.connect(files.sockets.control, () => process.ended());
    try {
      await control.waiting(bootTimeoutMs, signal);
      await qmp.execute('stop');
    } finally {
      control.close();
    }
    await saveState(qmp, files.state, { socket: files.saveSocket, timeoutMs: saveTimeoutMs, signal });
  }

  private async forgetDraft({ folder, sockets }: RuntimeFiles): Promise<void> {
    await Promise.all([folder, ...Object.values<string>({ ...sockets })].map((path) => removeTree(path)));
    await rmdir(this.options.files.drafts).catch(() => undefined);
  }

  private async sweep(): Promise<void> {
    for (const key of await namesIn(this.options.files.drafts)) {
      const draft = this.draftOf(key);
      const pid = Number.parseInt((await readIfPresent(draft.pidFile)) ?? '', 10);
      if (pid > 0 && (await isMachine(draft.sockets.qmp, uuidOf(key)))) {
        await killProcess(identityOf(pid));
      }
      await this.forgetDraft(draft);
    }
  }

  /** Keeps those that were used last. */
  private async prune(made: string): Promise<void> {
    const states = await namesIn(this.options.files.templates);
    const keys = states.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
    const aged = await Promise.all(
      keys.map(async (key) => {
        const used = await stat(checksumOf(this.stateOf(key))).catch(() => undefined);
        return { key, usedMs: key === made ? Infinity : (used?.mtimeMs ?? 0) };
      }),
    );
    aged.sort((a, b) => b.usedMs - a.usedMs);
    await Promise.all(aged.slice(maxTemplates).map(({ key }) => this.remove(key)));
  }
}

/** What a saved state depends on, and nothing else: neither files of a workspace nor their sizes. */
export function templateKey(wanted: Launch): string {
  const { acceleration, processor, build, kit, cpus, memoryMiB, kernelArguments } = wanted;
  const disks = wanted.disks.map(({ serial, readOnly }) => [serial, readOnly]);
  const machine = [acceleration, processor, build, kit, cpus, memoryMiB, kernelArguments];
  const parts = [shapeVersion, ...machine, disks];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** The machine with nothing in its disks but the tools. */
function templatePlan(
  key: string,
  wanted: Launch,
  files: RuntimeFiles,
  architecture: MachinePlan['architecture'],
): MachinePlan {
  const { acceleration, cpus, memoryMiB, kernel, initrd, kernelArguments, disks } = wanted;
  return {
    ...{ architecture, acceleration, cpus, memoryMiB, kernel, initrd, kernelArguments },
    ...{ name: `berth-template-${key}`, uuid: uuidOf(key), sshPort: undefined },
    ...{ isOffline: true, isFiltered: false, incoming: undefined },
    disks: disks.map((disk) =>
      disk.serial === 'tools' ? { ...disk, file: disk.file } : { ...disk, file: undefined },
    ),
    ...{ sockets: files.sockets, consoleLog: files.consoleLog, pidFile: files.pidFile },
  };
}

/** From the key, so that a later engine knows the machine again. */
function uuidOf(key: string): string {
  const hex = createHash('sha256').update(`template ${key}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

function beNice(pid: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended, which is seen soon enough.
  }
}
