/** The project that the scene shows: small, and made up. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const server = `"""The shop: one page for each order, newest first."""
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pages import render
from store import Store

PORT = 8080
store = Store("/data/orders.db")


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        match self.path:
            case "/":
                self.answer(200, render("orders", orders=store.latest(20)))
            case "/health":
                self.answer(200, "ok")
            case _:
                self.answer(404, render("missing", path=self.path))

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())


if __name__ == "__main__":
    ThreadingHTTPServer(("", PORT), Shop).serve_forever()
`;

const files: Record<string, string> = {
  'src/server.py': server,
  'src/store.py': '',
  'src/pages.py': '',
  'tests/test_server.py': '',
  'pyproject.toml': '[project]\nname = "storefront"\nversion = "1.0"\n',
  'README.md': '# Storefront\n',
};

export const openedFile = 'server.py';

/** Writes it into a new folder. */
export async function writeProject(folder: string): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** Something that takes a while to copy. */
export async function writePhotos(folder: string, mebibytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const one = Buffer.alloc(8 * 1024 * 1024);
  for (let n = 0; n < mebibytes / 8; n += 1) {
    await writeFile(join(folder, `product-${String(n + 1).padStart(3, '0')}.jpg`), one);
  }
}
