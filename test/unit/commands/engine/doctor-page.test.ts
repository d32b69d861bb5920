import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { standIn } from '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { checkRemedies } from '../../../../src/api/engine/check-remedy';
import { checkTitles } from '../../../../src/api/engine/check-titles';
import { BerthError } from '../../../../src/api/errors';
import type { EngineInfo } from '../../../../src/api';
import { doctorHtml, type PageState, type ShownCheck } from '../../../../src/commands/engine/doctor/page';
import { pageActions } from '../../../../src/commands/engine/doctor/remedies';
import { remoteCheck } from '../../../../src/commands/engine/doctor/remote-check';
import type { Placed } from '../../../../src/commands/this-side';
import { Runner } from '../../../../src/ui/runner';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { operation } from '../../providers/fixtures';

const addresses = {
  styles: ['/base.css', '/page.css'],
  scripts: ['/page.js'],
  source: 'https://page',
  nonce: 'n0nce',
};
const info: EngineInfo = {
  ...{ version: '1.0.0', protocol: 1, pid: 7, nodeVersion: '22.0.0', home: '/home/u/.berth' },
  ...{ startedAt: '2026-01-01T00:00:00Z', rssBytes: 1024 ** 2, clients: 1, operations: 0, drivers: [] },
  ...{ defaultImage: 'workspace:latest', portRange: { first: 2200, last: 2400 }, setAside: [] },
};
const check = (outcome: ShownCheck['outcome'], more: Partial<ShownCheck> = {}): ShownCheck => ({
  ...{ name: outcome, title: `Title ${outcome}`, outcome, message: 'It is so.', remedies: [], ...more },
});
const found = (...checks: ShownCheck[]): string => html({ kind: 'found', found: { checks, info } });
const html = (state: PageState): string => doctorHtml(state, addresses);

describe('the page of the doctor', () => {
  it('has a row for each check, the worst first, with its state in words', () => {
    const page = found(check('ok'), check('skipped'), check('warning'), check('failed'));
    const titles = [...page.matchAll(/<h2>Title (\w+)/g)].map(([, title]) => title);
    assert.deepEqual(titles, ['failed', 'warning', 'skipped', 'ok']);
    const words = [...page.matchAll(/role="img" aria-label="(\w+)"/g)].map(([, word]) => word);
    assert.deepEqual(words, titles);
    assert.match(page, /<h1 role="status">Something needs your attention<\/h1>/);
    assert.match(found(check('ok')), /<h1 role="status">Everything works<\/h1>/);
    assert.match(found(check('ok'), check('warning')), /Everything works\. 1 warning</);
    assert.match(found(check('warning'), check('warning')), /Everything works\. 2 warnings</);
  });

  it('has a button for each remedy, the first one of what is wrong above the others', () => {
    const remedies = [
      { id: 'build-image', title: 'Build Image' },
      { id: 'choose-image', title: 'Choose…' },
    ];
    const page = found(check('warning', { remedies }), check('skipped', { remedies }));
    assert.deepEqual(
      [...page.matchAll(/<button id="([^"]+)" data-remedy="[^"]+"( class="secondary")?>/g)].map((each) => [
        each[1],
        each[2] === undefined,
      ]),
      [
        ['warning:build-image', true],
        ['warning:choose-image', false],
        ['skipped:build-image', false],
        ['skipped:choose-image', false],
      ],
    );
  });

  it('calls each check of the engine what the window calls it, and others what they say', () => {
    const titles = new Map<string, string>(Object.entries(checkTitles));
    standIn.translated = (text) => `!${text}`;
    const shown = [...titles].map(([name, title]) => found(check('ok', { name, title })));
    standIn.reset();
    [...titles.values()].forEach((title, at) => {
      assert.ok(shown[at]?.includes(`<h2>!${title}</h2>`), title);
    });
    assert.ok(found(check('ok', { name: 'of-tomorrow', title: 'New' })).includes('<h2>New</h2>'));
  });

  it('takes nothing that a check says for a part of the page, and a command for one to type', () => {
    const message = '<img src=x onerror="a()"> & `sudo <b>`';
    const page = found(check('ok', { message, title: '"><script>' }));
    assert.ok(!page.includes('<img') && !page.includes('"><script>'), page);
    assert.match(page, /<code>sudo &#60;b&#62;<\/code>/);
  });

  it('names the button of a hint, and no command line that a window has not', () => {
    assert.match(
      found(check('warning', { hint: 'Build it: `berth image build`.' })),
      /Build it: “Build Image”\./,
    );
  });

  it('loads its own style and script, and nothing else', () => {
    const page = found(check('ok'));
    assert.match(
      page,
      /content="default-src &#39;none&#39;; style-src https:\/\/page; script-src &#39;nonce-n0nce&#39;"/,
    );
    assert.deepEqual(
      [...page.matchAll(/<script[^>]*>/g)].map(([tag]) => tag),
      ['<script nonce="n0nce" src="/page.js">'],
    );
    for (const file of ['page.css', 'page.js']) {
      assert.ok(existsSync(join(__dirname, '../../../../../media/doctor', file)), file);
    }
  });

  it('keeps what was found last while it looks again, and then can not be asked once more', () => {
    const page = html({ kind: 'checking', last: { checks: [check('ok')], info } });
    assert.match(page, /<main aria-busy="true">[\s\S]*<button id="again"[^>]* disabled>[\s\S]*Title ok/);
  });

  it('says in its place why the engine does not answer', () => {
    const error = new BerthError('runtime_unavailable', 'The engine did not start', { hint: 'Try again.' });
    const page = html({ kind: 'failed', error, remedies: [{ id: 'show-log', title: 'Show Berth Log' }] });
    assert.match(page, /The engine did not start\.[\s\S]*Try again\.[\s\S]*data-remedy="show-log"/);
  });
});

describe('the buttons on the page of the doctor', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();
  const placed = (kind: vscode.ExtensionKind): Placed => ({
    context: { extension: { extensionKind: kind } },
  });
  const actions = (kind = vscode.ExtensionKind.UI) => {
    const { store, log } = unlinked();
    const runner = new Runner({ client: () => Promise.resolve(engine().client) }, store, log);
    return pageActions({ runner, ...placed(kind) });
  };

  it('are there for all that the engine names', () => {
    const all = actions();
    assert.deepEqual(
      checkRemedies.filter((id) => all[id].title === ''),
      [],
    );
  });

  it('open the setting that decides it', async () => {
    await actions()['choose-container-engine'].run();
    assert.deepEqual(standIn.executed, [['workbench.action.openSettings', '@id:berth.dockerHost']]);
  });

  it('type a command that needs rights into a terminal, and do not run it', async () => {
    await actions()['join-kvm-group'].run();
    assert.deepEqual(standIn.typed, [{ line: 'sudo usermod -aG kvm "$USER"', isRun: false }]);
  });

  it('copy it where all terminals of the window are on another machine', async () => {
    standIn.remoteName = 'ssh-remote';
    await actions()['join-kvm-group'].run();
    assert.deepEqual([standIn.typed, standIn.clipboard], [[], 'sudo usermod -aG kvm "$USER"']);
    await actions(vscode.ExtensionKind.Workspace)['join-kvm-group'].run();
    assert.equal(standIn.typed.length, 1);
  });

  it('prepare the kernel of microVMs, and nothing besides', async () => {
    engine().answers.set('POST /v1/images/build', () =>
      operation('kit', { kind: 'image.build', status: 'succeeded' }),
    );
    await actions()['prepare-guest-kit'].run();
    const bodies = engine().asked.flatMap(({ body }) => (body === undefined ? [] : [body]));
    assert.deepEqual(bodies, [{ toolsOnly: true, runtime: 'microvm' }]);
  });

  it('install a Remote-SSH extension where there is none, which only the window knows', async () => {
    const { outcome, remedies } = remoteCheck(placed(vscode.ExtensionKind.UI));
    assert.deepEqual([outcome, remedies], ['warning', ['install-remote-ssh']]);
    await actions()['install-remote-ssh'].run();
    assert.deepEqual(standIn.executed, [['workbench.extensions.search', '@id:ms-vscode-remote.remote-ssh']]);
    standIn.extensions.add('ms-vscode-remote.remote-ssh');
    assert.equal(remoteCheck(placed(vscode.ExtensionKind.UI)).outcome, 'ok');
    standIn.settings.set('remote.SSH.configFile', { globalValue: 'relative/config' });
    assert.deepEqual(remoteCheck(placed(vscode.ExtensionKind.UI)).remedies, ['correct-remote-ssh']);
    standIn.remoteName = 'wsl';
    assert.equal(remoteCheck(placed(vscode.ExtensionKind.Workspace)).outcome, 'skipped');
  });
});
