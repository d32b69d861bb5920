/** A user without a mouse: keys, and what has the focus after them. */
import type { Page } from 'playwright-core';
import { eventually } from './eventually';

/** As many steps as no list or ring of focus in these tests has. */
const MAX_STEPS = 60;
/** VS Code moves the focus some time after the key. */
const SETTLE_MS = 150;

/** Of a list it is the row, of an icon the link in it that has a name. */
const FOCUSED = `(() => {
  const { activeElement } = document;
  const element = document.getElementById(activeElement?.getAttribute('aria-activedescendant')) ?? activeElement;
  if (element === document.body) return '';
  const named = element?.getAttribute('aria-label') || element?.querySelector('a[aria-label]')?.getAttribute('aria-label');
  return (named || element?.innerText || '').trim().replace(/\\s+/g, ' ');
})()`;

export class Keyboard {
  constructor(private readonly page: Page) {}

  press(key: string): Promise<void> {
    return this.page.keyboard.press(key);
  }

  /** What a screen reader would say of what has the focus. */
  focused(): Promise<string> {
    return this.page.evaluate<string>(FOCUSED);
  }

  async waitForFocus(wanted: RegExp, timeout?: number): Promise<void> {
    await eventually(`the focus on ${wanted}`, () => this.check(wanted), timeout);
  }

  /** Presses a key as often as it takes to get there. */
  async go(key: string, wanted: RegExp): Promise<void> {
    const passed: string[] = [];
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const focused = await this.focused();
      if (wanted.test(focused)) return;
      passed.push(focused.slice(0, 60));
      await this.press(key);
      await this.page.waitForTimeout(SETTLE_MS);
    }
    throw new Error(`${key} does not lead to ${wanted}, but to ${[...new Set(passed)].join(' | ')}`);
  }

  private async check(wanted: RegExp): Promise<void> {
    const focused = await this.focused();
    if (!wanted.test(focused)) throw new Error(`it is on "${focused}"`);
  }
}
