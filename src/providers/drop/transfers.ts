/**
 * Copies and moves of files as the user asks for them: conflicts asked once, progress, cancel, and what became of
 * it told. Bytes go through the engine; only what has no local path passes through here (`stream-in.ts`).
 */
import * as vscode from 'vscode';
import type { ConflictPolicy, Operation, TransferCreate } from '../../api';
import type { CommandId } from '../../ui/contributions/commands';
import type { Outcome, Runner, Task } from '../../ui/runner';
import type { Logger } from '../../ui/engine-link';
import { baseName, isInside, joinPath, parentPath } from '../../api/rules/volume-path';
import { topmost } from '../files/paths';
import { names } from '../../ui/words';
import { volumeUri, type VolumePlace } from '../files/volume-uri';
import type { Incoming } from './stream-in';
import type { StreamNotes } from './stream-notes';
import { countsOf, isPartial, transferCounts, transferWords, type TransferCounts } from './transfer-words';
import { showInformationMessage, showWarningMessage } from '../../ui/messages';
import { showInStatusBar } from '../../ui/pick';
import { loadPart } from '../../client/load-part';

const { t } = vscode.l10n;
const shownFailures = 3;
const loadStreams = () => loadPart(import(/* webpackChunkName: "streams" */ './streams.js'));

/** One transfer, under its title; `undo` takes it back. */
interface Work {
  title: string;
  request: TransferCreate;
  undo?: () => Promise<void>;
}

export class Transfers {
  constructor(
    private readonly runner: Runner,
    private readonly log: Logger & { show(): void },
    private readonly notes: StreamNotes,
  ) {}

  /** Files and folders of this machine into a folder of a volume. */
  async upload(local: readonly string[], to: VolumePlace): Promise<boolean> {
    const title = t('Uploading {0}', names(local.map((path) => baseName(path.replace(/\\/g, '/')))));
    return this.runAll([{ title, request: { from: { local: [...local] }, to } }]);
  }

  /** Contents that have no path on this machine: browser files, and what is on other file systems. */
  async uploadStreams(
    foreign: readonly vscode.Uri[],
    files: readonly Incoming[],
    to: VolumePlace,
  ): Promise<boolean> {
    const given = [...foreign.map(({ path }) => baseName(path)), ...files.map(({ name }) => name)];
    const title = t('Uploading {0}', names(given));
    const { readForeign, streamIn } = await loadStreams();
    let id: string | undefined;
    const outcome = await this.runner.run(title, async (task) => {
      const { incoming, left } = await readForeign(foreign, task);
      const counts = await streamIn(task, [...incoming, ...files], to, (plan) => {
        id = this.notes.add({
          ...{ kind: 'upload', title, to, plan },
          foreign: foreign.map((uri) => uri.toString()),
          files: files.map(({ name }) => name),
        });
      });
      counts.failed.push(...left);
      return counts;
    });
    this.notes.remove(id);
    return this.reportUpload(outcome, to);
  }

  /** What a reload of the window cut off. Never rejects. */
  async resume(): Promise<void> {
    if (this.notes.earlier.length > 0) {
      const { resumeStreams } = await loadStreams();
      await resumeStreams({ runner: this.runner, notes: this.notes, transfers: this, log: this.log });
    }
  }

  /** Of contents that went through the window. Answers whether the upload has ended by itself. */
  async reportUpload(outcome: Outcome<TransferCounts>, to: VolumePlace): Promise<boolean> {
    if (outcome.kind !== 'done') {
      return false;
    }
    if (outcome.value.files === 0 && outcome.value.failed.length > 0) {
      void this.offerUpload(outcome.value, to);
    } else {
      await this.report('copied', outcome.value, `${to.volume}:${to.path}`);
    }
    return true;
  }

  /** Out of volumes to another file system (a remote window's); `exact` names the one copied thing. */
  async downloadStreams(places: readonly VolumePlace[], to: vscode.Uri, exact: boolean): Promise<boolean> {
    const title = t('Downloading {0}', names(places.map(nameOfPlace)));
    const id = this.notes.add({ kind: 'download', title, places: [...places], to: to.toString(), exact });
    const { streamOut } = await loadStreams();
    const outcome = await this.runner.run(title, (task) => streamOut(task, places, to, exact));
    this.notes.remove(id);
    if (outcome.kind === 'done') {
      await this.report('copied', outcome.value, to.path);
    }
    return outcome.kind === 'done';
  }

  /** Out of volumes into a folder of this machine; `exact` names the one copied thing. */
  async download(places: readonly VolumePlace[], local: string, exact = false): Promise<boolean> {
    const works = byVolume(places).map(({ volume, paths }) => ({
      title: t('Downloading {0}', names(paths.map((path) => nameOfPlace({ volume, path })))),
      request: { from: { volume, paths }, to: { local }, exact },
    }));
    // The dialog that asked for an exact name has asked about what is there as well.
    return this.runAll(works, exact ? 'overwrite' : undefined);
  }

  /** Between folders and volumes; a move can be undone. */
  async place(places: readonly VolumePlace[], to: VolumePlace, how: 'copy' | 'move'): Promise<boolean> {
    const works: Work[] = [];
    for (const { volume, paths } of byVolume(places)) {
      const moving = how === 'move' && volume === to.volume;
      const useful = topmost(paths).filter((path) => !moving || parentPath(path) !== to.path);
      if (useful.length === 0) {
        continue;
      }
      if (volume === to.volume && useful.some((path) => isInside(to.path, path))) {
        void showInformationMessage(t('A folder can’t be put into itself.'));
        return false;
      }
      works.push(this.placing({ volume, paths: useful }, to, how === 'move'));
    }
    return this.runAll(works);
  }

  private placing(from: { volume: string; paths: string[] }, to: VolumePlace, move: boolean): Work {
    const what = names(from.paths.map(baseName));
    const title = move ? t('Moving {0}', what) : t('Copying {0}', what);
    return {
      title,
      request: { from, to, move },
      ...(move && { undo: () => this.moveBack(from, to) }),
    };
  }

  private async moveBack(from: { volume: string; paths: string[] }, to: VolumePlace): Promise<void> {
    const works = from.paths.map((path) => ({
      title: t('Moving {0} back', baseName(path)),
      request: {
        from: { volume: to.volume, paths: [joinPath(to.path, baseName(path))] },
        to: { volume: from.volume, path: parentPath(path) },
        move: true,
      },
    }));
    await this.runAll(works);
  }

  /** One after the other. What is there already is asked about once, for all of them, unless `given` says what to do. */
  private async runAll(works: readonly Work[], given?: ConflictPolicy): Promise<boolean> {
    let asked: Promise<ConflictPolicy> | undefined;
    const requests = works.map(({ request }) => request).filter((request) => !isCopyBeside(request));
    const policy = (task: Task): Promise<ConflictPolicy> =>
      (asked ??=
        given === undefined
          ? loadStreams().then(({ askedPolicy }) => askedPolicy(task, requests))
          : Promise.resolve(given));
    let isDone = true;
    for (const work of works) {
      const kind = await this.run(work, policy);
      if (kind === 'cancelled') {
        return false;
      }
      isDone = kind === 'done' && isDone;
    }
    return isDone;
  }

  private async run(
    { title, request, undo }: Work,
    policy: (task: Task) => Promise<ConflictPolicy>,
  ): Promise<'done' | 'cancelled' | 'failed'> {
    const outcome = await this.runner.run(title, async (task) => {
      // A copy beside its original keeps both without a question.
      const conflict = isCopyBeside(request) ? 'rename' : await policy(task);
      const body = { ...request, conflict };
      const operation = await task.client.call('transfers.create', { query: { wait: 0 }, body });
      return { conflict, counts: countsOf(await task.follow(operation)) };
    });
    if (outcome.kind !== 'done') {
      return outcome.kind;
    }
    const { to } = request;
    const target = 'local' in to ? to.local : `${to.volume}:${to.path}`;
    // What was overwritten or skipped can't be put back by moving: then there is no undo.
    const { conflict, counts } = outcome.value;
    const canUndo = conflict === 'fail' && !isPartial(counts);
    await this.report(request.move === true ? 'moved' : 'copied', counts, target, canUndo ? undo : undefined);
    return 'done';
  }

  /** Of what the window has followed since before a reload: it may be no transfer. */
  reportEnd(title: string, operation: Operation): void {
    const counts = operation.kind === 'transfer' ? countsOf(operation) : undefined;
    // Of what is no transfer they say what was not done.
    const warnings = counts === undefined ? operation.warnings : [];
    const words = counts === undefined ? warnings.join(' ') || t('done') : transferCounts(counts);
    const text = t('{0}: {1}', title, words);
    if (counts !== undefined && isPartial(counts)) {
      void this.reportPartial(text, counts);
    } else if (warnings.length > 0) {
      void showWarningMessage(text);
    } else {
      showInStatusBar(text, 6_000);
    }
  }

  /** Never waited for by the work itself: the message may stay open for long. */
  private report(
    verb: 'copied' | 'moved',
    counts: TransferCounts,
    target: string,
    undo?: () => Promise<void>,
  ): Promise<void> {
    const words = transferWords(verb, counts, target);
    if (isPartial(counts)) {
      void this.reportPartial(words, counts);
    } else if (counts.notes !== undefined) {
      void showInformationMessage([`${words}.`, ...counts.notes].join(' '));
    } else if (undo === undefined) {
      showInStatusBar(words, 6_000);
    } else {
      void showInformationMessage(words, t('Undo')).then((chosen) => (chosen ? undo() : undefined));
    }
    return Promise.resolve();
  }

  /** Nothing came over: most likely a folder, dropped in a browser. The dialog reads folders. */
  private async offerUpload({ failed }: TransferCounts, to: VolumePlace): Promise<void> {
    const upload = t('Upload Folder…');
    const text = t('Nothing was uploaded. {0}', failed.slice(0, shownFailures).join(' '));
    if ((await showWarningMessage(text, upload)) === upload) {
      const command: CommandId = 'berth.file.uploadFolder';
      await vscode.commands.executeCommand(command, volumeUri(to.volume, to.path));
    }
  }

  private async reportPartial(words: string, counts: TransferCounts): Promise<void> {
    const { skipped, failed, notes = [] } = counts;
    this.log.warn([words, ...failed, ...skipped, ...notes].join('\n  '));
    const show = t('Show Berth Log');
    if ((await showWarningMessage(words, show)) === show) {
      this.log.show();
    }
  }
}

function isCopyBeside({ from, to, move }: TransferCreate): boolean {
  if (move === true || !('volume' in from) || !('volume' in to) || from.volume !== to.volume) {
    return false;
  }
  return from.paths.every((path) => parentPath(path) === to.path);
}

const nameOfPlace = ({ volume, path }: VolumePlace): string => (path === '/' ? volume : baseName(path));

function byVolume(places: readonly VolumePlace[]): { volume: string; paths: string[] }[] {
  const found = new Map<string, string[]>();
  for (const { volume, path } of places) {
    found.set(volume, [...(found.get(volume) ?? []), path]);
  }
  return [...found].map(([volume, paths]) => ({ volume, paths }));
}
