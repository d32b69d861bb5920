import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '../../../..');

/** What the check of the format says of one file of this text. */
function check(text: string): { status: number | null; said: string } {
  const cwd = mkdtempSync(join(tmpdir(), 'berth-format-'));
  try {
    copyFileSync(join(root, '.prettierrc.json'), join(cwd, '.prettierrc.json'));
    writeFileSync(join(cwd, 'some.ts'), text);
    const argv = [join(root, 'scripts/check-format.mjs')];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd, encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}` };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

describe('the check of the format', () => {
  it('lets pass what both write', () => {
    assert.deepEqual(check("export const a = 'b';\n"), { status: 0, said: '' });
  });

  it('lets pass what Prettier alone writes', () => {
    const values = Array.from({ length: 7 }, (_, at) => `'${'a'.repeat(9)}${at}'`).join(' | ');
    assert.deepEqual(check(`export type A =\n  ${values};\n`), { status: 0, said: '' });
  });

  for (const text of ['export const a = "b";\n', 'export const a = ;\n'])
    it(`complains of ${text.trim()}`, () => {
      const { status, said } = check(text);
      assert.notEqual(status, 0);
      assert.match(said, /some\.ts/);
    });
}).timeout(60_000);
