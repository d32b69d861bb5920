import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { syncBelow, syncFolders } from '../../../../../src/backend/files/local/durable';
import { isRoot, skipWithout } from '../../../../support/skip';

describe('files that arrive on this machine', () => {
  let folder: string;
  let restore: () => void;
  let synced: number;
  const { signal } = new AbortController();
  const logged = (): string[] => {
    try {
      return readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-durable-'));
    mkdirSync(join(folder, 'files/d'), { recursive: true });
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/sync'), `#!/bin/sh\necho "$@" >> '${join(folder, 'log')}'\n`);
    chmodSync(join(folder, 'bin/sync'), 0o755);
    const path = process.env.PATH ?? '';
    process.env.PATH = `${join(folder, 'bin')}${delimiter}${path}`;
    const file = await open(join(folder, 'bin/sync'));
    await file.close();
    const handles = Object.getPrototypeOf(file) as FileHandle;
    const original = Object.getOwnPropertyDescriptor(handles, 'sync');
    assert.ok(original);
    synced = 0;
    handles.sync = async function (this: FileHandle): Promise<void> {
      synced++;
      await this.datasync();
    };
    restore = () => {
      process.env.PATH = path;
      Object.defineProperty(handles, 'sync', original);
    };
  });
  afterEach(() => {
    restore();
    rmSync(folder, { recursive: true });
  });

  it('are synced one by one when they are few, with their folders', async () => {
    writeFileSync(join(folder, 'files/a'), 'x');
    writeFileSync(join(folder, 'files/d/b'), 'x');
    symlinkSync('nowhere', join(folder, 'files/link'));
    await syncBelow(join(folder, 'files'), signal);
    assert.deepEqual([synced, logged()], [4, []]);
  });

  it('are synced at once where a folder can not be listed by its owner', async function () {
    if (isRoot) skipWithout(this, 'a user whom modes stop: this is root');
    mkdirSync(join(folder, 'files/closed'), { mode: 0o300 });
    writeFileSync(join(folder, 'files/closed/a'), 'x');
    await syncBelow(join(folder, 'files'), signal);
    assert.deepEqual([synced, logged()], [0, [`-f -- ${join(folder, 'files')}`]]);
    chmodSync(join(folder, 'files/closed'), 0o700);
  });

  it('are synced at once when they are many, one by one where nothing can do that', async () => {
    for (let number = 0; number < 20; number++) {
      writeFileSync(join(folder, `files/d/${number}`), 'x');
    }
    await syncBelow(join(folder, 'files'), signal);
    assert.deepEqual([synced, logged()], [0, [`-f -- ${join(folder, 'files')}`]]);
    writeFileSync(join(folder, 'bin/sync'), '#!/bin/sh\nexit 1\n');
    await syncBelow(join(folder, 'files'), signal);
    assert.equal(synced, 22);
  });

  it('have names that are synced too', async () => {
    await syncFolders(new Set([folder, join(folder, 'files')]), signal);
    assert.deepEqual([synced, logged()], [2, []]);
  });
});
