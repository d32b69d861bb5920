/** One view of the side bar with a tree in it. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { dropFromFileManager, dropFromMemory, dropPaths, type MemoryFile } from './drop';
import { eventually } from './eventually';
import { press, withdraw } from './pointer';

const MENU_TIMEOUT_MS = 30_000;
const STALE_MS = 250;

interface Styles {
  getComputedStyle: (of: unknown, pseudo: string) => { content: string };
}

export class Tree {
  readonly rows: Locator;

  constructor(
    private readonly page: Page,
    /** The view's pane, or whatever else contains its rows. */
    readonly pane: Locator,
  ) {
    this.rows = pane.locator('.monaco-list-row');
  }

  /** A row by its label, which has to match as a whole; a row has to be scrolled into sight to exist. */
  row(label: string): TreeRow {
    const name = this.page.locator('.label-name').filter({ hasText: exactly(label) });
    return new TreeRow(this.page, this.rows.filter({ has: name }).first());
  }

  /** Scrolls up until the whole of that row is in sight. */
  async scrollUpTo(label: string): Promise<TreeRow> {
    const row = this.row(label);
    const list = this.pane.locator('.monaco-list');
    await list.hover();
    await eventually(`the row ${label} in sight`, async () => {
      const at = (await row.locator.count()) > 0 ? await row.locator.boundingBox() : null;
      const top = (await list.boundingBox())?.y ?? 0;
      if (!at || at.y < top) {
        await this.page.mouse.wheel(0, -44);
        throw new Error(at ? 'it is covered' : 'it is out of sight');
      }
    });
    return row;
  }

  /** The labels of all rows in sight, top to bottom. Rejects soon when one of them goes meanwhile. */
  async labels(): Promise<string[]> {
    const rows = await this.rows.all();
    const timeout = 1_000;
    const placed = await Promise.all(
      rows.map(async (row) => ({
        top: (await row.boundingBox({ timeout }))?.y ?? 0,
        label: await row.locator('.label-name').first().innerText({ timeout }),
      })),
    );
    return placed.sort((a, b) => a.top - b.top).map(({ label }) => label);
  }

  /** A button in the view's title, by its label. */
  async titleAction(label: string): Promise<void> {
    await withdraw(this.page);
    await this.pane.hover();
    await this.pane.locator(`.pane-header .actions a[aria-label^="${label}"]`).click();
  }

  /** Opens folders until the last one's children show. */
  async expand(...labels: string[]): Promise<void> {
    for (const label of labels) await this.row(label).expand();
  }
}

export class TreeRow {
  constructor(
    private readonly page: Page,
    readonly locator: Locator,
  ) {}

  async waitFor(state: 'visible' | 'hidden' = 'visible', timeout?: number): Promise<void> {
    await this.locator.waitFor({ state, ...(timeout ? { timeout } : {}) });
  }

  click(): Promise<void> {
    return press(this.label());
  }

  /** In addition to the rows that are selected already. */
  addToSelection(): Promise<void> {
    return press(this.label(), { modifiers: ['ControlOrMeta'] });
  }

  async doubleClick(): Promise<void> {
    await withdraw(this.page);
    await this.label().dblclick();
  }

  private label(): Locator {
    return this.locator.locator('.label-name').first();
  }

  /** The grey text after the label. */
  description(): Promise<string> {
    return this.locator.locator('.label-description').innerText();
  }

  /** What a screen reader says. */
  async spoken(): Promise<string> {
    return (await this.locator.getAttribute('aria-label')) ?? '';
  }

  /** The names of the icon's classes: `codicon-loading` while it spins. */
  async icon(): Promise<string> {
    return (await this.locator.locator('.custom-view-tree-node-item-icon').getAttribute('class')) ?? '';
  }

  /** The letters at its end, such as `RO`, which are no text of the row. */
  async mark(): Promise<string> {
    const content = await this.locator
      .locator('.monaco-icon-label')
      .first()
      .evaluate((label) => (globalThis as unknown as Styles).getComputedStyle(label, '::after').content);
    return content === 'none' ? '' : content.replaceAll('"', '');
  }

  async waitForMark(mark: string, timeout?: number): Promise<void> {
    await eventually(`the mark ${mark}`, async () => assert.equal(await this.mark(), mark), timeout);
  }

  /** Waits until the description matches; for a state that takes its time. */
  async waitForDescription(pattern: RegExp, timeout?: number): Promise<void> {
    const check = async (): Promise<void> => {
      const text = await this.description();
      if (!pattern.test(text)) throw new Error(`it says "${text}"`);
    };
    await eventually(`a row described as ${pattern}`, check, timeout);
  }

  expand(): Promise<void> {
    return this.turn(true);
  }

  collapse(): Promise<void> {
    return this.turn(false);
  }

  private async turn(isOpen: boolean): Promise<void> {
    await this.locator.waitFor();
    const wanted = String(isOpen);
    if ((await this.locator.getAttribute('aria-expanded')) !== wanted) {
      await press(this.locator.locator('.monaco-tl-twistie'));
    }
    await eventually(`the row to ${isOpen ? 'open' : 'close'}`, async () => {
      const now = await this.locator.getAttribute('aria-expanded');
      if (now !== wanted) throw new Error(`it is ${now === 'true' ? 'open' : 'closed'}`);
    });
  }

  /** Clicks one of the icons that show on hovering. */
  async inlineAction(label: string): Promise<void> {
    await withdraw(this.page);
    await this.locator.hover();
    await this.locator
      .locator('.actions')
      .getByRole('button', { name: action(label) })
      .click();
  }

  /** Rests on it until its tooltip shows that. A tooltip goes when its row changes, and comes only with the pointer. */
  async showTooltip(content: Locator): Promise<void> {
    await eventually(
      'the tooltip',
      async () => {
        await withdraw(this.page);
        await this.locator.hover();
        await content.waitFor({ timeout: 5_000 });
      },
      MENU_TIMEOUT_MS,
    );
  }

  /** `below`: the entry whose own menu has it. */
  async contextMenu(item: string, below?: string): Promise<void> {
    const entry = this.entry(item);
    await this.withMenu(`"${item}" in the menu`, async () => {
      if (below !== undefined) await this.entry(below).hover({ timeout: 3_000 });
      // One that just opened takes a moment until it accepts clicks.
      await entry.hover({ timeout: 3_000 });
      await entry.click({ timeout: 3_000 });
      // A click that came before that moment was over, as on a busy machine, has done nothing.
      await this.menu.first().waitFor({ state: 'hidden', timeout: 3_000 });
      await this.refuseStale();
    });
  }

  /** By its label: its name may end in a key. */
  private entry(item: string): Locator {
    const label = this.page.locator('.action-label', { hasText: exactly(item) });
    return this.menu.getByRole('menuitem').filter({ has: label });
  }

  /** What its menu offers once it has this; the menu stays open. */
  menuEntries(item: string): Promise<string[]> {
    const labels = this.menu.locator('.action-item .action-label');
    return this.withMenu(`"${item}" in the menu`, async () => {
      await labels.filter({ hasText: item }).first().waitFor({ timeout: 3_000 });
      return labels.allInnerTexts();
    });
  }

  private get menu(): Locator {
    return this.page.locator('.monaco-menu');
  }

  /** A menu closes when anything else takes the focus, such as a terminal that was asked for before and is ready now. */
  private withMenu<T>(what: string, use: () => Promise<T>): Promise<T> {
    return eventually(
      what,
      async () => {
        // In the tree itself, Escape would drop the selection.
        if (await this.menu.first().isVisible()) await this.page.keyboard.press('Escape');
        await press(this.label(), { button: 'right', timeout: 5_000 });
        return use();
      },
      MENU_TIMEOUT_MS,
    );
  }

  /** A row whose folder is just being listed again is nothing to VS Code for a moment: Berth says so, and does nothing. */
  private async refuseStale(): Promise<void> {
    const told = this.page
      .locator('.notifications-toasts .notification-list-item')
      .filter({ hasText: 'That row has just changed' });
    const isStale = await told
      .first()
      .waitFor({ timeout: STALE_MS })
      .then(() => true)
      .catch(() => false);
    if (isStale) {
      await told.first().hover();
      await told.first().locator('.codicon-notifications-clear').click();
      throw new Error('the row had just changed');
    }
  }

  /** Drags it onto another row, in the same tree or elsewhere. */
  async dragTo(target: TreeRow | Locator): Promise<void> {
    const goal = target instanceof TreeRow ? target.locator : target;
    await withdraw(this.page);
    await this.locator.dragTo(goal, { steps: 10 });
  }

  /** Files and folders from the file manager, as a browser gives them: no paths, and folders can't be read. */
  async dropFromFileManager(...paths: string[]): Promise<void> {
    await withdraw(this.page);
    await dropFromFileManager(this.locator, paths);
  }

  /** Files that need no disk. */
  async dropFromMemory(...files: MemoryFile[]): Promise<void> {
    await withdraw(this.page);
    await dropFromMemory(this.locator, files);
  }

  /** Files and folders with their paths. */
  async dropPaths(...paths: string[]): Promise<void> {
    await withdraw(this.page);
    await dropPaths(this.locator, paths);
  }
}

/** With the key that does the same, and what it does with Alt. */
function action(label: string): RegExp {
  return new RegExp(`${exactly(label).source.slice(0, -1)}(?: \\(.*\\))?(?:\\s+\\[Alt\\].*)?$`, 's');
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}
