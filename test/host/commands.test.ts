import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { api, deleteWorkspace, eventually, text, unique, uriOf, withVolume } from './support';

describe('commands on the real engine', function () {
  this.timeout(120_000);
  const name = unique('cmd');
  const stateOf = async (): Promise<string | undefined> =>
    (await api()).store.workspaces.find((each) => each.name === name)?.state;
  const until = (state: string): Promise<void> =>
    eventually(`${name} to be ${state}`, async () => assert.equal(await stateOf(), state));

  after(async () => {
    await deleteWorkspace(await (await api()).client(), name).catch(() => undefined);
  });

  it('create, pause, resume, stop, archive and restore', async () => {
    // The message at the end waits for a click that never comes.
    void vscode.commands.executeCommand('berth.workspace.createQuick', name);
    await eventually('the workspace to run', async () => assert.equal(await stateOf(), 'running'), 60_000);
    await vscode.commands.executeCommand('berth.workspace.pause', name);
    await until('paused');
    await vscode.commands.executeCommand('berth.workspace.resume', name);
    await until('running');
    await vscode.commands.executeCommand('berth.workspace.stop', name);
    await until('stopped');
    void vscode.commands.executeCommand('berth.workspace.archive', name);
    await until('archived');
    await vscode.commands.executeCommand('berth.workspace.restore', name);
    await until('running');
  });

  it('copy an SSH command that names the workspace', async () => {
    await vscode.env.clipboard.writeText('');
    await vscode.commands.executeCommand('berth.workspace.copySshCommand', name);
    const command = await eventually('the clipboard', async () => {
      const copied = await vscode.env.clipboard.readText();
      assert.notEqual(copied, '');
      return copied;
    });
    assert.match(command, new RegExp(`^ssh .*berth-${name}`));
  });

  it('go on watching what changes inside after the engine was restarted', async () => {
    const inside = async (script: string): Promise<void> => {
      const client = await (await api()).client();
      const { exitCode } = await client.call('workspaces.exec', {
        params: { name },
        body: { argv: ['sh', '-c', script] },
      });
      assert.equal(exitCode, 0);
    };
    await inside('echo first >~/watched.txt');
    const document = await vscode.workspace.openTextDocument(uriOf(`workspace-${name}`, '/watched.txt'));
    await vscode.window.showTextDocument(document);
    // A watch takes a moment to begin.
    await eventually('the editor to follow', async () => {
      await inside('echo second >~/watched.txt');
      assert.equal(document.getText(), 'second\n');
    });
    await vscode.commands.executeCommand('berth.engine.restart');
    await eventually('the editor to follow again', async () => {
      await inside('echo third >~/watched.txt');
      assert.equal(document.getText(), 'third\n');
    });
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('open a terminal that runs commands and ends with its shell', async () => {
    await vscode.commands.executeCommand('berth.workspace.openTerminal', name);
    const terminal = await eventually('the terminal', () => {
      const found = vscode.window.terminals.find((each) => each.name === name);
      assert.ok(found);
      return found;
    });
    const client = await (await api()).client();
    const volume = `workspace-${name}`;
    await eventually('the shell to write a file', async () => {
      terminal.sendText('echo from-the-terminal > ~/written.txt');
      await new Promise((resolve) => setTimeout(resolve, 500));
      const content = await client.readFile(volume, '/written.txt');
      assert.equal(content.toString(), 'from-the-terminal\n');
    });
    const closed = new Promise<void>((resolve) => {
      const listening = vscode.window.onDidCloseTerminal((each) => {
        if (each === terminal) {
          listening.dispose();
          resolve();
        }
      });
    });
    terminal.sendText('exit');
    await closed;
  });

  it('refuse politely what the state does not allow', async () => {
    await vscode.commands.executeCommand('berth.workspace.resume', name);
    assert.equal(await stateOf(), 'running');
  });

  it('copy and paste files between volumes', () =>
    withVolume((one) =>
      withVolume(async (other) => {
        await vscode.workspace.fs.writeFile(uriOf(one, '/a.txt'), Buffer.from('a'));
        await vscode.commands.executeCommand('berth.file.copy', uriOf(one, '/a.txt'));
        await vscode.commands.executeCommand('berth.file.paste', { type: 'volume', name: other });
        assert.equal(text(await vscode.workspace.fs.readFile(uriOf(other, '/a.txt'))), 'a');
        // Beside its original a copy gets another name.
        await vscode.commands.executeCommand('berth.file.paste', { type: 'volume', name: one });
        const names = (await vscode.workspace.fs.readDirectory(uriOf(one, '/'))).map(([each]) => each);
        assert.equal(names.filter((each) => each.startsWith('a')).length, 2, names.join(' '));
        await vscode.commands.executeCommand('berth.file.cut', uriOf(one, '/a.txt'));
        await vscode.commands.executeCommand('berth.view.refresh');
        assert.equal(text(await vscode.workspace.fs.readFile(uriOf(one, '/a.txt'))), 'a');
      }),
    ));

  it('create and list volumes', async () => {
    const volume = unique('made');
    const { client, store } = await api();
    await vscode.commands.executeCommand('berth.volume.create', volume);
    try {
      await eventually('the volume in the store', () =>
        assert.ok(store.volumes.some((each) => each.name === volume)),
      );
    } finally {
      await (await client()).call('volumes.delete', { params: { volume } });
    }
  });

  it('upload a folder of this machine and download it again through the API', () =>
    withVolume(async (volume, client) => {
      const directory = await mkdtemp(join(tmpdir(), 'berth-host-up-'));
      try {
        await mkdir(join(directory, 'in/deep'), { recursive: true });
        await writeFile(join(directory, 'in/deep/x.txt'), 'deep');
        const up = { from: { local: [join(directory, 'in')] }, to: { volume, path: '/' } };
        await client.waitFor(await client.call('transfers.create', { body: up, query: { wait: 0 } }));
        const down = { from: { volume, paths: ['/in'] }, to: { local: join(directory, 'out') } };
        await mkdir(join(directory, 'out'));
        await client.waitFor(await client.call('transfers.create', { body: down, query: { wait: 0 } }));
        assert.equal(await readFile(join(directory, 'out/in/deep/x.txt'), 'utf8'), 'deep');
      } finally {
        await rm(directory, { recursive: true });
      }
    }));
});
