/**
 * One terminal in a workspace, attached through the engine. When the workspace stops or the line breaks, the
 * terminal stays with its text, says why, and connects again on a key press once the workspace runs.
 */
import * as vscode from 'vscode';
import { asBerthError } from '../../api';
import { homeFolder } from '../../api/rules/home-volume';
import { isLive } from '../../api/rules/lifecycle';
import type { AttachSession } from '../../client/attach';
import type { EngineLink } from '../../ui/engine-link';
import type { Store } from '../../ui/store';
import { OutputFlow } from './output-flow';
import { loadPart } from '../../client/load-part';

const { t } = vscode.l10n;

export class WorkspacePty implements vscode.Pseudoterminal {
  private readonly written = new vscode.EventEmitter<string>();
  private readonly closed = new vscode.EventEmitter<number | void>();
  readonly onDidWrite = this.written.event;
  readonly onDidClose = this.closed.event;
  private session: AttachSession | undefined;
  private size: vscode.TerminalDimensions = { columns: 80, rows: 24 };
  /** What is typed before there is somebody who takes it. */
  private typedAhead = '';
  private readonly flow = new OutputFlow((text) => this.write(text));
  private phase: 'connecting' | 'attached' | 'broken' | 'closed' = 'connecting';

  constructor(
    private readonly name: string,
    private readonly link: EngineLink,
    private readonly store: Store,
    private readonly folder = homeFolder,
  ) {}

  open(size: vscode.TerminalDimensions | undefined): void {
    this.size = size ?? this.size;
    void this.connect();
  }

  close(): void {
    this.phase = 'closed';
    this.session?.close();
    this.written.dispose();
    this.closed.dispose();
  }

  setDimensions(size: vscode.TerminalDimensions): void {
    this.size = size;
    this.session?.resize(size.columns, size.rows);
  }

  handleInput(input: string): void {
    const text = this.flow.typed(input);
    if (text === '') {
      return;
    }
    if (this.phase === 'attached') {
      void this.session?.write(text);
    } else if (this.phase === 'connecting') {
      this.typedAhead += text;
    } else if (this.phase === 'broken') {
      void this.connect();
    }
  }

  private async connect(): Promise<void> {
    this.phase = 'connecting';
    this.typedAhead = '';
    try {
      const client = await this.link.client();
      // The WebSocket library is read when the first terminal opens, not at activation.
      const { attach } = await loadPart(import(/* webpackChunkName: "terminal" */ '../../client/attach.js'));
      const { columns: cols, rows } = this.size;
      const session = await attach(client, this.name, {
        tty: true,
        cols,
        rows,
        // As a login does; a command starts in the clone.
        cwd: this.folder,
        env: { TERM: 'xterm-256color', COLORTERM: 'truecolor' },
      });
      await this.attached(session);
      this.ended(await session.exit);
    } catch (error) {
      this.broken(asBerthError(error).message);
    }
  }

  /** Resolves when all that it said was written. */
  private async attached(session: AttachSession): Promise<void> {
    if (this.isClosed()) {
      session.close();
      return;
    }
    this.phase = 'attached';
    this.session = session;
    session.resize(this.size.columns, this.size.rows);
    if (this.typedAhead !== '') {
      void session.write(this.typedAhead);
    }
    session.stdout.setEncoding('utf8');
    await this.flow.follow(session.stdout);
  }

  /** The shell ended: of its own, or because its workspace did. */
  private ended(exitCode: number): void {
    const state = this.store.workspace(this.name)?.state;
    if (state !== undefined && isLive(state)) {
      this.session = undefined;
      if (!this.isClosed()) {
        this.closed.fire(exitCode);
      }
      return;
    }
    this.broken(t('the workspace does not run any more'));
  }

  private broken(why: string): void {
    this.session = undefined;
    if (!this.isClosed()) {
      this.phase = 'broken';
      const again = t('Press any key to connect again.');
      this.write(`\r\n\x1b[33m${t('Disconnected from {0}: {1}', this.name, why)}\x1b[0m\r\n${again}\r\n`);
    }
  }

  private isClosed(): boolean {
    return this.phase === 'closed';
  }

  private write(text: string): void {
    if (!this.isClosed()) {
      this.written.fire(text);
    }
  }
}
