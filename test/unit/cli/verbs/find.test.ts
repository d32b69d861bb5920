import assert from 'node:assert/strict';
import { remarksOf } from '../../../../src/cli/verbs/find';
import { useCli, type TestCli } from '../../../support/engine/cli-engine';

describe('cli: find', () => {
  const { start } = useCli();
  let test: TestCli;
  beforeEach(async () => {
    test = await start();
    test.driver.volumes.add('v1');
    const { contents } = await test.driver.volumes.files('v1');
    contents.set('/main.py', Buffer.from('import os\n\tprint("Needle needles")\n'));
    contents.set('/notes.md', Buffer.from('NEEDLE\n'));
    contents.set('/binary', Buffer.from('needle\0'));
  });
  const sorted = (text: string): string[] => text.split('\n').slice(0, -1).sort();

  it('prints path, line and text as grep does, and says what was skipped', async () => {
    const found = await test.berth(['find', 'volume:v1:/', '--text', 'needle']);
    assert.equal(found.code, 0, found.stderr);
    assert.deepEqual(sorted(found.stdout), [
      'volume:v1:/main.py:2:\tprint("Needle needles")',
      'volume:v1:/notes.md:1:NEEDLE',
    ]);
    assert.equal(found.stderr, 'Skipped: 1 binary file.\n');
  });

  it('looks by case, words, expressions and globs', async () => {
    const both = ['v1:main.py:2', 'v1:notes.md:1'];
    const cases: [string[], string[]][] = [
      [['Needle', '--case'], ['v1:main.py:2']],
      [['NEEDLES', '--word'], ['v1:main.py:2']],
      [['eedle', '--word'], []],
      [['n.+e$', '--regex'], ['v1:notes.md:1']],
      [['n.+e', '--regex'], both],
      [['needle', '--include', '*.md', '--include', '*.py'], both],
      [['needle', '--exclude', '*.md', '--exclude', '*.py'], []],
    ];
    for (const [argv, places] of cases) {
      const { stdout } = await test.berth(['find', 'v1', '--text', ...argv]);
      const found = sorted(stdout).map((line) => line.split(':').slice(0, 3).join(':'));
      assert.deepEqual(found, places, argv.join(' '));
    }
  });

  it('prints files without a text, and says that there are more', async () => {
    const all = await test.berth(['find', 'v1:']);
    assert.deepEqual(sorted(all.stdout), ['v1:binary', 'v1:main.py', 'v1:notes.md']);
    assert.deepEqual([all.code, all.stderr], [0, '']);
    const some = await test.berth(['find', 'v1', '--limit', '1']);
    assert.deepEqual([some.code, sorted(some.stdout).length], [0, 1]);
    assert.equal(some.stderr, 'There are more than this 1 file.\n');
  });

  it('exits 1 where nothing is found, and 2 for a question that can not be meant', async () => {
    const none = await test.berth(['find', 'v1', '--text', 'elsewhere', '--include', '*.md']);
    assert.deepEqual(none, { code: 1, stdout: '', stderr: '' });
    for (const options of [
      ['--regex'],
      ['--text', '(', '--regex'],
      ['--text', ''],
      ['--limit', 'all'],
      ['--limit', '0'],
    ]) {
      const { code, stdout, stderr } = await test.berth(['find', 'v1', ...options]);
      assert.deepEqual([code, stdout], [2, ''], `${options.join(' ')}: ${stderr}`);
    }
  });

  it('gives machines an object in each line, and the counts in the last', async () => {
    const { stdout } = await test.berth(['find', 'v1', '--text', 'NEEDLE', '--case', '--json']);
    const lines = sorted(stdout).map((line) => JSON.parse(line) as object);
    const end = { found: 1, hasMore: false, searched: 3, binary: 1, tooLarge: 0, unread: 0 };
    assert.deepEqual(lines, [
      { end },
      { volume: 'v1', path: '/notes.md', line: 1, column: 1, length: 6, text: 'NEEDLE' },
    ]);
  });

  it('counts one and several in words', () => {
    const none = { found: 0, hasMore: false, searched: 0, binary: 0, tooLarge: 0, unread: 0 };
    assert.deepEqual(remarksOf(none, {}), []);
    const several = { ...none, found: 2, hasMore: true, binary: 2, tooLarge: 1, unread: 3 };
    assert.deepEqual(remarksOf(several, { text: 'x' }), [
      'There are more than these 2 lines.',
      'Skipped: 2 binary files, 1 file of more than 16 MiB.',
      'Could not be read: 3 files and folders.',
    ]);
  });
});
