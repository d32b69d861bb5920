/**
 * What a Remote-SSH window does, without its extension: VS Code's server goes into the home volume, ssh starts it
 * through the generated config and forwards its port, and a browser shows the window that it serves.
 */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { Berth } from '../engine/cli/harness';
import { launchBrowser, newPage } from '../runner/browser';
import { findHost, vsCodeServer, type VsCodeHost } from '../runner/setup';
import { eventually } from './support/eventually';
import { Workbench } from './support/workbench';

const slow = 120_000;
const remotePort = 8000;
/** What the server can do without here: most of its size. */
const leftOut =
  /\/node_modules\/(@github|@microsoft\/mxc-sdk|@vscode\/ripgrep-universal|typescript)(\/|$)|\.map$/;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('VS Code inside a workspace, over SSH', function () {
  this.timeout(300_000);
  const berth = new Berth();
  const name = `${berth.prefix}-vsc`;
  let host: VsCodeHost & { chromium: string };
  let ssh: ChildProcess | undefined;
  let browser: Browser | undefined;
  let workbench: Workbench;

  before(async () => {
    host = await findHost();
    await berth.ok('create', name, '--env', 'GREETING=hello there', '--no-start');
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed' && browser !== undefined) {
      await workbench.screenshot('failed-remote-window').catch(() => undefined);
    }
  });

  after(async () => {
    await browser?.close();
    ssh?.kill();
    await berth.dispose();
  });

  it('takes the server while it is stopped, through its home volume', async () => {
    const stage = join(berth.folder, 'server');
    const vscode = dirname(dirname(host.server));
    const { QUIET_SETTINGS } = await vsCodeServer();
    await mkdir(join(stage, 'data/Machine'), { recursive: true });
    await mkdir(join(stage, 'data/User'));
    const settings = { ...QUIET_SETTINGS, 'terminal.integrated.gpuAcceleration': 'off' };
    await writeFile(join(stage, 'data/Machine/settings.json'), JSON.stringify(settings));
    await writeFile(join(stage, 'data/User/settings.json'), JSON.stringify(settings));
    await cp(host.node, join(stage, 'node'));
    for (const part of ['out', 'node_modules', 'package.json', 'product.json']) {
      const filter = (source: string): boolean => !leftOut.test(source.slice(vscode.length));
      await cp(join(vscode, part), join(stage, 'vscode', part), {
        recursive: true,
        filter,
        verbatimSymlinks: true,
      });
    }
    await berth.ok('cp', stage, `${name}:.vscode-server`);
    await rm(stage, { recursive: true });
    await berth.ok('start', name);
  });

  it('starts it by ssh, and shows its window through a forwarded port', async () => {
    const port = await freePort();
    const server = [
      '.vscode-server/node .vscode-server/vscode/out/server-main.js --host 127.0.0.1',
      `--port ${remotePort} --without-connection-token --accept-server-license-terms --telemetry-level off`,
      '--user-data-dir .vscode-server/data --server-data-dir .vscode-server/data',
      '--extensions-dir .vscode-server/exts --disable-workspace-trust',
    ];
    const config = join(berth.home, 'ssh', 'config');
    const forward = ['-L', `127.0.0.1:${port}:127.0.0.1:${remotePort}`, '-o', 'ExitOnForwardFailure=yes'];
    ssh = spawn('ssh', ['-F', config, '-tt', ...forward, `berth-${name}`, server.join(' ')], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let log = '';
    ssh.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    ssh.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    await eventually(
      'the server to answer',
      async () => {
        const signal = AbortSignal.timeout(5_000);
        const answer = await fetch(`http://127.0.0.1:${port}/version`, { signal }).catch((error: unknown) => {
          throw new Error(`${String(error)}: ${log}`);
        });
        assert.ok(answer.ok);
      },
      slow,
    );
    browser = await launchBrowser(host.chromium);
    const page = await newPage(browser);
    await page.goto(`http://127.0.0.1:${port}/?folder=/home/workspace`);
    workbench = new Workbench(page);
    await workbench.page.locator('.monaco-workbench .activitybar').waitFor({ timeout: slow });
  });

  it('has a terminal in the workspace, with the variables of its spec', async () => {
    await workbench.run('Terminal: Create New Terminal');
    await workbench.terminal.screen.waitFor({ timeout: slow });
    await eventually(
      'the shell to answer',
      async () => {
        await workbench.terminal.type('echo "$GREETING, $(whoami) on $((6*7))"');
        await workbench.terminal.waitForText('hello there, workspace on 42', 5_000);
      },
      slow,
    );
    await workbench.screenshot('remote-window');
  });

  it('writes files that are in the volume', async () => {
    await workbench.terminal.type('echo from inside > inside.txt');
    await eventually('the file', async () =>
      assert.equal(await berth.ok('cat', `${name}:inside.txt`), 'from inside\n'),
    );
    await workbench.openSideBar('Explorer');
    await workbench.explorer().row('inside.txt').doubleClick();
    await workbench.editor.waitForTab('inside.txt');
    await workbench.editor.append('and more\n');
    await workbench.editor.save('inside.txt');
    await eventually('the change', async () =>
      assert.equal(await berth.ok('cat', `${name}:inside.txt`), 'from inside\nand more\n'),
    );
  });

  it('ends with its connection, and leaves nothing running inside', async () => {
    ssh?.stdin?.end();
    ssh?.kill('SIGTERM');
    await eventually(
      'the server to end',
      async () => {
        const processes = await berth.ok('exec', name, '--', 'ps', '-eo', 'args');
        assert.doesNotMatch(processes, /server-main/);
      },
      slow,
    );
    await promisify(execFile)('ssh', ['-F', join(berth.home, 'ssh', 'config'), `berth-${name}`, 'true'], {
      timeout: 30_000,
    });
  });
});
