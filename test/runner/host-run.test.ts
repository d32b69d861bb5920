import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { runTests } from '@vscode/test-electron';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './browser';
import { runInPage } from './host-run';
import { ROOT } from './setup';
import { Status } from './statuses';
import { startVsCode, type VsCode } from './vscode';

const extension = join(ROOT, 'test/runner/fixtures/dummy');
const testsOf = (name: string): string => join(extension, 'tests', `${name}.js`);

describe('tests inside a real extension host', function () {
  this.timeout(60_000);
  let vscode: VsCode;
  let browser: Browser;
  const report: string[] = [];

  before(async () => {
    vscode = await startVsCode({ smokeTestDriver: true });
    browser = await launchBrowser(vscode.chromium, vscode.directory);
  });

  after(async () => {
    await browser.close();
    await vscode.stop();
    await assert.rejects(access(vscode.directory));
    assert.deepEqual(processesOfGroup(vscode.server.pid), []);
  });

  const run = (name: string, timeout = 40_000) =>
    runInPage(vscode, browser, {
      extension,
      tests: testsOf(name),
      timeout,
      print: (text) => report.push(text),
    });

  for (const [name, status] of [
    ['failing', Status.failed],
    ['silent', Status.hostDied],
  ] as const) {
    it(`end with ${status} when they are ${name}`, async () => {
      const verdict = await run(name);
      assert.equal(verdict.status, status, verdict.message);
    });
  }

  it('say how each test went, and nothing else', () => {
    assert.match(report[0] ?? '', /^\s*$/);
    // Mocha's check marks are green where CI is set, whatever is said of colours.
    const text = stripVTControlCharacters(report.join('\n'));
    assert.match(text, /✔ is right[^]*1\) is wrong[^]*1 failing/);
    assert.doesNotMatch(text, /ENOTFOUND|socket/);
  });

  it(`end with ${Status.timedOut} when they hang`, async () => {
    assert.equal((await run('hanging', 6000)).status, Status.timedOut);
  });
});

describe('@vscode/test-electron with the stand-in', function () {
  this.timeout(60_000);
  let temporary: string;
  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'berth-shim-'));
  });
  afterEach(async () => {
    assert.deepEqual(await readdir(temporary), [], 'something was left behind');
    await rm(temporary, { recursive: true });
  });

  const through = (name: string) =>
    runTests({
      vscodeExecutablePath: join(ROOT, 'test/runner/vscode-shim'),
      extensionDevelopmentPath: extension,
      extensionTestsPath: testsOf(name),
      extensionTestsEnv: { BERTH_TEST_RESULT: undefined, TMPDIR: temporary },
    });

  it('resolves when the tests pass', async () => {
    assert.equal(await through('passing'), 0);
  });

  it('rejects when the extension host is killed, though VS Code reports success', async () => {
    await assert.rejects(through('killed'), /96|failed/i);
  });
});

function processesOfGroup(group: number): string[] {
  const table = execFileSync('ps', ['-eo', 'pgid=,state=,args='], { encoding: 'utf8' });
  const lines = table.split('\n').map((line) => line.trim());
  // A zombie has ended; it only waits for whoever adopted it to take note.
  return lines.filter((line) => line.startsWith(`${group} `) && !/^\d+ Z/.test(line));
}
