/** Chromium, without a screen. */
import { chromium, type Browser, type Page } from 'playwright-core';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export const VIEWPORT = { width: 1280, height: 800 };

/** What it makes for itself goes into `folder`: a browser that has to be killed leaves it. */
export function launchBrowser(executablePath: string, folder?: string): Promise<Browser> {
  const env = { ...process.env, ...(folder !== undefined && { TMPDIR: folder }) };
  return chromium.launch({ executablePath, headless: true, args: ARGUMENTS, env });
}

export async function newPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: VIEWPORT, acceptDownloads: true });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  return context.newPage();
}
