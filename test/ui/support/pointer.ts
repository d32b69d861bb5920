/** The pointer, which a tooltip follows: one that shows lies over what is beside it, and stays as long as the pointer does. */
import type { Locator, Page } from 'playwright-core';

/** Away from everything that has a tooltip. */
export const withdraw = (page: Page): Promise<void> => page.mouse.move(0, 0);

/** For what lies beside that on which the pointer rests. */
export async function press(target: Locator, options?: Parameters<Locator['click']>[0]): Promise<void> {
  await withdraw(target.page());
  await target.click(options);
}
