/** Where a root file system can be made from. */
import { createHash } from 'node:crypto';
import type { ImageConfig } from '../../../images/image-config';
import { buildExt4, buildTree, type Ext4BuildOptions } from '../../../files/disk/filling/build';
import { configOf, type OpenImage } from '../../../images/oci/image';
import type { Layout } from '../../../images/oci/layout';
import type { TransferOptions } from '../../../images/oci/transfer';
import { applyLayers } from './unpack';
import { counted, type ImageExporter } from './exporter';

/** Sparse: what a workspace may install beside its home. */
const rootSizeMiB = 16_384;
/** What is being done, in the words of progress. */
const fillingWords = 'filling the disk';
const savingWords = 'saving the disk';

export interface RootSource {
  /** The image's id. */
  digest: string;
  /** Makes the file, which is there as a whole or not at all; the answer says in words what had to be left out. */
  make(
    out: string,
    transfer: TransferOptions,
  ): Promise<{ config: ImageConfig; warnings: string[]; unlisted?: number }>;
}

/** From the image: whoever makes its file system makes the same one. */
function uuidOf(digest: string): string {
  const hex = createHash('sha256').update(`root ${digest}`).digest('hex');
  return [8, 12, 16, 20, 32].map((end, index) => hex.slice([0, 8, 12, 16, 20][index], end)).join('-');
}

function options(digest: string, { progress, signal }: TransferOptions): Ext4BuildOptions {
  const filling = (done: number, total: number): void =>
    // Its tables come after its files, and then it is synced.
    progress({ done, total, current: done < total ? fillingWords : savingWords });
  return { sizeMiB: rootSizeMiB, label: 'root', uuid: uuidOf(digest), signal, filling };
}

/** Layers merged by the engine that has them. */
export function engineSource(exporter: ImageExporter, image: string, digest: string): RootSource {
  return {
    digest,
    make: async (out, transfer) => {
      const { config, sizeBytes } = await exporter.config(image);
      const tar = await exporter.exportFiles(image, transfer.signal);
      let done = 0;
      const count = (bytes: number): void => {
        done += bytes;
        // An image's size is that of its files: the archive of them is larger.
        transfer.progress({ done, total: done < sizeBytes ? sizeBytes : 0, current: image });
      };
      const built = await buildExt4(out, counted(tar, count), options(digest, transfer));
      return { config, warnings: built.warnings, unlisted: built.unlisted };
    },
  };
}

/** Layers merged by ourselves. A layout that others change is held meanwhile. */
export function ociSource(image: OpenImage, held?: Pick<Layout, 'hold'>): RootSource {
  const total = image.layers.reduce((sum, { size }) => sum + size, 0);
  return {
    digest: image.digest,
    make: async (out, transfer) => {
      let done = 0;
      const count = (bytes: number): void => {
        done += bytes;
        transfer.progress({ done, total, current: image.name });
      };
      const release = await held?.hold();
      try {
        const { warnings, unlisted } = await buildTree(
          out,
          options(image.digest, transfer),
          (tree, contents) => applyLayers(image, tree, contents, { count, signal: transfer.signal }),
        );
        return { config: configOf(image.document), warnings, unlisted };
      } finally {
        release?.();
      }
    },
  };
}
