import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DownloadDrafts } from '../../../../src/backend/store/download-drafts';

describe('drafts of downloads', () => {
  let home: string;
  const at = (...path: string[]): string => join(home, ...path);
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'berth-drafts-'));
    mkdirSync(at('user'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  /** As an engine that is killed in the middle. */
  function killedIn(folder: string): void {
    const module = require.resolve('../../../../src/backend/store/download-drafts');
    const script = `const { DownloadDrafts } = require(${JSON.stringify(module)});
      new DownloadDrafts(${JSON.stringify(at('records'))}).make(${JSON.stringify(folder)}).then(({ path }) => {
        require('fs').writeFileSync(path + '/half', 'x');
        process.kill(process.pid, 'SIGKILL');
      });`;
    assert.throws(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' }));
  }

  it('that a killed engine left are removed by the next, and nothing else', async () => {
    const drafts = new DownloadDrafts(at('records'));
    writeFileSync(at('user/mine'), 'x');
    for (const name of ['.berth-part-1', '.berth-part-999999999-x', '.berth-part-0123456789abcdef']) {
      mkdirSync(at('user', name));
    }
    const others = readdirSync(at('user'));
    killedIn(at('user'));
    assert.equal(readdirSync(at('user')).length, others.length + 1);
    await drafts.sweep();
    assert.deepEqual(readdirSync(at('user')), others);
    assert.deepEqual(readdirSync(at('records')), []);
  });

  it('on a disk that is away are removed when it is there again', async () => {
    const drafts = new DownloadDrafts(at('records'));
    killedIn(at('user'));
    renameSync(at('user'), at('away'));
    await drafts.sweep();
    assert.equal(readdirSync(at('records')).length, 1);
    renameSync(at('away'), at('user'));
    await drafts.sweep();
    assert.deepEqual([readdirSync(at('user')), readdirSync(at('records'))], [[], []]);
  });

  it('a record that names something else removes nothing', async () => {
    const drafts = new DownloadDrafts(at('records'));
    mkdirSync(at('records'));
    writeFileSync(at('records/0123456789abcdef.json'), JSON.stringify({ path: at('user') }));
    writeFileSync(at('records/0123456789abcde0.json'), 'damaged');
    await drafts.sweep();
    assert.ok(existsSync(at('user')));
    assert.deepEqual(readdirSync(at('records')), []);
  });
});
