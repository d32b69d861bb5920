/** The files of a volume, every change of which is published, whoever makes it. */
import { posix } from 'node:path';
import type { FileChange } from '../../../api/files/schemas';
import { isOwnName, joinPath } from '../../../api/rules/volume-path';
import type { VolumeFiles } from '../../files/volume-files';

export type PublishChanges = (changes: FileChange[]) => void;

/** Stages and drafts are nobody's to see. */
function isHidden({ path }: FileChange): boolean {
  return isOwnName(path.split('/')[1] ?? '');
}

/** The same files; `publish` hears of each change once it is made. */
export function publishedFiles(files: VolumeFiles, publish: PublishChanges): VolumeFiles {
  const report = (...changes: FileChange[]): void => {
    const seen = changes.filter((change) => !isHidden(change));
    if (seen.length > 0) {
      publish(seen);
    }
  };
  return { ...looking(files), ...changing(files, report), ...staging(files, report) };
}

type Report = (...changes: FileChange[]) => void;

const changed = (path: string): FileChange => ({ type: 'changed', path });
const created = (path: string): FileChange => ({ type: 'created', path });
const deleted = (path: string): FileChange => ({ type: 'deleted', path });

function looking(files: VolumeFiles) {
  return {
    volume: files.volume,
    hasSlowLists: files.hasSlowLists === true,
    stat: (...input) => files.stat(...input),
    list: (...input) => files.list(...input),
    read: (...input) => files.read(...input),
    searchText: (...input) => files.searchText(...input),
    inventory: (...input) => files.inventory(...input),
    details: (...input) => files.details(...input),
    usage: (...input) => files.usage(...input),
    watch: (...input) => files.watch(...input),
    getTar: (...input) => files.getTar(...input),
    receiveTar: (...input) => files.receiveTar(...input),
    noteCopied: () => files.noteCopied(),
    forgetCopied: (...input) => files.forgetCopied(...input),
    close: () => files.close(),
  } satisfies Partial<VolumeFiles>;
}

/** `/a`, `/a/b` and `/a/b/c` of `/a/b/c`. */
function withAncestors(path: string): string[] {
  const parts = posix.normalize(path).split('/').filter(Boolean);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

function changing(files: VolumeFiles, report: Report) {
  return {
    write: async (path, ...input) => {
      const entry = await files.write(path, ...input);
      report(changed(path));
      return entry;
    },
    mkdir: async (path, options = {}) => {
      const entry = await files.mkdir(path, options);
      // Which of those above it are new as well is not known: who has seen them already looks again.
      report(...(options.parents === true ? withAncestors(path) : [path]).map(created));
      return entry;
    },
    rename: async (from, to, options) => {
      const entry = await files.rename(from, to, options);
      report(deleted(from), created(to));
      return entry;
    },
    copy: async (from, to, ...input) => {
      const entry = await files.copy(from, to, ...input);
      report(created(to));
      return entry;
    },
    remove: async (path, ...input) => {
      try {
        await files.remove(path, ...input);
      } catch (error) {
        // Part of a folder may be gone.
        report(changed(path));
        throw error;
      }
      report(deleted(path));
    },
    removeCopied: async (note, path) => {
      try {
        const kept = await files.removeCopied(note, path);
        report(kept.length === 0 ? deleted(path) : changed(path));
        return kept;
      } catch (error) {
        // Part of a folder may be gone.
        report(changed(path));
        throw error;
      }
    },
    chmod: async (path, mode) => {
      const entry = await files.chmod(path, mode);
      report(changed(path));
      return entry;
    },
  } satisfies Partial<VolumeFiles>;
}

/** A stage is nobody's to see until it is merged. */
function staging(files: VolumeFiles, report: Report) {
  const { putBulk } = files;
  return {
    stage: () => files.stage(),
    unstage: (...input) => files.unstage(...input),
    putTar: (...input) => files.putTar(...input),
    ...(putBulk !== undefined && { putBulk }),
    merge: async (stage, target, policy) => {
      const { entries } = await files.list(stage);
      try {
        const result = await files.merge(stage, target, policy);
        const renamed = new Map(result.renamed.map(({ from, to }) => [from, to]));
        const arrived = entries.map(({ name }) => renamed.get(`/${name}`) ?? `/${name}`);
        report(changed(target), ...arrived.map((path) => changed(joinPath(target, path.slice(1)))));
        return result;
      } catch (error) {
        // Some of it may be in place.
        report(changed(target), ...entries.map(({ name }) => changed(joinPath(target, name))));
        throw error;
      }
    },
  } satisfies Partial<VolumeFiles>;
}
