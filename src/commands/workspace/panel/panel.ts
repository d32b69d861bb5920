/** The panel of a workspace: what it uses, its ports, volumes, snapshots and last words, with the buttons of its row. */
import * as vscode from 'vscode';
import type { Workspace } from '../../../api';
import type { CommandId } from '../../../ui/contributions/commands';
import { shownVolumes } from '../../../providers/trees/arrange';
import { VolumeSizes } from '../../../providers/trees/volume-sizes';
import type { Handler, Services } from '../../command';
import { pageMedia } from '../../page-html';
import { panelFacts, type PanelFacts } from './facts';
import { panelHtml } from './page';
import { seriesOf, type Sample, type Series } from './series';
import { PanelTimeline } from './panel-timeline';
import type { Timeline } from './timeline';
import { PanelWatch } from './watch';

const { t } = vscode.l10n;
const viewType = 'berth.workspace';

type PanelServices = Pick<Services, 'context' | 'link' | 'store' | 'targets' | 'log'>;

/** To the page. */
type Message =
  | { type: 'facts'; facts: PanelFacts }
  | { type: 'usage'; series: Series[] }
  | { type: 'log'; lines: readonly string[] }
  | { type: 'snapshots'; timeline: Timeline };

/** Shows the panel of a workspace, one for each. */
export const showPanel = (services: PanelServices): Handler => {
  const panels = new Map<string, WorkspacePanel>();
  return async (target) => {
    const { name, label } = await services.targets.workspace(target, {
      eligible: () => true,
      placeHolder: t('Workspace to look at'),
      none: t('There is no workspace.'),
    });
    const panel =
      panels.get(name) ?? new WorkspacePanel(services, { name, label }, () => panels.delete(name));
    panels.set(name, panel);
    panel.reveal();
  };
};

class WorkspacePanel {
  private readonly panel: vscode.WebviewPanel;
  private readonly watch: PanelWatch;
  private readonly sizes: VolumeSizes;
  private readonly timeline: PanelTimeline;
  private readonly owned: { dispose(): unknown }[] = [];

  constructor(
    private readonly services: PanelServices,
    private readonly shown: Pick<Workspace, 'name' | 'label'>,
    closed: () => void,
  ) {
    const { context, link, store, log } = services;
    this.sizes = new VolumeSizes(link, store, log);
    const media = pageMedia(context.extensionUri, 'panel');
    this.panel = vscode.window.createWebviewPanel(viewType, shown.label, vscode.ViewColumn.Active, {
      enableScripts: true,
      localResourceRoots: media.roots,
    });
    this.watch = new PanelWatch({
      client: () => link.client(),
      workspace: () => store.workspace(shown.name),
      sampled: (samples) => this.drawUsage(samples),
      logged: (lines) => this.send({ type: 'log', lines }),
    });
    this.timeline = new PanelTimeline({
      ...{ client: () => link.client(), log },
      workspace: () => store.workspace(shown.name),
      volume: (name) => store.volume(name),
      drawn: (timeline) => this.send({ type: 'snapshots', timeline }),
    });
    this.owned.push(
      store.onDidChange(({ all, workspaces, volumes }) => {
        if (all || workspaces.has(shown.name) || volumes.size > 0) {
          this.drawFacts();
          this.timeline.renew();
        }
      }),
      this.panel.onDidChangeViewState(() => this.followSight()),
      this.panel.webview.onDidReceiveMessage((message: unknown) => this.received(message)),
    );
    this.panel.onDidDispose(() => {
      this.watch.stop();
      this.timeline.stop();
      this.owned.forEach((each) => void each.dispose());
      closed();
    });
    const { webview } = this.panel;
    webview.html = panelHtml(shown.label, media.addresses(webview));
  }

  reveal(): void {
    this.panel.reveal();
  }

  /** Hidden, it costs nothing: no timer, no question, no stream. Its page is loaded anew when it shows again. */
  private followSight(): void {
    if (!this.panel.visible) {
      this.watch.stop();
      this.timeline.stop();
    }
  }

  private received(message: unknown): void {
    if (typeof message !== 'object' || message === null) {
      return;
    }
    if ('ready' in message) {
      this.drawFacts();
      this.facts()?.volumes.forEach(({ name }) => this.sizes.opened(name));
      this.watch.stop();
      this.watch.start();
      this.timeline.start();
    } else if ('snapshot' in message) {
      void this.timeline.press(message);
    } else if ('command' in message) {
      this.press(message.command);
    } else if ('port' in message) {
      this.openPort(message.port);
    }
  }

  /** Only what the page was given a button for. */
  private press(asked: unknown): void {
    const command = this.facts()?.buttons.find((button) => button.command === asked)?.command;
    if (command !== undefined) {
      void vscode.commands.executeCommand(command, this.shown.name);
    }
  }

  private openPort(asked: unknown): void {
    const workspace = this.services.store.workspace(this.shown.name);
    const port = workspace?.spec.ports?.find(({ host }) => host === asked);
    if (port?.host !== undefined) {
      const command: CommandId = 'berth.port.open';
      const row = { type: 'published', workspace: this.shown.name, host: port.host, guest: port.guest };
      void vscode.commands.executeCommand(command, row);
    }
  }

  private facts(): PanelFacts | undefined {
    const { store } = this.services;
    const workspace = store.workspace(this.shown.name);
    return workspace && panelFacts(workspace, (name) => store.volume(name), shownVolumes(store.volumes));
  }

  private drawFacts(): void {
    const facts = this.facts();
    if (facts === undefined) {
      this.panel.dispose();
      return;
    }
    this.panel.title = facts.title;
    this.send({ type: 'facts', facts });
  }

  private drawUsage(samples: readonly Sample[]): void {
    const limits = this.services.store.workspace(this.shown.name)?.spec.limits ?? {};
    this.send({ type: 'usage', series: seriesOf(samples, limits, Date.now()) });
  }

  private send(message: Message): void {
    void this.panel.webview.postMessage(message);
  }
}
