import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import { BerthError, asBerthError, type FileMeasure } from '../../api';
import { baseName } from '../../api/rules/volume-path';
import { topmost } from '../../providers/files/paths';
import { showWait } from '../../ui/messages';
import { setting } from '../../ui/settings';
import { names } from '../../ui/words';
import type { Handler, Services } from '../command';
import { confirm } from '../input';
import { downloadPlaces } from './download';
import { Cancelled, type Task } from '../../ui/runner';
import type { Place } from '../targets';
import { placesOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;
const listed = 15;
/** So long the question waits for the size of folders. */
const measureMs = 1_000;
/** A wait that is longer is shown, and can be cancelled. */
const quietMs = 300;

/** Deletes files and folders after a question that names them: a volume has no trash. */
export const deleteFiles =
  (services: PlaceServices & Pick<Services, 'runner' | 'transfers'>): Handler =>
  async (target, selected) => {
    const places = outermost(await placesOrPick(services, target, selected, t('Delete')));
    if (places.length === 0) {
      return;
    }
    if (setting('files.confirmDelete', true)) {
      await ask(services.link, places, () => downloadPlaces(services, places));
    }
    const title = t('Deleting {0}', names(places.map(({ path }) => baseName(path))));
    await services.runner.run(title, async (task) => {
      const failures: BerthError[] = [];
      for (const [volume, paths] of byVolume(places)) {
        failures.push(...(await removeIn(task, volume, paths)));
      }
      const [first, ...more] = failures;
      if (first !== undefined) {
        throw more.length === 0
          ? first
          : new BerthError(
              first.code,
              t('{0} Files and folders that were not deleted either: {1}.', first.message, more.length),
            );
      }
    });
  };

/** Deletes in one volume, and answers what is still there: another volume's files are deleted all the same. */
async function removeIn(task: Task, volume: string, paths: string[]): Promise<BerthError[]> {
  try {
    const body = { volume, paths };
    const begun = await task.client.call('removals.create', { query: { wait: 0 }, body });
    const { warnings } = await task.follow(begun);
    return warnings.map((warning) => new BerthError('internal', warning));
  } catch (thrown) {
    const error = asBerthError(thrown);
    if (error.code === 'cancelled' || task.signal.aborted) {
      throw error;
    }
    return [error];
  }
}

function byVolume(places: readonly Place[]): Map<string, string[]> {
  const all = new Map<string, string[]>();
  places.forEach(({ volume, path }) => {
    all.set(volume, [...(all.get(volume) ?? []), path]);
  });
  return all;
}

/** Roots of volumes are not files; what lies in another chosen folder goes with it. */
function outermost(places: readonly Place[]): Place[] {
  return places.filter(({ volume, path }) => {
    const same = places.filter((other) => other.volume === volume).map((other) => other.path);
    return path !== '/' && topmost(same).includes(path);
  });
}

/** `1,204 files, 34 MiB`; where time was up or something could not be read, that there is more. */
function measureWords({ files, bytes, isAtLeast }: FileMeasure): string {
  const count = new Intl.NumberFormat(vscode.env.language).format(files);
  if (isAtLeast === true) {
    return t('more than {0} files, {1}', count, formatBytes(bytes));
  }
  return files === 1 ? t('1 file, {0}', formatBytes(bytes)) : t('{0} files, {1}', count, formatBytes(bytes));
}

/** How much goes with it, in words. */
async function sizeOf(link: PlaceServices['link'], { volume, path, isFolder, row }: Place): Promise<string> {
  if (!isFolder && row !== undefined) {
    return formatBytes(row.entry.size);
  }
  try {
    const client = await link.client();
    const query = { path, withinMs: measureMs };
    const signal = AbortSignal.timeout(3 * measureMs);
    return measureWords(await client.call('files.measure', { params: { volume }, query, signal }));
  } catch {
    return t('size unknown');
  }
}

/** Throws `Cancelled`: then nothing is asked, and nothing deleted. */
async function cancellable<T>(measuring: Promise<T>): Promise<T> {
  const isQuick = await Promise.race([measuring.then(() => true), sleep(quietMs, false)]);
  if (!isQuick && (await showWait(t('Measuring what would be deleted'), measuring)) === 'cancelled') {
    throw new Cancelled();
  }
  return measuring;
}

async function ask(
  link: PlaceServices['link'],
  places: readonly Place[],
  downloadInstead: () => Promise<void>,
): Promise<void> {
  const [only] = places;
  const message =
    places.length === 1 && only
      ? only.isFolder
        ? t('Delete the folder {0} and all that is in it?', baseName(only.path))
        : t('Delete {0}?', baseName(only.path))
      : t('Delete {0} files and folders?', places.length);
  const lines = await cancellable(
    Promise.all(
      places
        .slice(0, listed)
        .map(async (place) => `${place.volume}:${place.path} (${await sizeOf(link, place)})`),
    ),
  );
  const rest = places.length > listed ? [t('… and {0} more', places.length - listed)] : [];
  await confirm({
    message,
    detail: [...lines, ...rest, '', t('This cannot be undone.')].join('\n'),
    act: t('Delete'),
    harmless: { title: t('Download Instead…'), run: downloadInstead },
  });
}
