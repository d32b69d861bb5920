import assert from 'node:assert/strict';
import { parseCommandLine } from './shim';

describe("the stand-in for VS Code's executable", () => {
  it('takes extension, tests and folder from the command line of @vscode/test-electron', () => {
    const options = parseCommandLine([
      '/folder',
      '--no-sandbox',
      '--disable-gpu-sandbox',
      '--extensionTestsPath=/ext/out/tests',
      '--extensionDevelopmentPath=/ext',
      '--user-data-dir=/elsewhere',
    ]);
    assert.equal(options.extension, '/ext');
    assert.equal(options.tests, '/ext/out/tests');
    assert.equal(options.folder, '/folder');
  });

  it('refuses a command line without tests', () => {
    assert.throws(() => parseCommandLine(['/folder']), /extensionTestsPath/);
  });
});
