/** The box at the top: command palette, quick picks, input boxes, wizards. */
import type { Locator, Page } from 'playwright-core';
import { eventually } from './eventually';
import { press } from './pointer';

const OPEN_TIMEOUT_MS = 10_000;

export class QuickInput {
  readonly widget: Locator;
  readonly box: Locator;
  readonly rows: Locator;

  constructor(private readonly page: Page) {
    this.widget = page.locator('.quick-input-widget:visible');
    this.box = this.widget.locator('.quick-input-box input');
    this.rows = this.widget.locator('.quick-input-list .monaco-list-row');
  }

  /** Runs a command as a user would: by its title in the palette, which has to be the first hit. */
  async run(title: string): Promise<void> {
    const first = this.rows.first();
    await eventually(`the command "${title}" in the palette`, async () => {
      // An open palette does not learn of commands that become possible.
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('F1');
      await this.box.waitFor({ timeout: 5000 }).catch(async (error: unknown) => {
        // A page that is about to go swallows keys as long as it has the focus.
        await this.page.evaluate('document.activeElement?.blur()');
        throw error;
      });
      await this.box.fill(`>${title}`, { timeout: 3000 });
      await first.and(this.page.getByLabel(title)).waitFor({ timeout: 2000 });
    });
    await this.page.keyboard.press('Enter');
    // What the command asks for comes in the same widget.
    await eventually('the palette to close', async () => {
      const typed = (await this.box.count()) === 0 ? '' : await this.box.inputValue({ timeout: 1_000 });
      if (typed === `>${title}`) throw new Error('it is open');
    });
  }

  /** The text beside the steps of a wizard. */
  title(timeout?: number): Promise<string> {
    return this.widget.locator('.quick-input-title').innerText(timeout === undefined ? {} : { timeout });
  }

  /** Waits for a step of that title: two steps in a row look the same otherwise. */
  async waitForTitle(text: string): Promise<void> {
    await eventually(`an input titled "${text}"`, async () => {
      const title = await this.title();
      if (!title.includes(text)) throw new Error(`it is titled "${title}"`);
    });
  }

  /** Types into an input box and confirms. */
  async enter(text: string): Promise<void> {
    await this.box.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Types into the box that `open` brings, which closes when something else takes the focus, such as an editor that is late. */
  async enterAfter(open: () => Promise<void>, text: string): Promise<void> {
    await eventually(
      'a box that stays open',
      async () => {
        await open();
        await this.box.fill(text, { timeout: OPEN_TIMEOUT_MS });
      },
      2 * OPEN_TIMEOUT_MS,
    );
    await this.page.keyboard.press('Enter');
  }

  /** Chooses the row whose label starts with `label`. */
  async pick(label: string): Promise<void> {
    const row = this.rows.filter({ hasText: label }).first();
    await eventually(`a click on "${label}"`, async () => {
      // Rows that come under a pointer at rest show their tips over those that are to be clicked.
      await this.page.mouse.move(1, 1);
      await row.click({ timeout: 5_000 });
    });
  }

  async labels(): Promise<string[]> {
    await this.rows.first().waitFor();
    const labels = await this.rows.locator('.quick-input-list-label .label-name').allInnerTexts();
    // An icon leaves a space before the text.
    return labels.map((label) => label.trim());
  }

  /** What is written below the box: the prompt, or what is wrong with the input. */
  message(): Promise<string> {
    return this.widget.locator('.quick-input-message').innerText();
  }

  async back(): Promise<void> {
    await this.button(/^Back/);
  }

  /** Presses one of the buttons in its title, or of the first row that has it. */
  async button(name: string | RegExp): Promise<void> {
    await press(this.widget.getByRole('button', { name }).first());
  }

  async cancel(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }
}
