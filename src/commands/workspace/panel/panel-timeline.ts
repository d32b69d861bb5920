/** The timeline of a panel that shows: asked for when something became of the volumes, and never while it is hidden. */
import * as vscode from 'vscode';
import { asBerthError, type Snapshot, type Volume, type Workspace } from '../../../api';
import { canBeKept } from '../../../api/snapshots/possible';
import type { EngineClient } from '../../../client/engine-client';
import { volumeDescription } from '../../../providers/trees/volume-item';
import type { CommandId } from '../../../ui/contributions/commands';
import type { Logger } from '../../../ui/engine-link';
import { pickOne } from '../../../ui/pick';
import { volumeWord } from '../../../ui/words';
import { keptVolumes, snapshotsOf, timelineOf, type Timeline } from './timeline';

const { t } = vscode.l10n;
/** So that ages stay true. */
const drawMs = 60_000;

export interface TimelineDeps {
  client(): Promise<EngineClient>;
  workspace(): Workspace | undefined;
  volume(name: string): Volume | undefined;
  drawn(timeline: Timeline): void;
  log: Pick<Logger, 'warn'>;
}

export class PanelTimeline {
  private snapshots: readonly Snapshot[] = [];
  private timer: NodeJS.Timeout | undefined;
  private isAsking = false;
  private isStale = false;

  constructor(private readonly deps: TimelineDeps) {}

  /** The page shows, and is empty. */
  start(): void {
    this.stop();
    this.timer = setInterval(() => this.draw(), drawMs);
    this.renew();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Something may have become of the volumes. */
  renew(): void {
    this.isStale = true;
    if (!this.isAsking) {
      void this.ask();
    }
  }

  /** A button of the page: only what it was given one for. */
  async press(message: object): Promise<void> {
    const command: unknown = Reflect.get(message, 'command');
    const id: unknown = Reflect.get(message, 'snapshot');
    if (command === undefined) {
      await this.make();
      return;
    }
    const snapshot = this.snapshots.find((each) => each.id === id);
    const buttons = this.timeline()?.entries.find((each) => each.id === id)?.buttons ?? [];
    const button = buttons.find((each) => each.command === command && each.hindrance === undefined);
    if (snapshot !== undefined && button !== undefined) {
      const row = { type: 'snapshot', volume: snapshot.volume, id: snapshot.id };
      await vscode.commands.executeCommand(button.command, row);
    }
  }

  private async make(): Promise<void> {
    const workspace = this.deps.workspace();
    const volumes = this.volumes().filter(canBeKept);
    const [first] = volumes;
    if (workspace === undefined || first === undefined) {
      return;
    }
    const items = volumes.map((volume) => ({
      label: volumeWord(volume.name, workspace),
      description: volumeDescription(volume),
      name: volume.name,
    }));
    const chosen =
      items.length === 1
        ? items[0]
        : await pickOne(items, { placeHolder: t('Volume to make a snapshot of') });
    if (chosen !== undefined) {
      const command: CommandId = 'berth.volume.snapshot';
      await vscode.commands.executeCommand(command, chosen.name);
    }
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    try {
      while (this.isStale && this.timer !== undefined) {
        this.isStale = false;
        this.snapshots = await snapshotsOf(await this.deps.client(), this.volumes());
        this.draw();
      }
    } catch (error) {
      this.deps.log.warn(`The snapshots for a panel are not known: ${asBerthError(error).message}`);
    } finally {
      this.isAsking = false;
    }
  }

  private draw(): void {
    const timeline = this.timeline();
    if (timeline !== undefined && this.timer !== undefined) {
      this.deps.drawn(timeline);
    }
  }

  private timeline(): Timeline | undefined {
    const workspace = this.deps.workspace();
    return workspace && timelineOf(workspace, this.snapshots, this.volumes(), Date.now());
  }

  private volumes(): Volume[] {
    const workspace = this.deps.workspace();
    return workspace === undefined ? [] : keptVolumes(workspace, (name) => this.deps.volume(name));
  }
}
