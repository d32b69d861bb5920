/**
 * What windows themselves are bringing somewhere, each in a file until it has ended: a reload cuts it off, as the bytes go
 * through the window. Who brings it touches its file all the time, so that another window of the same folder lets it be.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '../../ui/runner';
import type { VolumePlace } from '../files/volume-uri';
import type { Come, StreamPlan } from './stream-plan';
import { isPartial, type TransferCounts } from './transfer-words';

/** Nobody reads the names of more. */
const maxNames = 5_000;

export interface UploadNote {
  kind: 'upload';
  title: string;
  to: VolumePlace;
  /** URIs, which can be read again. */
  foreign: string[];
  /** Names of files whose contents went with the window. */
  files: string[];
  plan: StreamPlan;
}

export interface DownloadNote {
  kind: 'download';
  title: string;
  places: VolumePlace[];
  to: string;
  exact: boolean;
}

export type StreamNote = UploadNote | DownloadNote;

/** One that was cut off. */
export interface CutOff {
  note: StreamNote;
  /** The last that is known of each file, by the name that it was given. */
  come: Map<string, Come>;
  /** When it was under way last. */
  lastMs: number;
}

export interface NotesPlace {
  folder: string;
  /** What is open in the window: one with something else has other uploads. */
  window: string;
}

export class StreamNotes {
  /** Files, by the id that was answered. */
  private readonly now = new Map<string, string>();
  private readonly head: string;
  private timer: NodeJS.Timeout | undefined;

  /** `staleMs`: after so long without a sign its window is gone; more than `beatMs` and `lingerMs` together. */
  constructor(
    private readonly place: NotesPlace,
    private readonly pace = { beatMs: 2_000, staleMs: 20_000, lingerMs: 15_000 },
  ) {
    this.head = `${createHash('sha256').update(place.window).digest('hex').slice(0, 16)}-`;
  }

  /** Answers by what it is removed. That nothing can be noted stops no upload. */
  add(note: StreamNote, come: Iterable<Come> = []): string {
    const id = randomUUID();
    const file = join(this.place.folder, `${this.head}${id}.jsonl`);
    const kept = note.kind === 'upload' ? { ...note, files: note.files.slice(0, maxNames) } : note;
    this.now.set(id, file);
    orNothing(() => {
      mkdirSync(this.place.folder, { recursive: true, mode: 0o700 });
      writeFileSync(file, [kept, ...come].map(asLine).join(''), { flag: 'wx', mode: 0o600 });
    });
    this.timer ??= setInterval(() => this.beat(), this.pace.beatMs).unref();
    return id;
  }

  /** What has become of one file of an upload. */
  came(id: string, come: Come): void {
    const file = this.now.get(id);
    if (file !== undefined) {
      orNothing(() => appendFileSync(file, asLine(come)));
    }
  }

  /**
   * It has ended. A reload ends it as well, with failures, some moments before this process: only who lives on forgets
   * what did not end whole.
   */
  remove(id: string | undefined, isWhole: boolean): void {
    const file = id === undefined ? undefined : this.now.get(id);
    if (id === undefined || file === undefined) {
      return;
    }
    this.now.delete(id);
    const forget = (): void => orNothing(() => unlinkSync(file));
    if (isWhole) {
      forget();
    } else {
      setTimeout(forget, this.pace.lingerMs).unref();
    }
    if (this.now.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  /** Those that another window, or this one before its reload, has noted: cut off, or under way. */
  earlier(): string[] {
    const own = new Set(this.now.values());
    const found = orNothing(() => readdirSync(this.place.folder)) ?? [];
    return found
      .filter((name) => name.startsWith(this.head) && name.endsWith('.jsonl'))
      .map((name) => join(this.place.folder, name))
      .filter((file) => !own.has(file));
  }

  /** Waits until its window is gone; undefined when it has ended by itself, or another window has taken it. */
  async take(file: string): Promise<CutOff | undefined> {
    const { staleMs } = this.pace;
    let seen: number | undefined;
    for (;;) {
      const lastMs = orNothing(() => statSync(file).mtimeMs);
      const agoMs = lastMs === undefined ? 0 : Date.now() - lastMs;
      if (lastMs === undefined) {
        return undefined;
      }
      if (agoMs >= staleMs || lastMs === seen) {
        return claim(file, lastMs);
      }
      seen = lastMs;
      await sleep(Math.min(staleMs - agoMs, staleMs), undefined, { ref: false });
    }
  }

  private beat(): void {
    const now = new Date();
    this.now.forEach((file) => orNothing(() => utimesSync(file, now, now)));
  }
}

const asLine = (value: object): string => `${JSON.stringify(value)}\n`;

/** Of two windows that want it one gets it. */
function claim(file: string, lastMs: number): CutOff | undefined {
  const taken = `${file}.${randomUUID()}`;
  return orNothing(() => {
    renameSync(file, taken);
    const lines = readFileSync(taken, 'utf8').split('\n');
    unlinkSync(taken);
    // The last one may have been cut off as well.
    const [note, ...come] = lines.map((line) => orNothing((): unknown => JSON.parse(line)));
    return isNote(note)
      ? { note, lastMs, come: new Map(come.filter(isCome).map((each) => [each.name, each])) }
      : undefined;
  });
}

/** Whether nothing is left to do of it. */
export function isWhole(outcome: Outcome<TransferCounts>): boolean {
  return outcome.kind === 'done' && !isPartial(outcome.value);
}

function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

function isCome(value: unknown): value is Come {
  return (
    typeof fieldOf(value, 'name') === 'string' &&
    typeof fieldOf(value, 'as') === 'string' &&
    typeof fieldOf(value, 'bytes') === 'number' &&
    ['begun', 'written', 'skipped'].includes(String(fieldOf(value, 'state')))
  );
}

/** Whether that was written by a version whose notes look as they do now. */
function isNote(value: unknown): value is StreamNote {
  const field = (name: string): unknown => fieldOf(value, name);
  const isUpload = field('kind') === 'upload' && [field('foreign'), field('files')].every(Array.isArray);
  const isDownload = field('kind') === 'download' && Array.isArray(field('places'));
  const isPlanned = Array.isArray(fieldOf(field('plan'), 'before'));
  return typeof field('title') === 'string' && ((isUpload && isPlanned) || isDownload);
}
