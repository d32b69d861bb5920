import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pythonFinder, pythonProgram } from '../../../../src/backend/machine/python';

describe('the Python of this machine', () => {
  const { PATH } = process.env;
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-python-'));
    process.env.PATH = [folder, PATH].join(delimiter);
  });
  afterEach(() => {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  });

  /** A `python3` that comes first in PATH. */
  function lay(text: string): void {
    writeFileSync(join(folder, 'python3'), `#!/bin/sh\necho >>"${folder}/calls"\n${text}\n`);
    chmodSync(join(folder, 'python3'), 0o755);
  }
  const calls = (): number => readFileSync(join(folder, 'calls'), 'utf8').length;

  it('is the interpreter behind a script, asked once, until that is gone', async () => {
    const interpreter = join(folder, 'python3.0');
    symlinkSync(process.execPath, interpreter);
    lay(`printf %s "${interpreter}"`);
    const find = pythonFinder();
    assert.deepEqual(await Promise.all([find(), find()]), [interpreter, interpreter]);
    assert.equal(await find(), interpreter);
    assert.equal(calls(), 1);
    rmSync(interpreter);
    assert.equal(await find(), 'python3');
    symlinkSync(process.execPath, interpreter);
    assert.equal(await find(), interpreter);
  });

  for (const [what, text] of Object.entries({
    fails: 'exit 1',
    'says nothing': 'exit 0',
    'names what is not there': 'printf /nowhere/python3',
    'names no whole path': 'printf python3.0',
    'says more than that': 'printf "%s\\n/bin/sh" warning',
  }))
    it(`is what PATH has where that ${what}, and asked again later`, async () => {
      lay(text);
      const find = pythonFinder();
      assert.deepEqual([await find(), await find()], ['python3', 'python3']);
      assert.equal(calls(), 1);
      const again = pythonFinder(0);
      assert.deepEqual([await again(), await again()], ['python3', 'python3']);
      assert.equal(calls(), 3);
    });

  it('is there', async () => {
    process.env.PATH = PATH;
    const found = await pythonProgram();
    assert.match(execFileSync(found, ['--version'], { encoding: 'utf8' }), /^Python 3/);
  });
});
