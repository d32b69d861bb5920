/**
 * What the window itself is bringing somewhere, kept in its memory until that has ended: a reload cuts it off, as the bytes
 * go through the window.
 */
import { randomUUID } from 'node:crypto';
import type { Memory } from '../../ui/sent-settings';
import type { VolumePlace } from '../files/volume-uri';
import type { StreamPlan } from './stream-plan';

const key = 'berth.streams';
/** Names of more would make the memory of the window large; nobody reads them. */
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

export class StreamNotes {
  /** Those of before the reload: each has been cut off. */
  readonly earlier: readonly StreamNote[];
  private readonly now = new Map<string, StreamNote>();

  /** `memory`: that of the window. */
  constructor(private readonly memory: Memory) {
    const kept = memory.get(key);
    this.earlier = Array.isArray(kept) ? kept.filter(isNote) : [];
  }

  /** Answers by what it is removed. */
  add(note: StreamNote): string {
    const id = randomUUID();
    this.now.set(id, note.kind === 'upload' ? { ...note, files: note.files.slice(0, maxNames) } : note);
    this.keep();
    return id;
  }

  /** It has ended. */
  remove(id: string | undefined): void {
    if (id !== undefined && this.now.delete(id)) {
      this.keep();
    }
  }

  /** Those of before are told once. */
  forgetEarlier(): void {
    if (this.earlier.length > 0) {
      this.keep();
    }
  }

  private keep(): void {
    void this.memory.update(key, [...this.now.values()]);
  }
}

/** Whether that was written by a version whose notes look as they do now. */
function isNote(value: unknown): value is StreamNote {
  const field = (name: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  const isUpload = field('kind') === 'upload' && [field('foreign'), field('files')].every(Array.isArray);
  const isDownload = field('kind') === 'download' && Array.isArray(field('places'));
  const plan = field('plan');
  const isPlanned = typeof plan === 'object' && plan !== null && Array.isArray(Reflect.get(plan, 'before'));
  return typeof field('title') === 'string' && ((isUpload && isPlanned) || isDownload);
}
