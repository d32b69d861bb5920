/** The .vsix as a user gets it: what is in it, how big it is, and that it works when installed. */
import assert from 'node:assert/strict';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { berthVsix } from '../runner/package-extension';
import { ROOT } from '../runner/setup';
import { launch, pictureFailure, type Session } from '../ui/support/launch';

const maxVsixBytes = 2_500_000;
const maxExtensionBytes = 170_000;
/** It is read whenever a disk is opened; it searches there, and ends moves. */
const maxWorkerBytes = 130_000;
const settleMs = 60_000;

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

describe('the packaged extension', function () {
  this.timeout(300_000);
  let session: Session | undefined;
  let vsix: string;
  let installed: string;
  let files: string[];

  before(async () => {
    vsix = await berthVsix();
    session = await launch({ vsix });
    const extensions = join(session.vscode.directory, 'exts');
    const own = (await readdir(extensions)).find((name) => name.startsWith('berth.berth-'));
    assert.ok(own, 'it is installed');
    installed = join(extensions, own);
    files = await filesBelow(installed);
  });

  afterEach(async function () {
    await pictureFailure(session, this.currentTest);
  });

  after(async () => {
    await session?.stop();
  });

  it('holds no sources, tests, maps, modules or development files', () => {
    const unwanted = files.filter(
      (file) =>
        /(^|\/)(node_modules|src|test|bench|scripts|out|\.git|\.ci)\//.test(file) ||
        /\.(ts|map|mts|cts|tsbuildinfo|node)$/.test(file) ||
        /(^|\/)(tsconfig|package-lock|webpack\.config|oxlint\.config|\.prettier)/.test(file),
    );
    assert.deepEqual(unwanted, []);
  });

  it('holds all that its manifest, the image build and microVMs need', async () => {
    const manifest = await readFile(join(installed, 'package.json'), 'utf8');
    const named = [...manifest.matchAll(/"(?:\.\/)?((?:media|dist|l10n)\/[^"]+\.\w+)"/g)].map(
      (match) => match[1]!,
    );
    const dockerfile = await readFile(join(ROOT, 'images/Dockerfile'), 'utf8');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)]
      .flatMap((match) => match[1]!.split(' '))
      .map((path) => `images/${path}`);
    const guest = (await readdir(join(ROOT, 'images/guest'))).map((name) => `images/guest/${name}`);
    assert.ok(named.length > 3 && copied.length > 3 && guest.length > 3);
    for (const path of [
      ...named,
      ...copied,
      ...guest,
      'dist/engine.js',
      'dist/engine-main.js',
      'dist/disk-worker.js',
      'dist/local-files.js',
      'dist/network-filter.js',
      'dist/ssh-proxy.js',
      'dist/cli.js',
      'images/Dockerfile',
    ]) {
      const isThere = path.endsWith('/') ? files.some((file) => file.startsWith(path)) : files.includes(path);
      assert.ok(isThere, `${path} is missing`);
    }
    assert.ok(files.some((file) => file.startsWith('images/tools/agent/') && file.endsWith('.py')));
  });

  it('is what a store shows: a name, a category, a square picture large enough', async () => {
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
      categories: string[];
      icon: string;
      displayName: string;
      description: string;
    };
    assert.ok(manifest.categories.length > 0 && manifest.displayName !== '' && manifest.description !== '');
    const picture = await readFile(join(installed, manifest.icon));
    assert.equal(picture.toString('latin1', 1, 4), 'PNG');
    const [width, height] = [picture.readUInt32BE(16), picture.readUInt32BE(20)];
    assert.ok(width === height && width >= 128, `${width} × ${height}`);
  });

  it('is small: the whole, and what is loaded at activation', async () => {
    const size = (await stat(vsix)).size;
    assert.ok(size < maxVsixBytes, `${size} bytes`);
    const extension = (await stat(join(installed, 'dist/extension.js'))).size;
    assert.ok(extension <= maxExtensionBytes, `extension.js has ${extension} bytes`);
    const worker = (await stat(join(installed, 'dist/disk-worker.js'))).size;
    assert.ok(worker <= maxWorkerBytes, `disk-worker.js has ${worker} bytes`);
  });

  it('starts its engine and shows its views when installed like any other', async () => {
    const { workbench, vscode } = session!;
    await workbench.openSideBar('Berth');
    await workbench.page.getByText('Create').first().waitFor({ timeout: settleMs });
    const log = await readFile(join(vscode.home, '.berth', 'engine.log'), 'utf8');
    assert.match(log, /engine ready/);
  });
});
