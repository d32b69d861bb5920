import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SshConfig } from '../../../../src/backend/ssh/config';
import { proxyCommand, renderWrapper } from '../../../../src/backend/ssh/proxy-program';
import { StateDirectory } from '../../../../src/backend/store/state-directory';
import { useTempFolder } from '../../../support/temp';

const run = promisify(execFile);

describe('ssh/proxy-program', () => {
  const folder = useTempFolder();

  for (const name of [
    'plain',
    `it's "100%d" of $HOME & \\ #1 ; a|b`,
    '[*?]{a,b}~!^`id`',
    'tab\tünï😀 (x) <y>',
  ]) {
    it(`is run by the real client, with its words, in a home named ${JSON.stringify(name)}`, async () => {
      const state = new StateDirectory(join(folder(), name));
      await state.ensure();
      const said = join(state.home, 'said it');
      const script = join(state.home, 'a program.js');
      await mkdir(join(state.home, 'x'));
      await writeFile(
        script,
        `require('fs').writeFileSync(process.env.SAID, JSON.stringify([process.env.BERTH_HOME, ...process.argv.slice(2)]))`,
      );
      const program = { execPath: process.execPath, script, env: { BERTH_HOME: state.home, SAID: said } };
      const config = new SshConfig(state, undefined, program);
      await config.update([
        { workspace: 'demo', port: 2200, hostKey: 'ssh-ed25519 AAAA', waiting: 'paused' },
      ]);
      await assert.rejects(run('ssh', ['-F', state.sshConfig, '-o', 'BatchMode=yes', 'berth-demo', 'true']));
      assert.deepEqual(JSON.parse(await readFile(said, 'utf8')), [state.home, 'demo', '2200', 'paused']);
    });
  }

  it('has a form for Windows, where % means something in the script and in the line', () => {
    const env = { BERTH_HOME: 'C:\\A B\\100%' };
    const program = { execPath: 'C:\\P F\\Code.exe', script: 'C:\\A B\\100%\\x.js', env };
    assert.equal(
      renderWrapper(program, 'win32'),
      '@set "BERTH_HOME=C:\\A B\\100%%"\r\n@"C:\\P F\\Code.exe" "C:\\A B\\100%%\\x.js" %*\r\n',
    );
    assert.equal(
      proxyCommand('C:\\A B\\100%\\ssh\\proxy.cmd', ['demo', '2200', 'paused'], 'win32'),
      '"C:/A B/100%%/ssh/proxy.cmd" demo 2200 paused',
    );
  });
});
