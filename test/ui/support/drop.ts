/** Drops from outside the window. README.md beside this file says what of them reaches an extension. */
import type { Locator } from 'playwright-core';

export interface MemoryFile {
  name: string;
  content: string | Buffer;
  mimeType?: string;
}

/** Copy, link and move: with less, VS Code's trees, which ask for a move, refuse what comes from outside. */
const ALL_OPERATIONS = 1 | 2 | 16;

/** Files and folders of this machine, as dragged from its file manager: a browser hides their paths. */
export async function dropFromFileManager(target: Locator, paths: string[]): Promise<void> {
  await target.scrollIntoViewIfNeeded();
  const box = await target.boundingBox();
  if (!box) throw new Error('the target of the drop is not in sight');
  const place = { x: box.x + Math.min(60, box.width / 2), y: box.y + box.height / 2 };
  const data = { items: [], files: paths, dragOperationsMask: ALL_OPERATIONS };
  const devTools = await target.page().context().newCDPSession(target.page());
  try {
    for (const type of ['dragEnter', 'dragOver', 'dragOver', 'drop'] as const) {
      await devTools.send('Input.dispatchDragEvent', { type, ...place, data });
    }
  } finally {
    await devTools.detach();
  }
}

/** Files that need no disk. */
export async function dropFromMemory(target: Locator, files: MemoryFile[]): Promise<void> {
  const payload = ({ name, content, mimeType }: MemoryFile) => ({
    name,
    mimeType: mimeType ?? 'text/plain',
    buffer: Buffer.from(content),
  });
  await target.drop({ files: files.map(payload) });
}

/** Files and folders with their paths, as the Explorer gives them, and the desktop's VS Code for what comes from outside. */
export async function dropPaths(target: Locator, paths: string[]): Promise<void> {
  const { host } = new URL(target.page().url());
  // Seen from a browser, `file:` would be the browser's machine; the extension host gets these as `file:` URIs.
  const uris = paths.map((path) => `vscode-remote://${host}${encodeURI(path)}`);
  await target.drop({ data: { 'text/uri-list': uris.join('\r\n') } });
}
