/**
 * Copies and moves of files as the user asks for them: conflicts asked once, progress, cancel, and what became of
 * it told. Bytes go through the engine; only what has no local path passes through here (`stream-in.ts`).
 */
import * as vscode from 'vscode';
import type { TransferCreate } from '../../api';
import type { CommandId } from '../../ui/contributions/commands';
import type { Runner, Task } from '../../ui/runner';
import type { Logger } from '../../ui/engine-link';
import { baseOf, isWithin, joinPath, parentOf, topmost } from '../files/paths';
import { names } from '../../ui/words';
import { volumeUri, type VolumePlace } from '../files/volume-uri';
import { chooseConflictPolicy } from './conflicts';
import { readForeign } from './foreign-tree';
import { streamIn, type Incoming } from './stream-in';
import { streamOut } from './stream-out';
import { countsOf, isPartial, transferWords, type TransferCounts } from './transfer-words';

const { t } = vscode.l10n;
const shownFailures = 3;

export class Transfers {
  constructor(
    private readonly runner: Runner,
    private readonly log: Logger & { show(): void },
  ) {}

  /** Files and folders of this machine into a folder of a volume. */
  async upload(local: readonly string[], to: VolumePlace): Promise<boolean> {
    const title = t('Uploading {0}', names(local.map((path) => baseOf(path.replace(/\\/g, '/')))));
    return this.run(title, { from: { local: [...local] }, to });
  }

  /** Contents that have no path on this machine: browser files, and what is on other file systems. */
  async uploadStreams(
    foreign: readonly vscode.Uri[],
    files: readonly Incoming[],
    to: VolumePlace,
  ): Promise<boolean> {
    const given = [...foreign.map(({ path }) => baseOf(path)), ...files.map(({ name }) => name)];
    const outcome = await this.runner.run(t('Uploading {0}', names(given)), async (task) => {
      const { incoming, left } = await readForeign(foreign, task);
      const counts = await streamIn(task, [...incoming, ...files], to);
      counts.failed.push(...left);
      return counts;
    });
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
    const what = names(places.map(nameOfPlace));
    const outcome = await this.runner.run(t('Downloading {0}', what), (task) =>
      streamOut(task, places, to, exact),
    );
    if (outcome.kind === 'done') {
      await this.report('copied', outcome.value, to.path);
    }
    return outcome.kind === 'done';
  }

  /** Out of volumes into a folder of this machine; `exact` names the one copied thing. */
  async download(places: readonly VolumePlace[], local: string, exact = false): Promise<boolean> {
    let isDone = true;
    for (const { volume, paths } of byVolume(places)) {
      const title = t('Downloading {0}', names(paths.map((path) => nameOfPlace({ volume, path }))));
      isDone = (await this.run(title, { from: { volume, paths }, to: { local }, exact })) && isDone;
    }
    return isDone;
  }

  /** Between folders and volumes; a move can be undone. */
  async place(places: readonly VolumePlace[], to: VolumePlace, how: 'copy' | 'move'): Promise<boolean> {
    let isDone = true;
    for (const { volume, paths } of byVolume(places)) {
      const moving = how === 'move' && volume === to.volume;
      const useful = topmost(paths).filter((path) => !moving || parentOf(path) !== to.path);
      if (useful.length === 0) {
        continue;
      }
      if (volume === to.volume && useful.some((path) => isWithin(to.path, path))) {
        void vscode.window.showInformationMessage(t('A folder can’t be put into itself.'));
        return false;
      }
      isDone = (await this.placeOne({ volume, paths: useful }, to, how === 'move')) && isDone;
    }
    return isDone;
  }

  private placeOne(
    from: { volume: string; paths: string[] },
    to: VolumePlace,
    move: boolean,
  ): Promise<boolean> {
    const what = names(from.paths.map(baseOf));
    const title = move ? t('Moving {0}', what) : t('Copying {0}', what);
    const undo = move ? () => this.moveBack(from, to) : undefined;
    return this.run(title, { from, to, move }, undo);
  }

  private async moveBack(from: { volume: string; paths: string[] }, to: VolumePlace): Promise<void> {
    for (const path of from.paths) {
      const moved = joinPath(to.path, baseOf(path));
      await this.run(t('Moving {0} back', baseOf(path)), {
        from: { volume: to.volume, paths: [moved] },
        to: { volume: from.volume, path: parentOf(path) },
        move: true,
      });
    }
  }

  private async run(title: string, request: TransferCreate, undo?: () => Promise<void>): Promise<boolean> {
    const outcome = await this.runner.run(title, async (task) => {
      const conflict = await this.policy(task, request);
      const body = { ...request, conflict };
      const operation = await task.client.call('transfers.create', { query: { wait: 0 }, body });
      return { conflict, counts: countsOf(await task.follow(operation)) };
    });
    if (outcome.kind !== 'done') {
      return false;
    }
    const { to } = request;
    const target = 'local' in to ? to.local : `${to.volume}:${to.path}`;
    // What was overwritten or skipped can't be put back by moving: then there is no undo.
    const { conflict, counts } = outcome.value;
    const canUndo = conflict === 'fail' && !isPartial(counts);
    await this.report(request.move === true ? 'moved' : 'copied', counts, target, canUndo ? undo : undefined);
    return true;
  }

  private async policy(task: Task, request: TransferCreate) {
    // A copy beside its original keeps both without a question.
    if (isCopyBeside(request)) {
      return 'rename' as const;
    }
    const found = await task.client.call('transfers.conflicts', { body: request, signal: task.signal });
    return chooseConflictPolicy(found);
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
      void vscode.window.showInformationMessage([`${words}.`, ...counts.notes].join(' '));
    } else if (undo === undefined) {
      vscode.window.setStatusBarMessage(words, 6_000);
    } else {
      void vscode.window
        .showInformationMessage(words, t('Undo'))
        .then((chosen) => (chosen ? undo() : undefined));
    }
    return Promise.resolve();
  }

  /** Nothing came over: most likely a folder, dropped in a browser. The dialog reads folders. */
  private async offerUpload({ failed }: TransferCounts, to: VolumePlace): Promise<void> {
    const upload = t('Upload Folder…');
    const text = t('Nothing was uploaded. {0}', failed.slice(0, shownFailures).join(' '));
    if ((await vscode.window.showWarningMessage(text, upload)) === upload) {
      const command: CommandId = 'berth.file.uploadFolder';
      await vscode.commands.executeCommand(command, volumeUri(to.volume, to.path));
    }
  }

  private async reportPartial(words: string, counts: TransferCounts): Promise<void> {
    const { skipped, failed, notes = [] } = counts;
    this.log.warn([words, ...failed, ...skipped, ...notes].join('\n  '));
    const show = t('Show Log');
    if ((await vscode.window.showWarningMessage(words, show)) === show) {
      this.log.show();
    }
  }
}

function isCopyBeside({ from, to, move }: TransferCreate): boolean {
  if (move === true || !('volume' in from) || !('volume' in to) || from.volume !== to.volume) {
    return false;
  }
  return from.paths.every((path) => parentOf(path) === to.path);
}

const nameOfPlace = ({ volume, path }: VolumePlace): string => (path === '/' ? volume : baseOf(path));

function byVolume(places: readonly VolumePlace[]): { volume: string; paths: string[] }[] {
  const found = new Map<string, string[]>();
  for (const { volume, path } of places) {
    found.set(volume, [...(found.get(volume) ?? []), path]);
  }
  return [...found].map(([volume, paths]) => ({ volume, paths }));
}
