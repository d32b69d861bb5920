/** The windows that an extension asks VS Code to open. */
import type { Page } from 'playwright-core';

/** A window that is opened, or one that becomes another. */
export interface Opened {
  /** With scheme and authority. */
  address: string;
  forceNewWindow: boolean;
}

/**
 * What an extension tells its window to open. A window in a browser knows only its own server and goes to the path
 * alone, so the whole address can be seen only on its way there.
 */
export class OpenedWindows {
  readonly opened: Opened[] = [];

  readonly watch = (page: Page): void => {
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => this.take(String(payload))));
  };

  last(): Opened | undefined {
    return this.opened.at(-1);
  }

  private take(text: string): void {
    const call = /\["vscode\.openFolder",\[(\{[^}]*\}),(\{[^}]*\})\]/.exec(text);
    if (call === null) {
      return;
    }
    const { scheme, authority, path } = JSON.parse(call[1]!) as Record<string, string>;
    const { forceNewWindow } = JSON.parse(call[2]!) as { forceNewWindow: boolean };
    this.opened.push({ address: `${scheme}://${authority}${path}`, forceNewWindow });
  }
}
