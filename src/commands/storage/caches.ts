/** What is kept to be quicker the next time: its section on the page of storage, and its clean-up after a dialog. */
import * as vscode from 'vscode';
import type { Cache, CacheId } from '../../api';
import { formatBytes } from '../../ui/sizes';
import { showInformationMessage } from '../../ui/messages';
import { confirm, reportDone } from '../input';
import type { Services } from '../command';

const { t } = vscode.l10n;

/** As the page shows it. */
interface CachesSection {
  id: 'caches';
  title: string;
  summary: string;
  bars: { id: string; title: string; detail: string; amount: string; share: number }[];
  clean?: string;
}

function titles(): Readonly<Record<CacheId, string>> {
  return {
    'guest-kits': t('Kernels of microVMs'),
    templates: t('Booted microVMs to start from'),
    'root-images': t('Images made into disks of microVMs'),
  };
}

/** An engine of another version may keep more. */
const titleOf = (id: string): string => (titles() as Partial<Record<string, string>>)[id] ?? id;

/** The largest first; undefined where nothing is kept. */
export function cachesSection(caches: readonly Cache[], largest: number): CachesSection | undefined {
  const full = caches.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  const free = freeable(full);
  if (full.length === 0) {
    return undefined;
  }
  return {
    id: 'caches',
    title: t('Made again when needed'),
    summary: t(
      '{0} · {1} not in use',
      formatBytes(full.reduce((sum, { bytes }) => sum + bytes, 0)),
      formatBytes(free.reduce((sum, { freeableBytes }) => sum + freeableBytes, 0)),
    ),
    bars: full.map(({ id, path, bytes, freeableBytes }) => ({
      ...{ id, title: titleOf(id), amount: formatBytes(bytes), share: Math.min(1, bytes / largest) },
      detail: [
        freeableBytes === 0
          ? t('in use, or for the next start')
          : t('not in use: {0}', formatBytes(freeableBytes)),
        path,
      ].join(' · '),
    })),
    ...(free.length > 0 && { clean: t('Clean Up…') }),
  };
}

const freeable = (caches: readonly Cache[]): Cache[] =>
  caches.filter(({ freeableBytes }) => freeableBytes > 0);

/** Removes what nothing uses, after a dialog that names it. Throws `Cancelled` when that is not confirmed. */
export async function cleanCaches(
  { runner }: Pick<Services, 'runner'>,
  caches: readonly Cache[],
): Promise<void> {
  const free = freeable(caches);
  if (free.length === 0) {
    void showInformationMessage(t('It is in use, or needed for the next start: there is nothing to remove.'));
    return;
  }
  const total = formatBytes(free.reduce((sum, { freeableBytes }) => sum + freeableBytes, 0));
  const lines = free.map(({ id, freeableBytes }) => `${titleOf(id)}: ${formatBytes(freeableBytes)}`);
  await confirm({
    message: t('Free {0}?', total),
    detail: [
      ...lines,
      '',
      t(
        'All of it is made again when it is needed: the next start takes longer then. Workspaces, volumes and images stay.',
      ),
    ].join('\n'),
    act: t('Clean Up'),
    harmless: { title: t('Keep It') },
  });
  const body = { caches: free.map(({ id }) => id) };
  const outcome = await runner.run(t('Cleaning up'), ({ client, signal }) =>
    client.call('caches.clean', { body, signal }),
  );
  if (outcome.kind === 'done') {
    await reportDone(t('{0} are free again.', formatBytes(outcome.value.freedBytes)));
  }
}
