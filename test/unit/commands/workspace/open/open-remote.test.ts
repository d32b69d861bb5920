import assert from 'node:assert/strict';
import { standIn } from '../../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { openRemote } from '../../../../../src/commands/workspace/open/open-remote';
import { includeSshConfig } from '../../../../../src/commands/ssh/include';
import { remoteSide, sideApartFromRemoteSsh, type Placed } from '../../../../../src/commands/this-side';
import { Runner } from '../../../../../src/ui/runner';
import { sortRecent } from '../../../../../src/ui/recents';
import { Store } from '../../../../../src/ui/store';
import { useRecordedEngine } from '../../../../support/engine/recorded-engine';
import { TestMemory } from '../../../../support/vscode/memory';
import { quietLog } from '../../../../support/vscode/quiet-log';
import { workspace } from '../../../providers/fixtures';

const remoteSsh = 'ms-vscode-remote.remote-ssh';
const localMachine: Placed = { context: { extension: { extensionKind: vscode.ExtensionKind.UI } } };
const remoteMachine: Placed = { context: { extension: { extensionKind: vscode.ExtensionKind.Workspace } } };
const target = { alias: 'berth-demo', folder: '/home/workspace/repo' };
const status = { included: true, userConfig: '/home/u/.ssh/config', configFile: '/home/u/.berth/ssh/config' };

describe('commands/workspace/open/open-remote', () => {
  const engine = useRecordedEngine();
  let store: Store;
  let services: { runner: Runner; store: Store };
  let memory: TestMemory;

  beforeEach(() => {
    standIn.reset();
    memory = new TestMemory();
    store = new Store();
    services = {
      runner: new Runner({ client: () => Promise.resolve(engine().client) }, store, quietLog()),
      store,
    };
    engine().answers.set('GET /v1/ssh-config', () => status);
    engine().answers.set('GET /v1/workspaces/demo/ssh', () => target);
    engine().answers.set('POST /v1/ssh-config/include', () => status);
    standIn.settings.set('berth.ssh.setRemotePlatform', { globalValue: 'never' });
  });
  afterEach(() => store.dispose());

  const open = (placed: Placed, more: Parameters<typeof workspace>[1] = { state: 'running' }) =>
    openRemote(
      { ...services, context: { ...placed.context, globalState: memory } },
      workspace('demo', more),
      true,
    );
  const asked = (): string[] => engine().asked.map(({ route }) => route);

  it('opens the folder of the workspace through the config file that Remote-SSH reads', async () => {
    standIn.extensions.add(remoteSsh);
    standIn.settings.set('remote.SSH.configFile', { globalValue: '/home/u/work.config' });
    await open(localMachine);
    assert.ok(
      asked().includes('GET /v1/ssh-config?userConfig=%2Fhome%2Fu%2Fwork.config'),
      asked().join('\n'),
    );
    const [command, uri, options] = standIn.executed.at(-1) ?? [];
    assert.equal(command, 'vscode.openFolder');
    assert.equal(String(uri), 'vscode-remote://ssh-remote%2Bberth-demo/home/workspace/repo');
    assert.deepEqual(options, { forceNewWindow: true });
    assert.ok(sortRecent(memory, [workspace('demo')])[0]?.wasOpened);
  });

  for (const side of ['wsl', 'ssh-remote', 'dev-container', 'codespaces']) {
    it(`asks remoteSide first: on the side of ${side} it offers what works there, whatever extension is seen`, async () => {
      standIn.remoteName = side;
      standIn.extensions.add(remoteSsh);
      standIn.settings.set('remote.SSH.configFile', { globalValue: 'C:\\Users\\u\\ssh.config' });
      assert.equal(remoteSide(remoteMachine), side);
      standIn.pressed = ({ buttons }) => buttons.find((button) => button === 'Open Terminal');
      await open(remoteMachine, { state: 'stopped' });
      assert.deepEqual(asked(), []);
      const [message] = standIn.messages;
      assert.match(message?.text ?? '', new RegExp(`remote side of this window \\(${side}\\)`));
      assert.deepEqual(message?.buttons, ['Open Terminal', 'Open Volume as Folder']);
      assert.deepEqual(standIn.executed, [['berth.workspace.openTerminal', 'demo']]);
    });
  }

  it('is the only thing to ask for where none is installed', async () => {
    await open(localMachine);
    assert.match(standIn.messages[0]?.text ?? '', /needs a Remote-SSH extension, and none is installed/);
    assert.deepEqual(asked(), []);
  });

  it('counts a window that a server shows in a browser as one machine with what is installed there', () => {
    standIn.uiKind = 2;
    for (const address of ['127.0.0.1:8080', 'code.example.com', '[::1]:8080']) {
      standIn.remoteName = address;
      assert.equal(remoteSide(remoteMachine), address);
      assert.equal(sideApartFromRemoteSsh(remoteMachine), undefined);
    }
    standIn.remoteName = 'tunnel';
    assert.equal(sideApartFromRemoteSsh(remoteMachine), 'tunnel');
  });

  it('never sends the config file of one machine to the engine of another, when the line is added by hand either', async () => {
    standIn.remoteName = 'ssh-remote';
    standIn.extensions.add(remoteSsh);
    standIn.settings.set('remote.SSH.configFile', { globalValue: '/home/u/work.config' });
    standIn.settings.set('berth.ssh.includeConfig', { globalValue: 'always' });
    engine().answers.set('GET /v1/ssh-config', () => ({ ...status, included: false }));
    const link = { client: () => Promise.resolve(engine().client) };
    await includeSshConfig({ ...services, ...remoteMachine, link })();
    assert.deepEqual(engine().asked, [
      { route: 'GET /v1/ssh-config', body: undefined },
      { route: 'POST /v1/ssh-config/include', body: {} },
    ]);
  });
});
