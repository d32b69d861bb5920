import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../../..');
const maxFiles = 24;

/** How many files are in each folder, that of its subfolders not counted. */
function counts(folder: string): Map<string, number> {
  const found = new Map<string, number>();
  const visit = (path: string): void => {
    const entries = readdirSync(join(root, path), { withFileTypes: true });
    found.set(path, entries.filter((entry) => !entry.isDirectory()).length);
    for (const entry of entries.filter((each) => each.isDirectory())) visit(`${path}/${entry.name}`);
  };
  visit(folder);
  return found;
}

describe('the folders of the sources and of the tests', () => {
  it('hold so few files that a newcomer finds one: whatever holds more is two rooms', () => {
    const crowded = [...counts('src'), ...counts('test')].filter(([, count]) => count > maxFiles);
    assert.deepEqual(crowded, []);
  });
});
