/** What a transfer would meet at its target. Folders meet folders without conflict: they are merged. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../api/errors';
import type { ConflictList, FileFacts, FileType, PathConflict } from '../../../api/files/schemas';
import { statusOf } from '../../files/local/stage';
import { localPath } from '../../machine/file-names';
import { joinPath, quote } from '../../../api/rules/volume-path';
import type { VolumeFiles } from '../../files/volume-files';
import type { TransferPlan } from './request';

const maxListed = 100;
const maxDescribed = 20;
const namedInMessage = 3;

/** One side of a comparison: this machine or a volume. */
export interface Side {
  join(folder: string, name: string): string;
  /** Undefined when there is nothing of that name; links are not followed. */
  typeOf(path: string): Promise<FileType | undefined>;
  /** As `typeOf`, but of what a link leads to. */
  targetTypeOf(path: string): Promise<FileType | undefined>;
  list(folder: string): Promise<Map<string, FileType>>;
  /** Undefined for what is not there, or can't be looked at. */
  factsOf(path: string): Promise<FileFacts | undefined>;
}

interface Kinds {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

function typeOfKinds(kinds: Kinds): FileType {
  return kinds.isFile()
    ? 'file'
    : kinds.isDirectory()
      ? 'directory'
      : kinds.isSymbolicLink()
        ? 'symlink'
        : 'other';
}

export const localSide: Side = {
  join: (folder, name) => join(folder, name),
  async typeOf(path) {
    const status = await statusOf(path);
    return status && typeOfKinds(status);
  },
  async targetTypeOf(path) {
    const status = await stat(localPath(path)).catch(() => undefined);
    return status && typeOfKinds(status);
  },
  async list(folder) {
    const entries = await readdir(localPath(folder), { withFileTypes: true });
    return new Map(entries.map((entry) => [entry.name, typeOfKinds(entry)]));
  },
  async factsOf(path) {
    const status = await statusOf(path).catch(() => undefined);
    return status && { size: status.size, mtimeMs: status.mtimeMs };
  },
};

function isMissing(error: unknown): boolean {
  return error instanceof BerthError && error.code === 'path_not_found';
}

/** A volume, as one side of a transfer. */
export function volumeSide(files: VolumeFiles): Side {
  const entryAt = (path: string) =>
    files.stat(path).catch((error: unknown) => {
      if (isMissing(error)) {
        return undefined;
      }
      throw error;
    });
  return {
    join: joinPath,
    typeOf: async (path) => (await entryAt(path))?.type,
    async targetTypeOf(path) {
      const entry = await entryAt(path);
      return entry?.type !== 'symlink'
        ? entry?.type
        : entry.targetType === 'directory' || entry.targetType === 'file'
          ? entry.targetType
          : undefined;
    },
    async list(folder) {
      const { entries } = await files.list(folder);
      return new Map(entries.map((entry) => [entry.name, entry.type]));
    },
    async factsOf(path) {
      const entry = await entryAt(path).catch(() => undefined);
      return entry && { size: entry.size, mtimeMs: entry.mtimeMs };
    },
  };
}

/** A folder that can't be read meets nothing: it is named by the transfer itself. */
function listed(side: Side, folder: string): Promise<Map<string, FileType>> {
  return side.list(folder).catch((error: unknown) => {
    if (error instanceof BerthError && error.code === 'runtime_unavailable') {
      throw error;
    }
    return new Map<string, FileType>();
  });
}

class Comparison {
  readonly found: ConflictList = { conflicts: [], total: 0 };

  constructor(
    private readonly from: Side,
    private readonly to: Side,
  ) {}

  async compare(
    source: string,
    sourceType: FileType,
    target: string,
    type: FileType | undefined,
  ): Promise<void> {
    if (type === undefined) {
      return;
    }
    if (sourceType !== 'directory' || type !== 'directory') {
      this.found.total++;
      if (this.found.conflicts.length < maxListed) {
        const isDescribed = type === 'file' && this.found.conflicts.length < maxDescribed;
        const facts = isDescribed ? await this.factsOf(source, target) : {};
        this.found.conflicts.push({ path: target, type, ...facts });
      }
      return;
    }
    const [there, coming] = await Promise.all([listed(this.to, target), listed(this.from, source)]);
    for (const [name, childType] of coming) {
      const known = there.get(name);
      if (known !== undefined) {
        await this.compare(this.from.join(source, name), childType, this.to.join(target, name), known);
      }
    }
  }

  private async factsOf(source: string, target: string): Promise<Pick<PathConflict, 'there' | 'coming'>> {
    const [there, coming] = await Promise.all([this.to.factsOf(target), this.from.factsOf(source)]);
    return { ...(there && { there }), ...(coming && { coming }) };
  }
}

/** Compares what comes with what is there, as deep as both have folders of the same names. */
export async function findConflicts(plan: TransferPlan, from: Side, to: Side): Promise<ConflictList> {
  const comparison = new Comparison(from, to);
  for (const { source, name } of plan.items) {
    const target = to.join(plan.target, name);
    const type = await to.typeOf(target);
    if (type === undefined) {
      continue;
    }
    const sourceType = await from.typeOf(source);
    await comparison.compare(source, sourceType ?? 'other', target, type);
  }
  return comparison.found;
}

/** The error `path_exists` that names the first of what is in the way. */
export function conflictError({ conflicts, total }: ConflictList): BerthError {
  const named = conflicts.slice(0, namedInMessage).map(({ path }) => quote(path));
  const more = total > named.length ? ` and ${total - named.length} more` : '';
  return new BerthError('path_exists', `Already there: ${named.join(', ')}${more}. Nothing was changed.`, {
    field: 'conflict',
    hint: 'Choose what to do with them: overwrite, skip or rename.',
  });
}
