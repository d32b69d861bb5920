/** A window of VS Code, in the words of its user. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { ROOT } from '../../runner/setup';
import { Dialog, Notifications } from './dialogs';
import { Editor } from './editor';
import { eventually } from './eventually';
import { QuickInput } from './quick-input';
import { Terminal } from './terminal';
import { Tree, type TreeRow } from './tree';

export const SCREENSHOTS = join(ROOT, 'test-results', 'screenshots');

export class Workbench {
  readonly quickInput: QuickInput;
  readonly dialog: Dialog;
  readonly notifications: Notifications;
  readonly editor: Editor;
  readonly terminal: Terminal;

  constructor(readonly page: Page) {
    this.quickInput = new QuickInput(page);
    this.dialog = new Dialog(page);
    this.notifications = new Notifications(page);
    this.editor = new Editor(page);
    this.terminal = new Terminal(page);
  }

  async waitUntilReady(): Promise<void> {
    await this.page.locator('.monaco-workbench .activitybar').waitFor({ timeout: 60_000 });
  }

  run(commandTitle: string): Promise<void> {
    return this.quickInput.run(commandTitle);
  }

  /**
   * Shows a container of the activity bar. Clicking the one that shows already hides the side bar, also when a window
   * that was reloaded brought it back just before the click.
   */
  async openSideBar(name: string): Promise<void> {
    const tab = this.page.locator('.activitybar').getByRole('tab', { name });
    const content = this.page.locator('.sidebar .composite').first();
    await tab.waitFor({ timeout: 90_000 });
    await eventually(`${name} in the side bar`, async () => {
      if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click();
      await content.waitFor({ timeout: 2_000 });
      assert.equal(await tab.getAttribute('aria-selected'), 'true');
    });
  }

  /** Drags a row to a view that shows only when the pointer rests on its icon in the activity bar. */
  async dragAcross(source: TreeRow, container: string, target: TreeRow): Promise<void> {
    const { mouse } = this.page;
    await settled(source.locator);
    // Waits until no tooltip covers it.
    await source.locator.locator('.label-name').first().hover();
    await mouse.down();
    // A drag begins with a small movement over the row itself.
    await moveTo(mouse, source.locator, 5);
    const icon = this.page.locator('.activitybar').getByRole('tab', { name: container });
    await eventually(`${container} to open under the pointer`, async () => {
      // A resting hand trembles: the drag is told to the page on movement only. Above the middle, as the rest of the
      // icon may lie under a badge, and VS Code counts anew whenever the pointer comes onto another element.
      await moveTo(mouse, icon, -15);
      await moveTo(mouse, icon, -10);
      await target.waitFor('visible', 200);
    });
    await moveTo(mouse, target.locator);
    await mouse.up();
  }

  /** The number on an icon of the activity bar. */
  badge(name: string): Promise<string> {
    const tab = this.page
      .locator('.activitybar .action-item')
      .filter({ has: this.page.getByRole('tab', { name }) });
    return tab.locator('.badge-content').innerText();
  }

  /** Drags the edge of the side bar until it is that wide. */
  async resizeSideBar(pixels: number): Promise<void> {
    const { mouse } = this.page;
    const sideBar = this.page.locator('.part.sidebar');
    const box = await sideBar.boundingBox();
    if (!box) throw new Error('there is no side bar');
    const y = box.y + box.height / 2;
    await mouse.move(box.x + box.width, y);
    await mouse.down();
    await mouse.move(box.x + pixels, y, { steps: 8 });
    await mouse.up();
    await eventually(`a side bar of ${pixels} pixels`, async () => {
      const width = (await sideBar.boundingBox())?.width ?? 0;
      assert.ok(Math.abs(width - pixels) <= 4, `it has ${width}`);
    });
  }

  /** A view by the title of its pane. */
  tree(title: string): Tree {
    const header = this.page.locator('.pane-header .title', { hasText: title });
    return new Tree(this.page, this.page.locator('.sidebar .pane').filter({ has: header }));
  }

  /** The files of the folder that the window has open. */
  explorer(): Tree {
    return new Tree(this.page, this.page.locator('.explorer-folders-view'));
  }

  /** The text of an entry of the status bar. */
  async statusBar(text: string | RegExp): Promise<string> {
    const entry = this.page.locator('.statusbar-item').filter({ hasText: text }).first();
    await entry.waitFor();
    return entry.innerText();
  }

  /** Writes `test-results/screenshots/<name>.png` and returns its path. */
  async screenshot(name: string): Promise<string> {
    await mkdir(SCREENSHOTS, { recursive: true });
    const path = join(SCREENSHOTS, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }
}

/** Waits until a row stays where it is: a view that just opened may still lay itself out. */
async function settled(target: Locator): Promise<void> {
  let last: unknown;
  await eventually('the row to stay in one place', async () => {
    const box = JSON.stringify(await target.boundingBox());
    const isSettled = box === last;
    last = box;
    await target.page().waitForTimeout(200);
    if (!isSettled) throw new Error(`it is at ${box}`);
  });
}

/** In steps, as a hand moves: a drag begins and is followed only on movement. */
async function moveTo(mouse: Page['mouse'], target: Locator, offset = 0): Promise<void> {
  const box = await target.boundingBox();
  if (!box) throw new Error('the target is not in sight');
  await mouse.move(box.x + Math.min(60, box.width / 2), box.y + box.height / 2 + offset, { steps: 10 });
}
