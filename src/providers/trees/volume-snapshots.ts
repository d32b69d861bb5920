/** Snapshots of volumes, as rows below them: asked for when a volume is opened, and again when something became of it. */
import * as vscode from 'vscode';
import { asBerthError, type Snapshot, type Volume } from '../../api';
import { formatBytes } from '../../ui/sizes';
import { canBeKept, canBeRestored, canHaveSnapshots } from '../../api/snapshots/possible';
import type { EngineLink, Logger } from '../../ui/engine-link';
import type { Store } from '../../ui/store';
import { time } from '../../ui/words';
import { panel } from './panel';
import { rowId, type VolumeRow } from './rows';

const { t } = vscode.l10n;

export class VolumeSnapshots {
  /** Of those that were opened, newest first. */
  private readonly known = new Map<string, readonly Snapshot[]>();
  private readonly asking = new Map<string, { isStale: boolean }>();

  /** `changed`: the rows below that volume are others now. */
  constructor(
    private readonly link: Pick<EngineLink, 'client'>,
    private readonly store: Pick<Store, 'volume'>,
    private readonly log: Pick<Logger, 'warn'>,
    private readonly changed: (volume: string) => void,
  ) {}

  of(volume: string): readonly Snapshot[] {
    return this.known.get(volume) ?? [];
  }

  find(volume: string, id: string): Snapshot | undefined {
    return this.of(volume).find((each) => each.id === id);
  }

  /** Its files need not wait for what is asked for here. */
  opened(name: string): void {
    const volume = this.store.volume(name);
    const isKnown = this.known.has(name) || this.asking.has(name);
    if (volume !== undefined && canHaveSnapshots(volume) && !isKnown) {
      void this.ask(name);
    }
  }

  /** Something became of it. */
  renew(name: string): void {
    if (this.known.has(name) || this.asking.has(name)) {
      void this.ask(name);
    }
  }

  /** The engine may be another one. */
  renewAll(): void {
    [...this.known.keys()].forEach((name) => this.renew(name));
  }

  private async ask(name: string): Promise<void> {
    const earlier = this.asking.get(name);
    if (earlier !== undefined) {
      earlier.isStale = true;
      return;
    }
    const asking = { isStale: true };
    this.asking.set(name, asking);
    try {
      while (asking.isStale) {
        asking.isStale = false;
        const client = await this.link.client();
        const found = await client.call('snapshots.list', { params: { volume: name } });
        const isNew = JSON.stringify(found) !== JSON.stringify(this.of(name));
        this.known.set(name, found);
        if (isNew) {
          this.changed(name);
        }
      }
    } catch (error) {
      this.log.warn(`The snapshots of ${name} are not known: ${asBerthError(error).message}`);
    } finally {
      this.asking.delete(name);
    }
  }
}

/** The row that holds those of a volume. */
export function snapshotsItem(
  row: Extract<VolumeRow, { type: 'snapshots' }>,
  snapshots: readonly Snapshot[],
  volume: Volume | undefined,
): vscode.TreeItem {
  const item = new vscode.TreeItem(t('Snapshots'), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = rowId(row);
  item.description = String(snapshots.length);
  item.iconPath = new vscode.ThemeIcon('history');
  item.contextValue = volume !== undefined && canBeKept(volume) ? 'snapshots+keepable' : 'snapshots';
  item.accessibilityInformation = { label: t('{0} snapshots of {1}', snapshots.length, row.volume) };
  return item;
}

/** Why one was made, where nobody asked for it by hand. */
export function reasonWords(reason: Snapshot['reason']): string[] {
  switch (reason) {
    case 'manual':
      return [];
    case 'before-restore':
      return [t('before a restore')];
    case 'fork':
      return [t('for forks')];
    case 'trash':
      return [t('in the trash')];
    case 'schedule':
      return [t('by schedule')];
    case 'stop':
      return [t('at a stop')];
  }
}

/** What can be said of one in a line: when, how large, and why it was made. */
export function snapshotWords({
  name,
  createdAt,
  usedBytes,
  reason,
}: Pick<Snapshot, 'name' | 'createdAt' | 'usedBytes' | 'reason'>): string {
  return [
    ...(name === undefined ? [] : [time(createdAt)]),
    formatBytes(usedBytes),
    ...reasonWords(reason),
  ].join(' · ');
}

/** The row of one; of one that is gone meanwhile its id alone. */
export function snapshotItem(
  row: Extract<VolumeRow, { type: 'snapshot' }>,
  snapshot: Snapshot | undefined,
  volume: Volume | undefined,
): vscode.TreeItem {
  const item = new vscode.TreeItem(snapshot === undefined ? row.id : snapshotTitle(snapshot));
  item.id = rowId(row);
  if (snapshot === undefined) {
    return item;
  }
  item.description = snapshotWords(snapshot);
  item.iconPath = new vscode.ThemeIcon(snapshotIcon(snapshot));
  const isRestorable = volume !== undefined && canBeRestored(volume);
  item.contextValue = isRestorable ? 'snapshot+restorable' : 'snapshot';
  item.accessibilityInformation = {
    label: t('Snapshot {0} of {1}, {2}', snapshotTitle(snapshot), row.volume, item.description),
  };
  return item;
}

/** Its name, else when it was made. */
export function snapshotTitle({ name, createdAt }: Pick<Snapshot, 'name' | 'createdAt'>): string {
  return name ?? time(createdAt);
}

/** One that somebody asked for looks other than one that was made by the way. */
export function snapshotIcon({ reason }: Pick<Snapshot, 'reason'>): string {
  return reason === 'manual' ? 'device-camera' : 'history';
}

/** What is known of one, as Markdown. */
export function snapshotTooltip(snapshot: Snapshot): vscode.MarkdownString {
  const { volume, createdAt, description, usedBytes, heldBytes, notes = [] } = snapshot;
  return panel(snapshotTitle(snapshot), t('Snapshot'), [
    [t('Volume'), volume],
    [t('Created'), time(createdAt)],
    [t('Description'), description],
    [t('Files'), formatBytes(usedBytes)],
    [t('Takes'), heldBytes === undefined ? undefined : formatBytes(heldBytes)],
    [t('Note'), notes.length === 0 ? undefined : notes.join(' ')],
  ]);
}
