import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SshConfig, aliasOf, globPattern, quotePath, renderConfig } from '../../../../src/backend/ssh/config';
import { addInclude, isIncluded } from '../../../../src/backend/ssh/include';
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

/** The key that the client looks for, with everything expanded; it says so in the manner of vis(3). */
async function usedIdentity(config: string): Promise<string | undefined> {
  const options = ['-v', '-F', config, '-o', 'ProxyCommand=false', 'berth-demo'];
  const { stderr } = await failureOf(run('ssh', options, { env: { ...process.env, LC_ALL: 'C' } }));
  const shown = /^debug1: identity file (.*) type -?\d+\r?$/m.exec(stderr)?.[1];
  const bytes = shown?.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code,
  );
  return bytes === undefined ? undefined : Buffer.from(bytes, 'latin1').toString();
}

async function failureOf(running: Promise<unknown>): Promise<{ stderr: string }> {
  const error: unknown = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof Error && 'stderr' in error);
  return { stderr: String(error.stderr) };
}

/** Names of whatever a folder may be called and ssh's own parser cares about, the same in each run. */
function generatedHomes(count: number): string[] {
  const parts = [
    '"',
    "'",
    '\\',
    '%',
    '#',
    ' ',
    '\t',
    '$',
    '{',
    '}',
    '[',
    ']',
    '*',
    '?',
    '~',
    '=',
    'h',
    'ü',
    '😀',
    '!',
    ',',
  ];
  let seed = 1;
  const next = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  const name = (): string => Array.from({ length: 1 + next(12) }, () => parts[next(parts.length)]).join('');
  return Array.from({ length: count }, name).filter((text) => !text.includes('${'));
}

describe('ssh/config', () => {
  const folder = useTempFolder();
  const hosts = [
    { workspace: 'zoo', port: 2201, hostKey: 'ssh-ed25519 ZZZZ' },
    { workspace: 'demo', port: 2200, hostKey: 'ssh-ed25519 AAAA' },
  ];

  const homes = [
    'plain',
    'with space',
    '100%d off',
    'ünïcode',
    `it's "quoted"`,
    'back\\slash\\',
    '\\"',
    '#1',
    'tab\there',
  ];
  for (const home of [
    ...homes,
    '*?[a]{b,c}',
    '$HOME',
    '~',
    '%%',
    'a=b;c',
    '\u001b[31m',
    ...generatedHomes(20),
  ]) {
    it(`means the same to OpenSSH, in a home named ${JSON.stringify(home)}`, async () => {
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
      assert.equal(options.get('userknownhostsfile'), state.knownHosts);
      assert.equal((await effective(state.sshConfig, 'berth-zoo')).get('port'), '2201');
      assert.equal(await usedIdentity(state.sshConfig), state.clientKey);
      const user = join(folder(), 'user-config');
      await addInclude(user, state.sshConfig);
      assert.equal(await isIncluded(user, state.sshConfig), true);
      assert.equal((await effective(user, 'berth-demo')).get('port'), '2200');
      assert.equal(await usedIdentity(user), state.clientKey);
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
    assert.equal(quotePath('C:\\Users\\A B\\.berth', 'win32'), '"C:/Users/A B/.berth"');
    assert.equal(globPattern('C:\\Users\\A [B]', 'win32'), 'C:/Users/A [[]B]');
    assert(
      renderConfig(hosts, { identityFile: '/a/k', knownHosts: '/a/h', proxy: '/a/p' }, [9, 2]).includes(
        'IdentityFile "/a/k"',
      ),
    );
    assert.equal(aliasOf('demo'), 'berth-demo');
  });
});
