/** Bulk copies and moves between this machine and volumes, and between volumes. */
import { BerthError } from '../../../api/errors';
import type { ConflictList, TransferCreate } from '../../../api/files/schemas';
import { LocalThreads } from '../../files/local/thread';
import type { VolumeFiles } from '../../files/volume-files';
import type { DownloadDrafts } from '../../store/download-drafts';
import type { OperationContext } from '../operations/operation-context';
import { between } from './between';
import { conflictError, findConflicts, localSide, volumeSide, type Side } from './conflicts';
import { download, type DownloadDeps } from './download';
import { planTransfer, targetPath, type TransferPlan } from './request';
import type { TransferResult } from './result';
import { upload } from './upload';

export type { TransferResult };

export interface TransferOptions {
  openFiles: (volume: string) => Promise<VolumeFiles>;
  /** Where downloads that are under way are on record. */
  drafts: DownloadDrafts;
}

interface Ends {
  from: VolumeFiles | undefined;
  to: VolumeFiles | undefined;
}

const sideOf = (files: VolumeFiles | undefined): Side =>
  files === undefined ? localSide : volumeSide(files);

export class Transfers {
  private readonly threads = new LocalThreads();

  constructor(private readonly options: TransferOptions) {}

  /** Removes what transfers of a killed engine left in folders of this machine. */
  tidy(): Promise<void> {
    return this.options.drafts.sweep();
  }

  /** Refuses a request that can never work, before an operation is made of it. */
  check(request: TransferCreate): void {
    planTransfer(request);
  }

  /** What the request would meet at its target; nothing is changed. */
  async conflicts(request: TransferCreate): Promise<ConflictList> {
    const plan = planTransfer(request);
    const ends = await this.open(plan);
    return this.compare(plan, ends);
  }

  /**
   * Copies or moves. Cancelled or failed: what was staged is removed. Throws `path_exists` where something is in the
   * way and must stay, `cancelled`, and what the transfer fails with.
   */
  async run(request: TransferCreate, context: OperationContext): Promise<TransferResult> {
    const plan = planTransfer(request);
    const ends = await this.open(plan);
    try {
      await requireFolder(plan, ends);
      if (plan.policy === 'fail') {
        const found = await this.compare(plan, ends);
        if (found.total > 0) {
          throw conflictError(found);
        }
      }
      return await transfer(plan, ends, { drafts: this.options.drafts, threads: this.threads }, context);
    } catch (error) {
      throw context.signal.aborted ? new BerthError('cancelled', 'Cancelled.', { cause: error }) : error;
    }
  }

  private async open(plan: TransferPlan): Promise<Ends> {
    const { fromVolume, toVolume } = plan;
    const from = fromVolume === undefined ? undefined : await this.options.openFiles(fromVolume);
    const same = toVolume === fromVolume;
    const to = same ? from : toVolume === undefined ? undefined : await this.options.openFiles(toVolume);
    return { from, to };
  }

  private async compare(plan: TransferPlan, { from, to }: Ends): Promise<ConflictList> {
    // A thing is not in its own way: copied beside itself it gets another name.
    const items =
      from !== undefined && from === to
        ? plan.items.filter((item) => targetPath(plan, item) !== item.source)
        : plan.items;
    return findConflicts({ ...plan, items }, sideOf(from), sideOf(to));
  }
}

async function requireFolder(plan: TransferPlan, { to }: Ends): Promise<void> {
  if (to !== undefined && (await volumeSide(to).targetTypeOf(plan.target)) !== 'directory') {
    throw new BerthError(
      'path_not_found',
      `There is no folder ${JSON.stringify(plan.target)} in the volume.`,
      {
        field: 'to.path',
        hint: 'Make that folder first, or name one that is there.',
      },
    );
  }
}

function transfer(
  plan: TransferPlan,
  { from, to }: Ends,
  deps: DownloadDeps,
  context: OperationContext,
): Promise<TransferResult> {
  if (to === undefined) {
    if (from === undefined) {
      throw new BerthError('bad_request', 'One side of a transfer must be a volume.');
    }
    return download(plan, from, deps, context);
  }
  return from === undefined ? upload(plan, to, context) : between(plan, from, to, context);
}
