/** The editor in front, and the tabs above it. */
import type { Locator, Page } from 'playwright-core';
import { eventually } from './eventually';
import { press } from './pointer';

export class Editor {
  readonly area: Locator;

  constructor(private readonly page: Page) {
    this.area = page.locator('.editor-group-container.active');
  }

  tab(name: string): Locator {
    return this.page.locator('.tabs-container .tab').filter({ hasText: name });
  }

  async waitForTab(name: string, timeout?: number): Promise<void> {
    await this.tab(name).waitFor(timeout === undefined ? {} : { timeout });
    await this.area.locator('.view-line').first().waitFor();
  }

  /** Ctrl and a click on the link of that number, from 0, which leads to a file of that name. */
  async followLink(number: number, name: string): Promise<void> {
    const link = this.area.locator('.view-lines .detected-link').nth(number);
    await eventually(`${name} behind the link`, async () => {
      // Links are found anew when the editor settles: a click that comes then has met none.
      await press(link, { modifiers: ['ControlOrMeta'], timeout: 3_000 });
      await this.waitForTab(name, 3_000);
    });
  }

  /** The lines in sight. */
  async text(): Promise<string> {
    const lines = await this.area.locator('.view-lines .view-line').all();
    // One that is drawn anew meanwhile is not waited for.
    const timeout = 1_000;
    const placed = await Promise.all(
      lines.map(async (line) => ({
        top: (await line.boundingBox({ timeout }))?.y ?? 0,
        text: await line.innerText({ timeout }),
      })),
    );
    // The editor writes spaces as non-breaking ones.
    return placed
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => text.replace(/\u00a0/g, ' '))
      .join('\n');
  }

  async waitForText(text: string): Promise<void> {
    await eventually(`"${text}" in the editor`, async () => {
      const shown = await this.text();
      if (!shown.includes(text)) throw new Error(`it shows "${shown.slice(0, 500)}"`);
    });
  }

  /** Types at the end of the file. */
  async append(text: string): Promise<void> {
    await this.area.locator('.view-lines').first().click();
    await this.page.keyboard.press('Control+End');
    await this.page.keyboard.type(text);
  }

  /** Replaces everything. */
  async replace(text: string): Promise<void> {
    await this.area.locator('.view-lines').first().click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.type(text);
  }

  /** Saves, and waits until the tab isn't marked as changed. The file is written a moment later: look with `eventually`. */
  async save(name: string): Promise<void> {
    await this.page.keyboard.press('Control+S');
    await this.page
      .locator('.tabs-container .tab.dirty')
      .filter({ hasText: name })
      .waitFor({ state: 'detached' });
  }

  async closeAll(): Promise<void> {
    await this.page.keyboard.press('Control+K');
    await this.page.keyboard.press('Control+W');
  }
}
