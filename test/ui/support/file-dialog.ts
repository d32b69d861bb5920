/** VS Code's own file dialog, which is a quick pick of the folder that is typed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { eventually } from './eventually';
import type { Workbench } from './workbench';

const slow = 90_000;

export interface FileChoice {
  title: string;
  /** Of what is there already, or will be. */
  path: string;
  /** What takes it: that of the dialog where it opens something, and `OK` where it saves. */
  button: string;
  /** Folders in which the dialog may begin. */
  begins: readonly string[];
}

/** Types a path into the dialog and takes it. */
export async function chooseFile({ quickInput }: Workbench, choice: FileChoice): Promise<void> {
  const { title, path, button, begins } = choice;
  await quickInput.waitForTitle(title);
  // The dialog reads folder after folder up to where it begins, and puts each into the box over what is typed there.
  await eventually(
    'the dialog to be ready',
    async () => {
      const shown = await quickInput.box.inputValue();
      assert.ok(
        begins.some((each) => shown.startsWith(each)),
        `it shows ${shown}`,
      );
    },
    slow,
  );
  await eventually(
    'the dialog to take it',
    async () => {
      if (!(await quickInput.widget.isVisible())) return;
      // One that goes meanwhile is not waited for.
      const timeout = 2_000;
      if ((await quickInput.box.inputValue({ timeout })) !== path)
        await quickInput.box.fill(path, { timeout });
      assert.equal(await quickInput.box.inputValue({ timeout }), path);
      if (existsSync(path)) {
        await quickInput.rows
          .filter({ hasText: basename(path) })
          .first()
          .waitFor({ timeout: 5_000 });
      }
      const ok = quickInput.widget.locator('.monaco-button', { hasText: button }).first();
      await ok.click({ timeout: 2_000 });
      // What is asked next comes in the same widget.
      await eventually(
        'the dialog to go',
        async () => {
          const isOpen = await quickInput.widget.isVisible();
          assert.ok(!isOpen || !(await quickInput.title(1_000)).includes(title) || !(await ok.isVisible()));
        },
        3_000,
      );
    },
    slow,
  );
}
