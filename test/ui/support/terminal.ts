/** The terminal panel. */
import type { Locator, Page } from 'playwright-core';
import { eventually } from './eventually';

export class Terminal {
  readonly screen: Locator;

  constructor(private readonly page: Page) {
    this.screen = page.locator('.terminal-wrapper.active .xterm');
  }

  async text(): Promise<string> {
    const rows = await this.screen.locator('.xterm-rows > div').allInnerTexts();
    return rows.map((row) => row.replace(/\u00a0/g, ' ').trimEnd()).join('\n');
  }

  async waitForText(text: string | RegExp, timeout?: number): Promise<void> {
    const check = async (): Promise<void> => {
      const shown = await this.text();
      if (!(typeof text === 'string' ? shown.includes(text) : text.test(shown)))
        throw new Error(`it shows:\n${shown}`);
    };
    await eventually(`${String(text)} in the terminal`, check, timeout);
  }

  /** Waits until keys go to it; a terminal that opens takes the focus only when it is ready. */
  async waitForFocus(): Promise<void> {
    await this.page.locator('.terminal-wrapper.active .xterm.focus').waitFor();
  }

  /** Types a line and Return. */
  async type(line: string): Promise<void> {
    await this.screen.click();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
  }
}
