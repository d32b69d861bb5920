import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { socketPath } from '../../../../src/api/rules/endpoint';
import { refuseUnfitHome } from '../../../../src/api/rules/state-home';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';

describe('api/rules/state-home', () => {
  const folder = useTempFolder();
  const put = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      await mkdir(join(folder(), name, '..'), { recursive: true });
      await writeFile(join(folder(), name), '');
    }
  };

  it('accepts what is new, empty, half made by a killed engine, or ours with whatever somebody keeps there', async () => {
    refuseUnfitHome(join(folder(), 'new/deep'));
    refuseUnfitHome(folder());
    await put('engine.lock', 'engine.stderr.1', 'workspaces/x', 'lost+found/x', '.DS_Store');
    refuseUnfitHome(folder());
    await writeFile(join(folder(), 'installation.json'), '{"schemaVersion":1,"id":"x"}');
    await put('backup.tar', 'notes/x');
    refuseUnfitHome(folder());
  });

  it('refuses the folders of systems, users and other programs, and writes nothing there', async () => {
    for (const path of ['/etc', '/', '/proc', process.cwd()]) {
      const error = await failure(() => refuseUnfitHome(path), 'bad_request');
      assert.match(error.message, /can't be Berth's state directory/, path);
      assert.match(error.hint ?? '', /BERTH_HOME/);
    }
    await put('installation.json', 'keys/id_ed25519', 'app.db');
    await failure(() => refuseUnfitHome(folder()), 'bad_request');
    assert.deepEqual((await readdir(folder())).sort(), ['app.db', 'installation.json', 'keys']);
  });

  it('refuses a path that no configuration of ssh can name', async () => {
    for (const name of ['a\nb', 'a\rb', '${HOME}', 'a${']) {
      const error = await failure(() => refuseUnfitHome(join(folder(), name)), 'bad_request');
      assert.match(error.message, /line break or “\$\{”/);
      assert.doesNotMatch(error.message, /[\r\n]/);
    }
    refuseUnfitHome(join(folder(), `it's $HOME "100%" \\ #1`));
  });

  it("refuses another user's folder, marked as ours or empty, to root as well", async () => {
    if (process.getuid?.() !== 0) {
      // Somebody who may not give a folder away has none of another user but those of the system.
      assert.match((await failure(() => refuseUnfitHome('/usr'))).message, /belongs to another user/);
      return;
    }
    const theirs = join(folder(), 'theirs');
    await mkdir(theirs);
    await chown(theirs, 1234, 1234);
    assert.match((await failure(() => refuseUnfitHome(theirs))).message, /belongs to another user/);
    await writeFile(join(theirs, 'installation.json'), '{"schemaVersion":1,"id":"x"}');
    assert.match((await failure(() => refuseUnfitHome(theirs))).message, /belongs to another user/);
  });

  it('refuses a file, and an empty folder for everybody', async () => {
    await put('file');
    assert.match((await failure(() => refuseUnfitHome(join(folder(), 'file')))).message, /is not a folder/);
    const shared = join(folder(), 'shared');
    await mkdir(shared);
    await chmod(shared, 0o1777);
    assert.match((await failure(() => refuseUnfitHome(shared))).message, /for everybody/);
    // Anybody could have put a mark there.
    await writeFile(join(shared, 'installation.json'), '{"schemaVersion":1,"id":"x"}');
    assert.match((await failure(() => refuseUnfitHome(shared))).message, /for everybody/);
  });
});

describe('api/rules/endpoint: one socket for one folder', () => {
  const folder = useTempFolder();
  const long = (): string => join(folder(), 'long'.repeat(12), 'long'.repeat(12));

  it('is the same however the folder is spelled, also before it is there', async () => {
    for (const name of ['short', long().slice(folder().length + 1)]) {
      const path = join(folder(), name);
      const expected = socketPath(path);
      await mkdir(path, { recursive: true });
      await symlink(path, join(folder(), `link-${name.length}`));
      for (const spelled of [
        `${path}/`,
        `${path}//.`,
        `${path}/x/..`,
        join(folder(), `link-${name.length}`),
      ]) {
        assert.equal(socketPath(spelled), expected, spelled);
      }
    }
  });

  it('does not depend on the environment', () => {
    const before = { ...process.env };
    const expected = socketPath(long());
    assert.match(expected, /^\/tmp\/berth-\d+-[0-9a-f]{16}\/engine\.sock$/);
    try {
      process.env.XDG_RUNTIME_DIR = '/run/user/4711';
      process.env.TMPDIR = '/somewhere';
      assert.equal(socketPath(long()), expected);
    } finally {
      for (const name of ['XDG_RUNTIME_DIR', 'TMPDIR']) {
        Reflect.deleteProperty(process.env, name);
        if (before[name] !== undefined) {
          process.env[name] = before[name];
        }
      }
    }
  });

  it('is one pipe for a folder on Windows, whatever the case and the slashes', () => {
    const [first, ...others] = [
      'C:\\Users\\Me\\berth',
      'c:\\users\\me\\berth\\',
      'C:/Users/Me/x/../berth',
    ].map((home) => socketPath(home, 'win32'));
    assert.deepEqual(others, [first, first]);
  });
});
