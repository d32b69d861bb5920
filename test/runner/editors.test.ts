/** `npm start` on a desktop: which editor it finds, and how it opens it. The editor is a program that notes its arguments. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { runProgram } from '../support/programs';
import { useTempFolder } from '../support/temp';
import { until } from '../support/wait';

const repository = resolve(__dirname, '../../..');

describe('the editor that npm start opens', () => {
  const folder = useTempFolder();

  /** Puts editors on a PATH where there is nothing else. */
  async function install(...names: string[]): Promise<string> {
    const bin = join(folder(), 'bin');
    await mkdir(bin, { recursive: true });
    for (const name of names) {
      const script = `#!${process.execPath}\nrequire('node:fs').writeFileSync(${JSON.stringify(
        join(folder(), 'argv'),
      )}, JSON.stringify(process.argv.slice(2)))\n`;
      await writeFile(join(bin, name), script);
      await chmod(join(bin, name), 0o755);
    }
    return bin;
  }

  /** Runs a piece of the script as a user with that PATH, and answers what it prints. */
  async function script(code: string, env: NodeJS.ProcessEnv): Promise<string> {
    const module = JSON.stringify(join(repository, 'scripts/lib/open-vscode.mjs'));
    const program = `import { findEditor, openEditor } from ${module};\n${code}`;
    const {
      code: exit,
      stdout,
      stderr,
    } = await runProgram(process.execPath, ['--input-type=module', '-e', program], {
      env: { HOME: folder(), ...env },
    });
    assert.equal(exit, 0, stderr);
    return stdout.trim();
  }
  const find = (env: NodeJS.ProcessEnv, user = '{ platform: "linux", uid: 1000 }') =>
    script(`console.log(await findEditor(${user}));`, env);

  it('is the first of code, codium and cursor', async () => {
    const all = await install('code', 'codium', 'cursor');
    assert.equal(await find({ PATH: all, DISPLAY: ':0' }), join(all, 'code'));
  });

  it('is whichever there is', async () => {
    const bin = await install('cursor');
    assert.equal(await find({ PATH: bin, WAYLAND_DISPLAY: 'wayland-0' }), join(bin, 'cursor'));
    assert.equal(await find({ PATH: bin }, '{ platform: "darwin", uid: 501 }'), join(bin, 'cursor'));
  });

  it('is none without a screen, for root, and where nothing is installed', async () => {
    const bin = await install('code');
    assert.equal(await find({ PATH: bin }), 'undefined');
    assert.equal(await find({ PATH: bin, DISPLAY: ':0' }, '{ platform: "linux", uid: 0 }'), 'undefined');
    assert.equal(await find({ PATH: join(folder(), 'empty'), DISPLAY: ':0' }), 'undefined');
  });

  it('opens a new window in which the extension runs from the repository', async () => {
    const bin = await install('codium');
    await script(`await openEditor(${JSON.stringify(join(bin, 'codium'))});`, { PATH: bin });
    const argv = await until('the editor was started', () =>
      readFile(join(folder(), 'argv'), 'utf8').then(
        (text) => (text === '' ? undefined : text),
        () => undefined,
      ),
    );
    assert.deepEqual(JSON.parse(argv), ['--new-window', `--extensionDevelopmentPath=${repository}`]);
  });
});
