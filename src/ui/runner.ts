/**
 * The one way a command runs: progress after a moment, cancel, errors as words with what to do about them.
 * A cancelled command is not an error.
 */
import * as vscode from 'vscode';
import { asBerthError, type BerthError, type Operation } from '../api';
import type { EngineClient } from '../client/engine-client';
import type { EngineLink, Logger } from './engine-link';
import type { Store } from './store';
import { percent, progressText } from './progress';
import { asSentence } from './words';
import { engineSentence } from './operations/engine-sentences';
import { hintedRemedy, hintInWindow } from './remedies/hinted-remedy';
import type { RemedyButton } from './remedies/remedy-button';
import { Cancelled } from './cancelled';
import { choose } from './dialog';
import { orCancelled } from './latest';
import { showErrorMessage } from './messages';
import { plainMessage } from './plain-label';
import { showInStatusBar } from './pick';

export { Cancelled } from './cancelled';

const { t } = vscode.l10n;
/** What is over before that needs no notification. */
const quickMs = 600;

export type Outcome<T> =
  { kind: 'done'; value: T } | { kind: 'cancelled' } | { kind: 'failed'; error: BerthError };

/** What a running command may use. */
export interface Task {
  readonly client: EngineClient;
  readonly signal: AbortSignal;
  /** Shows a line and, when known, how far it is in percent. */
  report(message: string, done?: number): void;
  /** Waits for an operation to end and shows its steps; cancel ends the operation itself. */
  follow(operation: Operation): Promise<Operation>;
}

/** Remembers over a reload of the window which operations are under way, with the titles of their progress. */
export interface UnderWay {
  add(id: string, title: string): void;
  remove(id: string): void;
}

/** What one kind of work knows better than the hint of its error. */
export type RemedyOf = (error: BerthError) => RemedyButton | readonly RemedyButton[] | undefined;

export class Runner {
  constructor(
    private readonly link: Pick<EngineLink, 'client'>,
    private readonly store: Store,
    private readonly log: Logger & { show(preserveFocus?: boolean): void },
    private readonly followed?: UnderWay,
  ) {}

  /** Runs one piece of work under a title, e.g. `Starting demo`, and tells how it ended. Never rejects. */
  async run<T>(title: string, work: (task: Task) => Promise<T>, remedyOf?: RemedyOf): Promise<Outcome<T>> {
    return this.reported(title, await this.watched(title, work), remedyOf);
  }

  /** As `run`, for what is done to the engine itself: it need not answer. */
  async runApart(title: string, work: () => Promise<void>): Promise<Outcome<void>> {
    return this.reported(title, await this.show(title, ({ signal }) => orCancelled(work(), signal)));
  }

  /** As `run`, for work whose end its caller tells: VS Code itself says what becomes of files. Never rejects. */
  watched<T>(title: string, work: (task: Task) => Promise<T>): Promise<Outcome<T>> {
    return this.show(title, async ({ signal }, reports) => {
      // An engine that does not come up must not hold up who cancels.
      const client = await orCancelled(this.link.client(), signal);
      return work({
        client,
        signal,
        report: (message, done) => reports.set(message, done),
        follow: (operation) => this.follow(client, operation, { title, signal, reports }),
      });
    });
  }

  private async show<T>(title: string, work: Attempt<T>): Promise<Outcome<T>> {
    const abort = new AbortController();
    const reports = new Reports();
    const running = this.attempt(title, work, abort, reports);
    const timer = setTimeout(() => void showProgress(title, running, abort, reports), quickMs);
    const outcome = await running;
    clearTimeout(timer);
    return outcome;
  }

  private reported<T>(title: string, outcome: Outcome<T>, remedyOf?: RemedyOf): Outcome<T> {
    if (outcome.kind === 'failed') {
      void this.report(title, outcome.error, remedyOf?.(outcome.error));
    } else if (outcome.kind === 'cancelled') {
      showInStatusBar(t('{0}: cancelled', title), 4_000);
    }
    return outcome;
  }

  /** Shows an error with its hint and what helps. */
  async report(
    title: string,
    error: BerthError,
    remedies: ReturnType<RemedyOf> = hintedRemedy(error),
  ): Promise<void> {
    const showLog = t('Show Berth Log');
    const buttons = remedies === undefined ? [] : [remedies].flat();
    const hint = hintInWindow(error);
    const message = engineSentence(error.message);
    const text = t('{0}: {1}', title, hint === undefined ? message : `${asSentence(message)} ${hint}`);
    const titles = buttons.map((button) => button.title);
    const { detail } = error;
    const details = t('Show Details');
    let chosen = await showErrorMessage(text, ...titles, detail === undefined ? showLog : details);
    if (chosen === details && detail !== undefined) {
      const dialog = { message: text, detail, harmless: showLog, others: titles };
      chosen = await choose(dialog).catch(() => undefined);
    }
    if (chosen === showLog) {
      this.log.show();
    } else {
      await buttons.find((button) => button.title === chosen)?.run();
    }
  }

  private async attempt<T>(
    title: string,
    work: Attempt<T>,
    abort: AbortController,
    reports: Reports,
  ): Promise<Outcome<T>> {
    try {
      return { kind: 'done', value: await work(abort, reports) };
    } catch (thrown) {
      const error = asBerthError(thrown);
      if (thrown instanceof Cancelled || abort.signal.aborted || error.code === 'cancelled') {
        return { kind: 'cancelled' };
      }
      this.log.error([title, error.code, error.message, error.detail].filter(Boolean).join(': '));
      return { kind: 'failed', error };
    }
  }

  private async follow(
    client: EngineClient,
    operation: Operation,
    { title, signal, reports }: { title: string; signal: AbortSignal; reports: Reports },
  ): Promise<Operation> {
    const show = (each: Operation): void => reports.set(progressText(each), percent(each));
    this.store.take({ type: 'operation.changed', payload: operation });
    show(operation);
    this.followed?.add(operation.id, title);
    const listening = this.store.onOperation((each) => each.id === operation.id && show(each));
    try {
      const ended = await client.waitFor(operation, signal);
      this.store.take({ type: 'operation.changed', payload: ended });
      this.followed?.remove(operation.id);
      for (const warning of ended.warnings) {
        this.log.warn(`${operation.title}: ${warning}`);
      }
      return ended;
    } catch (error) {
      await this.lookAgain(client, operation.id);
      throw error;
    } finally {
      listening.dispose();
    }
  }

  /** Whatever order answers and events came in: no row goes on spinning for what has ended. */
  private async lookAgain(client: EngineClient, id: string): Promise<void> {
    try {
      const payload = await client.call('operations.get', { params: { id } });
      this.store.take({ type: 'operation.changed', payload });
      if (payload.status !== 'running') {
        this.followed?.remove(id);
      }
    } catch (error) {
      this.log.info(`How operation ${id} ended is not known: ${asBerthError(error).message}`);
    }
  }
}

type Attempt<T> = (abort: AbortController, reports: Reports) => Promise<T>;

/** The latest report, kept for a notification that opens later. */
class Reports {
  private message = '';
  private done: number | undefined;
  private reportedAt = 0;
  private listener: ((value: { message: string; increment?: number }) => void) | undefined;

  set(message: string, done: number | undefined): void {
    this.message = message;
    this.done = done;
    this.report();
  }

  listen(listener: (value: { message: string; increment?: number }) => void): void {
    this.listener = listener;
    this.report();
  }

  private report(): void {
    const increment = this.done === undefined ? 0 : Math.max(0, this.done - this.reportedAt);
    if (this.listener !== undefined) {
      this.reportedAt += increment;
      this.listener({ message: this.message, ...(increment > 0 && { increment }) });
    }
  }
}

async function showProgress(
  title: string,
  running: Promise<unknown>,
  abort: AbortController,
  reports: Reports,
): Promise<void> {
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: plainMessage(title), cancellable: true },
    async (progress, token) => {
      token.onCancellationRequested(() => abort.abort());
      reports.listen(({ message, ...value }) =>
        progress.report({ ...value, message: plainMessage(message) }),
      );
      await running;
    },
  );
}
