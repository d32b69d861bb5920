import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { SecretStore } from '../../../../src/backend/store/secrets';
import { StateDirectory } from '../../../../src/backend/store/state-directory';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';

describe('store/secrets', () => {
  const folder = useTempFolder();
  let state: StateDirectory;
  let secrets: SecretStore;
  const all = ['TOKEN', 'KEY', 'EXTRA', 'X', 'NAME'];

  beforeEach(async () => {
    state = new StateDirectory(folder());
    await state.ensure();
    secrets = new SecretStore(state);
  });

  it('gives back what was put, adds to it, and replaces', async () => {
    assert.deepEqual(await secrets.put('demo', { TOKEN: 'one', KEY: 'ü\n' }), ['KEY', 'TOKEN']);
    assert.deepEqual(await secrets.put('demo', { TOKEN: 'two', EXTRA: '' }), ['EXTRA', 'KEY', 'TOKEN']);
    const again = new SecretStore(state);
    assert.deepEqual(await again.values('demo', all), { TOKEN: 'two', KEY: 'ü\n', EXTRA: '' });
    assert.deepEqual(await again.values('demo', ['EXTRA', 'GONE']), { EXTRA: '' });
    assert.deepEqual(await again.values('other', all), {});
  });

  it('leaves nothing in clear on the disk, in private files', async () => {
    await secrets.put('demo', { TOKEN: 'correct horse battery staple' });
    const content = await readFile(state.secrets, 'latin1');
    assert(!content.includes('correct'));
    assert(!content.includes(Buffer.from('correct horse battery staple').toString('base64').slice(0, 20)));
    for (const path of [state.secrets, state.masterKey]) {
      assert.equal((await stat(path)).mode & 0o777, 0o600);
    }
    await secrets.put('demo', { TOKEN: 'correct horse battery staple' });
    assert.notEqual(await readFile(state.secrets, 'latin1'), content, 'a nonce is used once');
  });

  it('forgets one workspace and keeps the others', async () => {
    await secrets.put('a', { X: '1' });
    await secrets.put('b', { X: '2' });
    await secrets.forget('a');
    await secrets.forget('never-there');
    assert.deepEqual(await secrets.values('a', all), {});
    assert.deepEqual(await secrets.values('b', all), { X: '2' });
  });

  it('loses none of many that are put at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `w${index}`);
    await Promise.all(names.map((name) => secrets.put(name, { NAME: name })));
    for (const name of names) {
      assert.deepEqual(await secrets.values(name, all), { NAME: name });
    }
  });

  for (const [what, key] of [
    ['another key', randomBytes(32)],
    ['half a key', randomBytes(16)],
    ['an empty key', Buffer.alloc(0)],
  ] as const) {
    it(`says what to do when it has ${what}`, async () => {
      await secrets.put('demo', { TOKEN: 'x' });
      await writeFile(state.masterKey, key);
      const error = await failure(secrets.values('demo', all), 'internal');
      assert.match(error.message, /demo\/TOKEN/);
      assert.match(error.hint ?? '', /set the secret again/);
    });
  }

  it('does not accept the secret of one workspace as that of another', async () => {
    await secrets.put('a', { TOKEN: 'x' });
    const { workspaces } = JSON.parse(await readFile(state.secrets, 'utf8')) as {
      workspaces: { a: unknown };
    };
    await writeFile(state.secrets, JSON.stringify({ schemaVersion: 1, workspaces: { b: workspaces.a } }));
    await failure(secrets.values('b', all), 'internal');
  });

  it('reads a file of the time before it had a version, and keeps no copy of it', async () => {
    await secrets.put('workspaces', { TOKEN: 'x' });
    const { workspaces } = JSON.parse(await readFile(state.secrets, 'utf8')) as { workspaces: unknown };
    await writeFile(state.secrets, JSON.stringify(workspaces));
    assert.deepEqual(await secrets.values('workspaces', all), { TOKEN: 'x' });
    assert.match(await readFile(state.secrets, 'utf8'), /"schemaVersion": 1/);
    assert.deepEqual((await readdir(state.keys)).sort(), ['hosts', 'master.key', 'secrets.json']);
  });

  it('leaves what a newer Berth wrote, or can not be read, untouched', async () => {
    const newer = '{"schemaVersion":2,"sealed":"differently"}';
    await writeFile(state.secrets, newer);
    for (const use of [secrets.values('a', all), secrets.put('a', { X: '1' }), secrets.forget('a')]) {
      assert.match((await failure(use, 'forbidden')).message, /left untouched: A newer Berth/);
    }
    assert.equal(await readFile(state.secrets, 'utf8'), newer);
    await rm(state.secrets);
    await mkdir(state.secrets);
    assert.match((await failure(secrets.put('a', { X: '1' }), 'forbidden')).message, /can't be read/);
    assert.deepEqual((await readdir(state.keys)).sort(), ['hosts', 'secrets.json']);
  });

  it('sets a damaged file aside and goes on', async () => {
    for (const content of ['{', '[]', '{"a":1}', '{"a":{"X":1}}']) {
      await writeFile(state.secrets, content);
      assert.deepEqual(await secrets.values('a', all), {}, content);
    }
    const kept = (await readdir(state.keys)).filter((name) => name.startsWith('secrets.json.damaged-'));
    assert(kept.length > 0);
    await secrets.forget('a');
    await secrets.put('a', { X: '1' });
    assert.deepEqual(await secrets.values('a', all), { X: '1' });
  });
});
