/** The page of storage: what takes room on this machine, the largest first, and the way to each. */
import { statfs } from 'node:fs/promises';
import * as vscode from 'vscode';
import { asBerthError, type Cache, type Snapshot } from '../../api';
import type { TrashItem } from '../../api/trash/schemas';
import { localTarget } from '../../api/rules/runtimes';
import { Cancelled } from '../../ui/runner';
import { setting } from '../../ui/settings';
import type { CommandId } from '../../ui/contributions/commands';
import type { Handler, Services } from '../command';
import { pageMedia } from '../page-html';
import { cleanCaches } from './caches';
import {
  imageTitle,
  measurable,
  sectionIds,
  storageFacts,
  type Disk,
  type ListedImages,
  type SectionId,
} from './facts';
import { showImageMenu } from './image-menu';
import { Measuring } from './measuring';
import { storageHtml } from './page';
import { showSnapshotMenu } from './snapshots';
import { showTrashMenu } from './trash';

const { t } = vscode.l10n;
const viewType = 'berth.storage';

type StorageServices = Pick<Services, 'context' | 'link' | 'runner' | 'store' | 'views' | 'log'>;

/** Shows the page, or brings it to the front. */
export const showStorage = (services: StorageServices): Handler => {
  let page: StoragePage | undefined;
  return async () => {
    await services.link.client();
    page ??= new StoragePage(services, () => (page = undefined));
    page.reveal();
  };
};

class StoragePage {
  private readonly panel: vscode.WebviewPanel;
  private readonly measuring: Measuring;
  private readonly whole = new Set<SectionId>();
  private readonly owned: { dispose(): unknown }[] = [];
  private images: ListedImages;
  private disk: Disk | undefined;
  private caches: readonly Cache[] = [];
  private snapshots: readonly Snapshot[] = [];
  private trash: readonly TrashItem[] = [];

  constructor(
    private readonly services: StorageServices,
    closed: () => void,
  ) {
    const { context, link, store, log } = services;
    const media = pageMedia(context.extensionUri, 'storage');
    this.panel = vscode.window.createWebviewPanel(viewType, t('Storage'), vscode.ViewColumn.Active, {
      enableScripts: true,
      localResourceRoots: media.roots,
    });
    this.measuring = new Measuring({ client: () => link.client(), store, log, changed: () => this.draw() });
    this.owned.push(
      store.onDidChange(() => this.draw()),
      store.onOperation(({ status }) => {
        if (status !== 'running') {
          void this.look();
        }
      }),
      this.panel.webview.onDidReceiveMessage((message: unknown) => void this.received(message)),
    );
    this.panel.onDidDispose(() => {
      this.measuring.cancel();
      this.owned.forEach((each) => void each.dispose());
      closed();
    });
    const { webview } = this.panel;
    webview.html = storageHtml(media.addresses(webview));
  }

  reveal(): void {
    this.panel.reveal();
  }

  /** Asks for what no event tells. */
  private async look(): Promise<void> {
    if (!this.panel.visible) {
      return;
    }
    const { link, log } = this.services;
    try {
      const client = await link.client();
      const [images, info, caches, snapshots, trash] = await Promise.all([
        client.call('images.list', {}).then(
          (list): ListedImages => ({ list }),
          (error: unknown): ListedImages => ({ problem: asBerthError(error).message }),
        ),
        client.call('engine.info', {}),
        // An engine from before knows of none.
        client.call('caches.list', {}).catch((error: unknown) => {
          log.warn(`The caches could not be listed: ${asBerthError(error).message}`);
          return [];
        }),
        client.call('snapshots.listAll', {}),
        client.call('trash.list', {}),
      ]);
      this.caches = caches;
      this.snapshots = snapshots;
      this.trash = trash;
      this.images = images;
      const { bavail, blocks, bsize } = await statfs(info.home);
      const targets = info.drivers.map(({ target = localTarget }) => target);
      const others = [...new Set(targets)].filter((target) => target !== localTarget);
      this.disk = { path: info.home, freeBytes: bavail * bsize, totalBytes: blocks * bsize, others };
    } catch (error) {
      log.warn(`The disk could not be looked at: ${asBerthError(error).message}`);
    }
    this.draw();
  }

  /** What the page sends is a wish: only what it was shown is acted on. */
  private async received(message: unknown): Promise<void> {
    if (typeof message !== 'object' || message === null) {
      return;
    }
    const { store, views } = this.services;
    const wish = message as Record<string, unknown>;
    const volume = typeof wish.volume === 'string' ? store.volume(wish.volume) : undefined;
    const workspace = typeof wish.workspace === 'string' ? store.workspace(wish.workspace) : undefined;
    if ('ready' in wish) {
      this.draw();
      await this.look();
    } else if (volume !== undefined) {
      await views.revealVolume(volume.name);
    } else if (workspace !== undefined) {
      await press('berth.workspace.showPanel', workspace.name);
    } else if ('snapshots' in wish) {
      await this.openSnapshots(wish.snapshots);
    } else if ('image' in wish) {
      await this.openImage(wish.image);
    } else if ('trash' in wish) {
      await this.openTrashed(wish.trash);
    } else if (wish.clean === 'trash') {
      await press('berth.trash.empty');
    } else if ('cache' in wish || 'clean' in wish) {
      await this.clean(wish.cache);
    } else if ('create' in wish) {
      await press('berth.workspace.create');
    } else if ('cancel' in wish) {
      this.measuring.cancel();
    } else {
      this.inSection(wish);
    }
  }

  private inSection(wish: Record<string, unknown>): void {
    const sectionOf = (name: unknown): SectionId | undefined => sectionIds.find((id) => id === name);
    const more = sectionOf(wish.more);
    const measure = sectionOf(wish.measure);
    if (more !== undefined) {
      this.whole.add(more);
      this.draw();
    } else if (measure !== undefined) {
      const volumes = measurable(this.services.store.volumes, measure);
      void this.measuring.run(volumes.map(({ name }) => name));
    }
  }

  private async openImage(id: unknown): Promise<void> {
    const listed = this.images !== undefined && 'list' in this.images ? this.images.list : [];
    const image = listed.find((each) => each.id === id);
    if (image !== undefined) {
      await this.attempt(imageTitle(image), () => showImageMenu(this.services, image));
    }
  }

  private async openSnapshots(volume: unknown): Promise<void> {
    const shown = this.snapshots.find((each) => each.volume === volume);
    if (shown !== undefined) {
      await this.attempt(t('Snapshots'), () => showSnapshotMenu(shown.volume));
    }
  }

  private async openTrashed(id: unknown): Promise<void> {
    const item = this.trash.find((each) => each.id === id);
    if (item !== undefined) {
      await this.attempt(item.name, () => showTrashMenu(item));
    }
  }

  /** Of one cache, or of all. */
  private async clean(id: unknown): Promise<void> {
    const chosen = this.caches.filter((cache) => id === undefined || cache.id === id);
    await this.attempt(t('Cleaning up'), () => cleanCaches(this.services, chosen));
  }

  private async attempt(title: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      if (!(thrown instanceof Cancelled)) {
        void this.services.runner.report(title, asBerthError(thrown));
      }
    }
    await this.look();
  }

  private draw(): void {
    if (!this.panel.visible) {
      return;
    }
    const { store } = this.services;
    const facts = storageFacts({
      ...{ volumes: store.volumes, workspaces: store.workspaces },
      ...{ images: this.images, disk: this.disk, caches: this.caches, whole: this.whole },
      ...{ snapshots: this.snapshots, trash: this.trash },
      showsForeign: setting('volumes.showForeign', true),
      ...{ measuring: this.measuring.now, failed: this.measuring.failed },
    });
    void this.panel.webview.postMessage({ facts });
  }
}

const press = (command: CommandId, ...values: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand(command, ...values);
