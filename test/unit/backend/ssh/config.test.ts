import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SshConfig, aliasOf, quotePath, renderConfig } from '../../../../src/backend/ssh/config';
import { SshKeys } from '../../../../src/backend/ssh/keys';
import { StateDirectory } from '../../../../src/backend/store/state-directory';
import { useTempFolder } from '../../../support/temp';

const run = promisify(execFile);

/** What the real client makes of a config file, by option. */
async function effective(config: string, alias: string): Promise<Map<string, string>> {
  const { stdout } = await run('ssh', ['-G', '-F', config, alias]);
  return new Map(
    stdout
      .trim()
      .split('\n')
      .map((line): [string, string] => [line.split(' ')[0]!, line.slice(line.indexOf(' ') + 1)]),
  );
}

describe('ssh/config', () => {
  const folder = useTempFolder();
  const hosts = [
    { workspace: 'zoo', port: 2201, hostKey: 'ssh-ed25519 ZZZZ' },
    { workspace: 'demo', port: 2200, hostKey: 'ssh-ed25519 AAAA' },
  ];

  for (const home of ['plain', 'with space', '100%d off', 'ünïcode']) {
    it(`means the same to OpenSSH, in a home named "${home}"`, async () => {
      const state = new StateDirectory(join(folder(), home));
      await state.ensure();
      await new SshConfig(state).update(hosts);
      const options = await effective(state.sshConfig, 'berth-demo');
      assert.equal(options.get('hostname'), '127.0.0.1');
      assert.equal(options.get('port'), '2200');
      assert.equal(options.get('user'), 'workspace');
      assert.equal(options.get('identitiesonly'), 'yes');
      assert.equal(options.get('stricthostkeychecking'), 'true');
      assert.equal(options.get('hostkeyalias'), 'berth-demo');
      assert.equal(options.get('forwardagent'), 'no');
      assert.equal(options.get('identityfile')?.replaceAll('%%', '%'), state.clientKey);
      assert.equal(options.get('userknownhostsfile')?.replaceAll('%%', '%'), state.knownHosts);
      assert.equal((await effective(state.sshConfig, 'berth-zoo')).get('port'), '2201');
      assert.equal((await effective(state.sshConfig, 'elsewhere')).get('user') === 'workspace', false);
    });
  }

  it('pins host keys so that the real client finds them', async () => {
    const state = new StateDirectory(folder());
    await state.ensure();
    const { publicKey } = await new SshKeys(state).hostKey('demo');
    await new SshConfig(state).update([{ workspace: 'demo', port: 2200, hostKey: publicKey }]);
    const { stdout } = await run('ssh-keygen', ['-F', 'berth-demo', '-f', state.knownHosts]);
    assert(stdout.includes(publicKey));
    assert.equal((await stat(state.knownHosts)).mode & 0o777, 0o600);
  });

  it('is sorted, says whose it is, and is a valid file with no host', async () => {
    const state = new StateDirectory(folder());
    await state.ensure();
    const config = new SshConfig(state);
    await config.update([]);
    assert.match(await readFile(state.sshConfig, 'utf8'), /^# Written by Berth/);
    await effective(state.sshConfig, 'berth-demo');
    await config.update(hosts);
    const text = await readFile(state.sshConfig, 'utf8');
    assert(text.indexOf('Host berth-demo') < text.indexOf('Host berth-zoo'));
    assert.equal(hosts[0]?.workspace, 'zoo', 'the list that was given is not sorted in place');
  });

  it('writes only what changed, and the last of many updates wins', async () => {
    const state = new StateDirectory(folder());
    await state.ensure();
    const config = new SshConfig(state);
    await config.update(hosts);
    await rm(state.sshConfig);
    await config.update([...hosts].reverse());
    await assert.rejects(stat(state.sshConfig), /ENOENT/, 'nothing changed, nothing is written');
    const updates = Array.from({ length: 20 }, (_, index) =>
      config.update([{ workspace: 'demo', port: 3000 + index, hostKey: 'ssh-ed25519 AAAA' }]),
    );
    await Promise.all(updates);
    assert.equal((await effective(state.sshConfig, 'berth-demo')).get('port'), '3019');
  });

  it('goes on after a write that failed', async () => {
    const state = new StateDirectory(join(folder(), 'home'));
    const config = new SshConfig(state);
    await assert.rejects(config.update(hosts), /ENOENT/);
    await state.ensure();
    await config.update(hosts);
    assert.match(await readFile(state.sshConfig, 'utf8'), /berth-demo/);
  });

  it('writes Windows paths with forward slashes', () => {
    assert.equal(quotePath('C:\\Users\\A B\\.berth'), '"C:/Users/A B/.berth"');
    assert(renderConfig(hosts, 'C:\\k', 'C:\\h').includes('IdentityFile "C:/k"'));
    assert.equal(aliasOf('demo'), 'berth-demo');
  });
});
