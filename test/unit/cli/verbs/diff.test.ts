import assert from 'node:assert/strict';
import { useCli, type TestCli } from '../../../support/engine/cli-engine';

describe('cli: diff', () => {
  const { start } = useCli();
  let test: TestCli;
  beforeEach(async () => {
    test = await start();
    const contents = { v1: ['same', 'old\n', 'gone\n'], v2: ['same', 'new\n', undefined] };
    for (const [volume, [same, text, gone]] of Object.entries(contents)) {
      test.driver.volumes.add(volume);
      const { contents: files } = await test.driver.volumes.files(volume);
      files.set('/same', Buffer.from(same!));
      files.set('/a "name"', Buffer.from(text!));
      if (gone !== undefined) files.set('/gone', Buffer.from(gone));
    }
  });

  it('names what has changed, and exits 1; 0 where nothing has', async () => {
    const { code, stdout, stderr } = await test.berth(['diff', 'v1', 'volume:v2:/']);
    assert.deepEqual([code, stdout, stderr], [1, 'M "a \\"name\\""\nD gone\n', '']);
    assert.deepEqual(await test.berth(['diff', 'v1', 'v1:']), { code: 0, stdout: '', stderr: '' });
  });

  it('shows paths alone, sizes, and a patch', async () => {
    const names = await test.berth(['diff', 'v1', 'v2', '--name-only']);
    assert.equal(names.stdout, '"a \\"name\\""\ngone\n');
    const raw = await test.berth(['diff', 'v1', 'v2', '--name-only', '-z']);
    assert.equal(raw.stdout, 'a "name"\0gone\0');
    const stat = await test.berth(['diff', 'v1', 'v2', '--stat']);
    assert.deepEqual(stat.stdout.split('\n'), [
      'M "a \\"name\\"" | 4 B -> 4 B',
      'D gone         | 5 B -> nothing',
      '0 added, 1 removed, 1 changed; 9 B before, 4 B after.',
      '',
    ]);
    const patch = await test.berth(['diff', 'v1', 'v2', '--patch']);
    assert.match(
      patch.stdout,
      /^diff --git "a\/a \\"name\\"" "b\/a \\"name\\""\nindex [0-9a-f.]+ 100644\n---/,
    );
    assert.match(
      patch.stdout,
      /\n@@ -1 \+1 @@\n-old\n\+new\ndiff --git a\/gone b\/gone\ndeleted file mode 100644\n/,
    );
  });

  it('forges no line, drives no terminal, and names bytes that are no text', async () => {
    const { contents } = await test.driver.volumes.files('v2');
    for (const name of ['/x\nD all', '/\u001b[2J', '/\uefff', '/ä b']) contents.set(name, Buffer.from('1'));
    const { stdout } = await test.berth(['diff', 'v1', 'v2', '--name-only']);
    assert.deepEqual(stdout.split('\n').slice(0, -1), [
      '"\\033[2J"',
      '"a \\"name\\""',
      'gone',
      '"x\\nD all"',
      'ä b',
      '"\\377"',
    ]);
  });

  it('reads what has the mark that it had only with --full', async () => {
    const files = await test.driver.volumes.files('v1');
    let asked = 0;
    const [inventory, details] = [files.inventory.bind(files), files.details.bind(files)];
    files.inventory = async () => {
      const found = await inventory();
      const folders = async function* (): ReturnType<typeof found.folders> {
        for await (const folder of found.folders(() => undefined)) {
          const marked = folder.rows.map((row) => ({ ...row, mark: 'm' }));
          yield { ...folder, own: { ...folder.own, mark: 'm' }, rows: marked };
        }
      };
      return { ...found, folders };
    };
    files.details = (wanted) => {
      asked += wanted.length;
      return details(wanted);
    };
    assert.equal((await test.berth(['diff', 'v1', 'v1:'])).code, 0);
    assert.equal(asked, 0);
    assert.equal((await test.berth(['diff', 'v1', 'v1:', '--full'])).code, 0);
    assert.equal(asked, 8, 'four on each side');
  });

  it('names binary files beside a patch', async () => {
    const files = [await test.driver.volumes.files('v1'), await test.driver.volumes.files('v2')];
    files.forEach(({ contents }, at) => contents.set('/bin', Buffer.from([at, 0])));
    const { stdout, stderr } = await test.berth(['diff', 'v1', 'v2', '--patch']);
    assert.doesNotMatch(stdout, /Binary|bin/);
    assert.match(stderr, /^Content is not in the patch, as it is binary or large: bin$/m);
  });

  it('gives machines an object in each line, and the totals in the last', async () => {
    const { stdout } = await test.berth(['--json', 'diff', 'v2', 'v1']);
    const [changed, added, last] = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as object);
    assert.deepEqual(changed, {
      ...{ path: '/a "name"', kind: 'changed', what: ['content'] },
      before: { type: 'file', size: 4, mode: 0o644, uid: 1000, gid: 1000, mtimeMs: 0 },
      after: { type: 'file', size: 4, mode: 0o644, uid: 1000, gid: 1000, mtimeMs: 0 },
    });
    assert.deepEqual({ ...added, after: undefined }, { path: '/gone', kind: 'added', after: undefined });
    const counts = { added: 1, removed: 0, changed: 1, metadata: 0, unread: 0, compared: 3 };
    assert.deepEqual(last, { end: { ...counts, bytesBefore: 4, bytesAfter: 9 } });
  });

  it('exits 2 for what is not there, and for two forms at once', async () => {
    for (const argv of [
      ['v1', 'none'],
      ['v1', 'snapshot:v1/none'],
      ['v1', 'v2', '--stat', '--patch'],
      ['v1', 'v2', '-z'],
      ['v1', './here'],
    ]) {
      const { code, stdout } = await test.berth(['diff', ...argv]);
      assert.deepEqual([code, stdout], [2, ''], argv.join(' '));
    }
  });
});
