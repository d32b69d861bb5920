/** Deletes files and folders of a volume, with progress: one that can't be deleted stops none of the others. */
import { posix } from 'node:path';
import { BerthError, asBerthError } from '../../../api/errors';
import { workspaceOfRoot } from '../../../api/rules/root-files';
import type { RemovalCreate } from '../../../api/files/schemas';
import type { Operation, RemovalResult } from '../../../api/operations/schemas';
import type { VolumeFiles } from '../../files/volume-files';
import type { OperationContext } from '../operations/operation-context';
import type { Operations } from '../operations/operations';

export interface RemovalDeps {
  openFiles: (volume: string) => Promise<VolumeFiles>;
}

const progressMs = 100;

/** E.g. `Delete 3 items of demo`. */
export function removalTitle({ volume, paths }: RemovalCreate): string {
  const [first = ''] = paths;
  const what = paths.length > 1 ? `${paths.length} items` : posix.basename(first);
  return `Delete ${what} of ${workspaceOfRoot(volume) ?? volume}`;
}

/**
 * Refuses a request that can never work, before an operation is made of it. Throws `bad_request` for the root of a
 * volume.
 */
export function checkRemoval({ paths }: RemovalCreate): void {
  if (paths.some((path) => posix.normalize(path) === '/')) {
    throw new BerthError('bad_request', 'The root of a volume stays.', {
      field: 'paths',
      hint: 'Name files or folders in it, or delete the volume.',
    });
  }
}

/** Throws for a request that can never work, before an operation is made of it. */
export function beginRemoval(
  { operations, openFiles }: RemovalDeps & { operations: Operations },
  request: RemovalCreate,
): Operation {
  checkRemoval(request);
  const begin = { kind: 'removal' as const, title: removalTitle(request), volume: request.volume };
  return operations.start(begin, (context) => runRemoval(request, { openFiles }, context));
}

/** Cancelled: what is gone stays gone, the rest stays. Throws when nothing that was asked for could be deleted. */
export async function runRemoval(
  { volume, paths }: RemovalCreate,
  { openFiles }: RemovalDeps,
  context: OperationContext,
): Promise<RemovalResult> {
  const files = await openFiles(volume);
  const total = await context.step('measure', 'Count the files to delete', () =>
    countNames(files, paths, context),
  );
  return context.step('remove', 'Delete', async () => {
    const progress = new RemovalProgress(context, total);
    const result: RemovalResult = { removed: 0, failed: [] };
    const failures: BerthError[] = [];
    for (const path of paths) {
      progress.begin(path);
      try {
        await files.remove(
          path,
          { recursive: true, progress: (names) => progress.at(names) },
          context.signal,
        );
      } catch (error) {
        if (context.signal.aborted) {
          throw new BerthError(
            'cancelled',
            `Cancelled. ${progress.names} files and folders were deleted, the rest is still there.`,
            {
              cause: error,
            },
          );
        }
        const failure = asBerthError(error);
        failures.push(failure);
        result.failed.push({ path, reason: failure.message });
      }
    }
    const [first] = failures;
    if (first !== undefined && failures.length === paths.length) {
      throw first;
    }
    result.failed.forEach(({ path, reason }) => {
      context.warn(`${path} was not deleted: ${reason}`);
    });
    return { ...result, removed: progress.names };
  });
}

/** Undefined when it can't be measured: then nobody knows how long it takes, and it is deleted all the same. */
async function countNames(
  files: VolumeFiles,
  paths: readonly string[],
  { signal }: OperationContext,
): Promise<number | undefined> {
  let total = 0;
  for (const path of paths) {
    try {
      const usage = await files.usage(path, signal);
      total += usage.files + usage.directories;
    } catch {
      if (signal.aborted) {
        throw new BerthError('cancelled', 'Cancelled.');
      }
      return undefined;
    }
  }
  return total;
}

class RemovalProgress {
  private before = 0;
  private here = 0;
  private path = '';
  private reportedAt = 0;

  constructor(
    private readonly context: OperationContext,
    private readonly total: number | undefined,
  ) {}

  get names(): number {
    return this.before + this.here;
  }

  begin(path: string): void {
    this.before += this.here;
    this.here = 0;
    this.path = path;
    this.report();
  }

  at(names: number): void {
    this.here = names;
    this.report();
  }

  private report(): void {
    const now = performance.now();
    if (now - this.reportedAt < progressMs) {
      return;
    }
    this.reportedAt = now;
    const { total, names, path } = this;
    this.context.progress({
      ...{ unit: 'files', done: names, current: posix.basename(path) },
      ...(total !== undefined && { total: Math.max(total, names) }),
    });
  }
}
