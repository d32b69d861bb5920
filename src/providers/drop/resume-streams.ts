/**
 * After a reload of the window: goes on with uploads whose contents can be read again, and says of others what has come
 * over and what has not.
 */
import * as vscode from 'vscode';
import type { CommandId } from '../../ui/contributions/commands';
import type { Logger } from '../../ui/engine-link';
import { showWarningMessage } from '../../ui/messages';
import { showInStatusBar } from '../../ui/pick';
import type { Outcome, Runner, Task } from '../../ui/runner';
import { names } from '../../ui/words';
import { volumeUri, type VolumePlace } from '../files/volume-uri';
import { readForeign } from './foreign-tree';
import { inParallel } from './in-parallel';
import { streamOn, type Incoming } from './stream-in';
import type { StreamNotes, UploadNote } from './stream-notes';
import { arrivedOf } from './stream-plan';
import { transferCounts, type TransferCounts } from './transfer-words';

const { t } = vscode.l10n;
/** Later it was no reload: who opens the window again the next day asks for it themselves. */
const reloadMs = 10 * 60_000;
const parallel = 8;

/** What begins copies again, and says what became of them; each answers whether all went well. */
export interface ResumableTransfers {
  uploadStreams(
    foreign: readonly vscode.Uri[],
    files: readonly Incoming[],
    to: VolumePlace,
  ): Promise<boolean>;
  downloadStreams(places: readonly VolumePlace[], to: vscode.Uri, exact: boolean): Promise<boolean>;
  reportUpload(outcome: Outcome<TransferCounts>, to: VolumePlace): Promise<boolean>;
}

export interface ResumeServices {
  runner: Pick<Runner, 'run'>;
  notes: StreamNotes;
  transfers: ResumableTransfers;
  log: Pick<Logger, 'warn'>;
}

/** Never rejects. */
export async function resumeStreams(services: ResumeServices): Promise<void> {
  const { notes, transfers } = services;
  notes.forgetEarlier();
  await Promise.all(
    notes.earlier.map(async (note) => {
      if (note.kind === 'download') {
        const to = vscode.Uri.parse(note.to, true);
        await offerAgain(note.title, t('Download Again'), () =>
          transfers.downloadStreams(note.places, to, note.exact),
        );
      } else if (note.foreign.length === 0) {
        await reportMissing(services, note);
      } else if (Date.now() - note.plan.startedMs < reloadMs) {
        await goOn(services, note);
      } else {
        const again = (): Promise<boolean> => transfers.uploadStreams(urisOf(note), [], note.to);
        await offerAgain(note.title, t('Upload Again'), again);
      }
    }),
  );
}

const urisOf = ({ foreign }: UploadNote): vscode.Uri[] => foreign.map((uri) => vscode.Uri.parse(uri, true));

async function offerAgain(title: string, button: string, again: () => Promise<boolean>): Promise<void> {
  const text = t('{0}: cut off when the window was closed. The last files may be incomplete.', title);
  if ((await showWarningMessage(text, button)) === button) {
    await again();
  }
}

/** Contents that have a URI are read again, those that are not there yet. */
async function goOn(services: ResumeServices, note: UploadNote): Promise<void> {
  const { runner, transfers, notes } = services;
  const id = notes.add(note);
  const outcome = await runner.run(note.title, async (task) => {
    task.report(t('goes on after the reload'));
    const { incoming, left } = await readForeign(urisOf(note), task);
    const counts = await streamOn(task, incoming, note.to, note.plan);
    counts.failed.push(...left);
    return counts;
  });
  notes.remove(id);
  await transfers.reportUpload(outcome, note.to);
}

/** Contents of a browser went with the window. */
async function reportMissing({ runner, log }: ResumeServices, note: UploadNote): Promise<void> {
  const { title, to, files } = note;
  const outcome = await runner.run(title, (task) => look(task, note));
  if (outcome.kind !== 'done') {
    return;
  }
  const { counts, missing } = outcome.value;
  if (missing.length === 0) {
    showInStatusBar(t('{0}: {1}', title, transferCounts(counts)), 6_000);
    return;
  }
  const place = `${to.volume}:${to.path}`;
  const words = t(
    '{0}: cut off when the window was reloaded. {1} of {2} files are in {3}. Missing: {4}.',
    title,
    counts.files,
    files.length - counts.skipped.length,
    place,
    names(missing),
  );
  log.warn([words, ...missing].join('\n  '));
  const again = t('Upload Files…');
  if ((await showWarningMessage(words, again)) === again) {
    const command: CommandId = 'berth.file.uploadFiles';
    await vscode.commands.executeCommand(command, volumeUri(to.volume, to.path));
  }
}

async function look(
  task: Task,
  { files, to, plan }: UploadNote,
): Promise<{ counts: TransferCounts; missing: string[] }> {
  const counts: TransferCounts = { files: 0, bytes: 0, skipped: [], failed: [], renamed: 0 };
  const away = new Set<string>();
  await inParallel(files, { atOnce: parallel, signal: task.signal }, async (name) => {
    const there = await arrivedOf(task, name, to, plan);
    if (there === undefined) {
      away.add(name);
    } else if (there === 'skipped') {
      counts.skipped.push(name);
    } else {
      counts.files++;
      counts.bytes += there.bytes;
    }
  });
  return { counts, missing: files.filter((name) => away.has(name)) };
}
