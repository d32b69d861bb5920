/** A store of root file systems without any container engine, and looks into what it made. */
import { join } from 'node:path';
import { BerthError } from '../../../../../../src/api/errors';
import { findQemuImg } from '../../../../../../src/backend/drivers/microvms/rootfs/convert';
import type { ImageExporter } from '../../../../../../src/backend/drivers/microvms/rootfs/exporter';
import { RootImageStore } from '../../../../../../src/backend/drivers/microvms/rootfs/root-images';
import { succeed } from '../../../../../support/programs';

const away = () => Promise.reject(new BerthError('runtime_unavailable', 'No engine answers.'));
export const noEngine: ImageExporter = { find: away, exportFiles: away, config: away };
export const never = new AbortController().signal;
export const silent = (): void => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

export function storeIn(
  folder: string,
  options: { exporter?: ImageExporter; cache?: string } = {},
): RootImageStore {
  return new RootImageStore({
    ...{ home: join(folder, 'home'), cache: options.cache ?? join(folder, 'cache'), log },
    exporter: options.exporter ?? noEngine,
    authority: () => Promise.resolve(undefined),
    qemuImg: findQemuImg,
  });
}

export const debugfs = (image: string, command: string) => succeed('/sbin/debugfs', ['-R', command, image]);

/** Names in a folder, sorted. */
export async function namesIn(image: string, folder: string): Promise<string[]> {
  const rows = (await debugfs(image, `ls -p "${folder}"`)).split('\n');
  const names = rows.map((row) => row.split('/')[5] ?? '');
  return names.filter((name) => !['', '.', '..', 'lost+found'].includes(name)).sort();
}

export async function checkClean(image: string): Promise<void> {
  await succeed('/sbin/e2fsck', ['-f', '-n', image]);
}
