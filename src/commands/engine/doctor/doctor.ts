/** The doctor: one page, which checks this machine when it opens and whenever it is asked to. */
import * as vscode from 'vscode';
import type { EngineClient } from '../../../client/engine-client';
import type { Handler, Services } from '../../command';
import { pageMedia } from '../../page-html';
import { userConfig } from '../../ssh/include';
import { doctorHtml, type Findings, type PageState, type ShownCheck } from './page';
import { pageActions, type PageAction, type PageRemedy } from './remedies';
import { remoteCheck, type PageCheck } from './remote-check';

const { t } = vscode.l10n;
const viewType = 'berth.doctor';

type DoctorServices = Pick<Services, 'runner' | 'context'>;

/** Shows the page, or brings it to the front, and checks this machine. */
export const doctor = (services: DoctorServices): Handler => {
  let page: DoctorPage | undefined;
  return async () => {
    page ??= new DoctorPage(services, () => (page = undefined));
    page.reveal();
    await page.check();
  };
};

/** What a window has besides what the engine names. */
function remediesOf({ name, remedies = [] }: PageCheck): readonly string[] {
  return name === 'space' ? [...remedies, 'show-storage'] : remedies;
}

class DoctorPage {
  private readonly panel: vscode.WebviewPanel;
  private readonly media: ReturnType<typeof pageMedia>;
  private readonly actions: Readonly<Record<PageRemedy, PageAction>>;
  private last: Findings | undefined;
  private running: Promise<void> | undefined;
  private isOpen = true;

  constructor(
    private readonly services: DoctorServices,
    closed: () => void,
  ) {
    this.actions = pageActions(services);
    this.media = pageMedia(services.context.extensionUri, 'doctor');
    this.panel = vscode.window.createWebviewPanel(viewType, t('Berth Doctor'), vscode.ViewColumn.Active, {
      enableScripts: true,
      localResourceRoots: this.media.roots,
    });
    this.panel.webview.onDidReceiveMessage((message: unknown) => void this.pressed(message));
    this.panel.onDidDispose(() => {
      this.isOpen = false;
      closed();
    });
  }

  reveal(): void {
    this.panel.reveal();
  }

  /** Joins the checks that run. */
  check(): Promise<void> {
    this.running ??= this.run().finally(() => (this.running = undefined));
    return this.running;
  }

  private async run(): Promise<void> {
    this.show({ kind: 'checking', last: this.last });
    const outcome = await this.services.runner.watched(t('Checking this machine'), ({ client, signal }) =>
      this.find(client, signal),
    );
    if (outcome.kind === 'done') {
      this.last = outcome.value;
      this.show({ kind: 'found', found: outcome.value });
    } else if (outcome.kind === 'failed') {
      const remedies = this.shown(['restart-engine', 'show-log']);
      this.show({ kind: 'failed', error: outcome.error, remedies });
    } else {
      this.panel.dispose();
    }
  }

  private async find(client: EngineClient, signal: AbortSignal): Promise<Findings> {
    const remote = remoteCheck(this.services);
    const query = remote.outcome === 'failed' ? {} : userConfig(this.services);
    const { checks } = await client.call('engine.doctor', { query, signal });
    const info = await client.call('engine.info', { signal });
    const all: PageCheck[] = [...checks, remote];
    return { checks: all.map((each) => ({ ...each, remedies: this.shown(remediesOf(each)) })), info };
  }

  /** An engine of another version may know of more than this window. */
  private shown(ids: readonly string[]): ShownCheck['remedies'] {
    return ids.filter((id) => this.isRemedy(id)).map((id) => ({ id, title: this.actions[id].title }));
  }

  private isRemedy(id: unknown): id is PageRemedy {
    return typeof id === 'string' && Object.hasOwn(this.actions, id);
  }

  private async pressed(message: unknown): Promise<void> {
    if (typeof message !== 'object' || message === null) {
      return;
    }
    if ('again' in message) {
      await this.check();
    } else if ('remedy' in message && this.isRemedy(message.remedy)) {
      const action = this.actions[message.remedy];
      await action.run();
      if (action.mends === true && this.isOpen) {
        await this.check();
      }
    }
  }

  private show(state: PageState): void {
    if (!this.isOpen) {
      return;
    }
    const { webview } = this.panel;
    webview.html = doctorHtml(state, this.media.addresses(webview));
  }
}
