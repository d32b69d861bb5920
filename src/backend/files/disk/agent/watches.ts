/** Changes below a folder. Nobody else changes a disk that is stopped: what the requests tell is all there is. */
import { isInside, isOwnName } from '../../../../api/rules/volume-path';
import { DiskError } from '../../../ext4/disk-error';
import { type Fields } from './entries';
import { split, type Volume } from './places';
import type { Job } from './work';

export type ChangeType = 'created' | 'changed' | 'deleted';
export type NotifyChange = (type: ChangeType, path: string) => void;

/** Changes come in bursts: what happens within this time is reported at once, and no path twice. */
const gatherMs = 50;
/** More than that at once is reported as one change of the watched folder. */
const maxChanges = 1000;

interface Watch {
  job: Job;
  /** As asked for, and where that is without links. */
  path: string;
  real: string;
  recursive: boolean;
  changes: Map<string, ChangeType>;
}

export class Watches {
  private readonly watches = new Map<number, Watch>();
  private timer: NodeJS.Timeout | undefined;

  watch(volume: Volume, { path, recursive }: Fields, job: Job): Fields {
    const parts = split(path);
    const real = volume.existing(parts).path;
    this.watches.set(job.id, {
      job,
      path: `/${parts.join('/')}`,
      real,
      recursive: recursive === true,
      changes: new Map(),
    });
    return { watch: job.id };
  }

  /** Ends a watch. Throws `bad_request` for what is no number. */
  unwatch({ watch }: Fields): Fields {
    if (typeof watch !== 'number') {
      throw new DiskError('bad_request');
    }
    this.watches.delete(watch);
    return {};
  }

  readonly notify: NotifyChange = (type, path) => {
    if (path.split('/').some(isOwnName)) {
      return;
    }
    for (const watch of this.watches.values()) {
      if (type === 'deleted' && isInside(watch.real, path)) {
        note(watch.changes, 'deleted', '');
      } else if (isInside(path, watch.real)) {
        const below = path.slice(watch.real === '/' ? 0 : watch.real.length);
        if (watch.recursive || below.lastIndexOf('/') <= 0) {
          note(watch.changes, type, below);
        }
      }
    }
    this.timer ??= setTimeout(() => this.flush(), gatherMs);
  };

  end(): void {
    clearTimeout(this.timer);
    this.watches.clear();
  }

  private flush(): void {
    this.timer = undefined;
    for (const [id, watch] of this.watches) {
      const changes = [...watch.changes];
      watch.changes.clear();
      if (changes.length === 0) {
        continue;
      }
      const base = watch.path === '/' ? '' : watch.path;
      const rows = changes.map(([below, type]): [string, string] => [type, base + below || '/']);
      watch.job.changes(rows.length > maxChanges ? [['changed', watch.path]] : rows);
      if (changes.some(([below, type]) => below === '' && type === 'deleted')) {
        this.watches.delete(id);
      }
    }
  }
}

function note(changes: Map<string, ChangeType>, type: ChangeType, below: string): void {
  const before = changes.get(below);
  if (before === 'created' && type === 'changed') {
    return;
  }
  changes.set(below, before === 'deleted' && type === 'created' ? 'changed' : type);
}
