import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { succeed } from '../../../../support/programs';
import { agentDir } from './harness';

/** Deeper than any recursion, its path longer than any call takes. */
const levels = 1500;
const script = `
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import ownfiles
os.chdir(sys.argv[2])
os.makedirs("outside/kept")
os.mkdir("tree")
os.chdir("tree")
for _ in range(${levels}):
    os.symlink(sys.argv[2] + "/outside", "link")
    os.mkdir("empty")
    os.mkdir("level")
    os.chdir("level")
os.chdir(sys.argv[2])
ownfiles.remove_directory("tree")
print(os.getcwd())
`;

describe('own files of a runtime', function () {
  this.timeout(60_000);

  it('removes a tree of any depth, and nothing that a link in it leads to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-own-'));
    try {
      const now = await succeed('python3', ['-c', script, agentDir, folder]);
      assert.equal(now, folder);
      assert.deepEqual(readdirSync(folder), ['outside']);
      assert.deepEqual(readdirSync(join(folder, 'outside')), ['kept']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
