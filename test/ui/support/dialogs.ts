/** Modal dialogs and notifications. */
import type { Locator, Page } from 'playwright-core';
import { press, withdraw } from './pointer';

export class Dialog {
  readonly box: Locator;

  constructor(page: Page) {
    this.box = page.locator('.monaco-dialog-box');
  }

  /** Message and detail, one line each. */
  async text(): Promise<string> {
    await this.box.waitFor();
    return this.box.locator('.dialog-message-text, .dialog-message-detail').allInnerTexts().then(joinLines);
  }

  async press(button: string): Promise<void> {
    const pressed = await this.box.elementHandle();
    await press(this.box.locator('.monaco-button').filter({ hasText: button }).first());
    // The next dialog may be there before anybody could see that there was none.
    await pressed.waitForElementState('hidden');
  }
}

export class Notifications {
  readonly toasts: Locator;

  constructor(private readonly page: Page) {
    this.toasts = page.locator('.notifications-toasts .notification-list-item');
  }

  with(text: string | RegExp): Locator {
    return this.toasts.filter({ hasText: text }).first();
  }

  async waitFor(text: string | RegExp, timeout?: number): Promise<void> {
    await this.with(text).waitFor(timeout ? { timeout } : {});
  }

  async press(text: string | RegExp, button: string): Promise<void> {
    const toast = this.with(text);
    // Buttons of a toast show while the pointer is over it.
    await withdraw(this.page);
    await toast.hover();
    await toast.locator('.monaco-button').filter({ hasText: button }).first().click();
  }

  async all(): Promise<string[]> {
    return this.page.locator('.notification-list-item-message').allInnerTexts();
  }
}

const joinLines = (lines: string[]): string => lines.filter(Boolean).join('\n');
