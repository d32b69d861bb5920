import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../../src/cli/verbs/workspace/open';
import { useTempFolder } from '../../support/temp';

describe('cli/child', () => {
  const folder = useTempFolder();

  it('finds editors of Windows, which are scripts of cmd, and answers their path', () => {
    const path = join(folder(), 'code.cmd');
    writeFileSync(path, '');
    chmodSync(path, 0o755);
    assert.equal(findProgram(['cursor', 'code'], { PATH: folder() }, 'win32'), path);
    assert.equal(findProgram(['code'], { PATH: folder() }, 'linux'), undefined);
  });

  it('runs scripts of Windows through cmd, every argument quoted', async () => {
    const program = 'C:\\Program Files\\Microsoft VS Code\\bin\\code.cmd';
    // The library looks at the platform when it is loaded.
    const script = `
      Object.defineProperty(process, 'platform', { value: 'win32' });
      process.env.comspec = 'cmd.exe';
      const { _parse } = require(${JSON.stringify(require.resolve('cross-spawn'))});
      console.log(JSON.stringify(_parse(${JSON.stringify(program)}, ['--remote', 'a b&c %PATH%'])));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
    const { command, args, options } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([command, options], ['cmd.exe', { windowsVerbatimArguments: true }]);
    const line =
      '"C:\\Program^ Files\\Microsoft^ VS^ Code\\bin\\code.cmd ^"--remote^" ^"a^ b^&c^ ^%PATH^%^""';
    assert.deepEqual(args, ['/d', '/s', '/c', line]);
  });
});
