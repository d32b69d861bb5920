/** Finding a place in a volume by browsing or typing: one list that follows what is typed. */
import * as vscode from 'vscode';
import { formatBytes } from '../ui/sizes';
import { asBerthError, type FileEntry, type FileList } from '../api';
import type { EngineClient } from '../client/engine-client';
import { parentPath } from '../api/rules/volume-path';
import { pathIn, normalized } from '../providers/files/paths';
import { sortEntries } from '../providers/trees/folder-listing';
import { isDirectory } from '../providers/trees/rows';
import { Looks } from '../ui/latest';
import { plainLabel } from '../ui/plain-label';
import { Cancelled } from '../ui/runner';
import type { Place } from './targets';

const { t } = vscode.l10n;
const maxEntries = 1_000;

interface PathItem extends vscode.QuickPickItem {
  path: string;
  /** What Enter does: descend, or take this place. */
  entry?: FileEntry;
  take?: boolean;
}

/** Resolves with the chosen place; throws `Cancelled` when the user closes the list. */
export async function pickPath(
  client: EngineClient,
  volume: string,
  options: { title: string; foldersOnly?: boolean },
): Promise<Place> {
  const pick = vscode.window.createQuickPick<PathItem>();
  pick.title = options.title;
  pick.placeholder = t('Choose, or type a path like /src/main.ts');
  pick.ignoreFocusOut = true;
  const browser = new Browser(client, volume, pick, options.foldersOnly === true);
  try {
    return await browser.run();
  } finally {
    pick.dispose();
  }
}

class Browser {
  private readonly looks: Looks<FileList>;

  constructor(
    private readonly client: EngineClient,
    private readonly volume: string,
    private readonly pick: vscode.QuickPick<PathItem>,
    private readonly foldersOnly: boolean,
  ) {
    this.looks = new Looks({
      load: (path) => client.call('files.list', { params: { volume }, query: { path, limit: maxEntries } }),
      show: (folder, listed) => this.show(folder, listed),
      failed: (_folder, error) => this.warn(asBerthError(error).message),
      busy: (isBusy) => {
        pick.busy = isBusy;
        if (isBusy) {
          // What is shown is not in the folder that was asked for: nothing of it can be chosen meanwhile.
          pick.value = '';
          pick.items = [];
        }
      },
    });
  }

  run(): Promise<Place> {
    return new Promise((resolve, reject) => {
      this.pick.onDidHide(() => reject(new Cancelled()));
      this.pick.onDidAccept(() => {
        this.accept().then((place) => place && resolve(place), reject);
      });
      this.pick.show();
      void this.looks.enter('/');
    });
  }

  private async accept(): Promise<Place | undefined> {
    const typed = this.pick.value.trim();
    const [chosen] = this.pick.selectedItems;
    if (typed.includes('/')) {
      return this.go(normalized(typed.startsWith('/') ? typed : pathIn(this.looks.folder, typed)));
    }
    if (chosen === undefined) {
      return undefined;
    }
    if (chosen.take === true || (chosen.entry !== undefined && !isDirectory(chosen.entry))) {
      return this.place(chosen.path, chosen.entry);
    }
    await this.looks.enter(chosen.path);
    return undefined;
  }

  private async go(path: string): Promise<Place | undefined> {
    try {
      const entry = await this.client.call('files.stat', {
        params: { volume: this.volume },
        query: { path },
      });
      return this.place(path, entry);
    } catch (error) {
      this.warn(asBerthError(error).message);
      return undefined;
    }
  }

  private place(path: string, entry: FileEntry | undefined): Place {
    const isFolder = entry === undefined || isDirectory(entry);
    const row = entry === undefined ? undefined : { type: 'file' as const, volume: this.volume, path, entry };
    return { volume: this.volume, path, isFolder, ...(row && path !== '/' && { row }) };
  }

  /** Leads back to what was shown. */
  private warn(message: string): void {
    const path = this.looks.folder;
    this.pick.items = [{ label: t('$(warning) {0}', plainLabel(message)), path, alwaysShow: true }];
  }

  private show(folder: string, listed: FileList): void {
    const entries = sortEntries(listed.entries).filter((entry) => !this.foldersOnly || isDirectory(entry));
    this.pick.items = [
      {
        label: t('$(check) This folder'),
        description: plainLabel(`${this.volume}:${folder}`),
        path: folder,
        take: true,
      },
      ...(folder === '/' ? [] : [{ label: '$(arrow-up) ..', path: parentPath(folder) }]),
      ...entries.map((entry) => itemIn(folder, entry)),
      ...(listed.next === undefined
        ? []
        : [{ label: t('… {0} in all: type a path to reach the others', listed.total), path: folder }]),
    ];
  }
}

function itemIn(folder: string, entry: FileEntry): PathItem {
  const isFolder = isDirectory(entry);
  return {
    label: `$(${isFolder ? 'folder' : 'file'}) ${plainLabel(entry.name)}`,
    description: isFolder ? '' : formatBytes(entry.size),
    path: pathIn(folder, entry.name),
    entry,
  };
}
