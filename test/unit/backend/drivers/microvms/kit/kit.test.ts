import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GuestKitStore } from '../../../../../../src/backend/drivers/microvms/kit/kit';
import { recipeOf } from '../../../../../../src/backend/drivers/microvms/kit/kit-parts';
import { useTempFolder } from '../../../../../support/temp';

const names = ['vmlinuz', 'initrd', 'tools.ext4'];
const hash = createHash('sha256').update(names.join('')).digest('hex');

describe('guest kits', () => {
  const home = useTempFolder();
  const at = (...path: string[]): string => join(home(), 'guest', 'kit', ...path);
  const about = (changes: object = {}): string =>
    JSON.stringify({
      ...{ recipe: 'r', kernel: '6.1', hash, kernelArguments: [], builtAt: '2026-01-01' },
      ...changes,
    });
  const never = (): never => assert.fail();
  const open = (): GuestKitStore =>
    new GuestKitStore({
      ...{ home: home(), images: join(home(), 'images'), gatherers: [] },
      ...{ tools: never, buildExt4: never },
    });
  const isThere = () => open().has(at('vmlinuz'), hash);
  let now = 1_700_000_000;
  const write = (name: string, content: string, seconds = (now += 1)): void => {
    writeFileSync(at(name), content);
    utimesSync(at(name), seconds, seconds);
  };

  /** As an earlier version wrote it: without what tells a damaged one without reading it. */
  beforeEach(() => {
    mkdirSync(at(), { recursive: true });
    names.forEach((name) => write(name, name));
    writeFileSync(at('kit.json'), about());
  });

  it('are known again by what they are, not by where they lie', async () => {
    assert.equal(await isThere(), true);
    assert.equal(await open().has(join(home(), 'elsewhere', 'kit', 'vmlinuz'), hash), false);
    writeFileSync(at('kit.json'), about({ hash: 'another' }));
    assert.equal(await isThere(), false, 'built anew in its place');
    writeFileSync(at('kit.json'), about());
    rmSync(at('tools.ext4'));
    assert.equal(await isThere(), false, 'not whole');
    rmSync(at(), { recursive: true });
    assert.equal(await isThere(), false);
  });

  it('are none when a file is cut off, or has another content', async () => {
    assert.equal(await isThere(), true);
    for (const name of names) {
      truncateSync(at(name), 3);
      assert.equal(await isThere(), false, `${name} is cut off`);
      write(name, `${name.slice(1)}x`);
      assert.equal(await isThere(), false, `${name} has another content`);
      write(name, name);
      assert.equal(await isThere(), true, `${name} is as it was`);
    }
    writeFileSync(at('kit.json'), about().slice(0, 40));
    assert.equal(await isThere(), false, 'its description is cut off');
  });

  it('are read when their times are others, and only then', async () => {
    const written = 1_600_000_000;
    write('initrd', 'initrd', written);
    assert.equal(await isThere(), true);
    const known = JSON.parse(readFileSync(at('kit.json'), 'utf8')) as { stamps: object };
    assert.deepEqual(Object.keys(known.stamps).sort(), [...names].sort());
    write('initrd', 'initrd');
    assert.equal(await isThere(), true, 'as a backup brings it back');
    // What has the same size and time is not read: 200 MB at each start would be felt.
    write('initrd', 'INITRD', written);
    assert.equal(await isThere(), false);
    writeFileSync(at('kit.json'), JSON.stringify(known));
    assert.equal(await isThere(), true);
  });

  it('that are damaged are not taken for a new machine', async () => {
    cpSync(join(__dirname, '../../../../../../../images'), join(home(), 'images'), { recursive: true });
    const { hash: recipe } = await recipeOf(join(home(), 'images'));
    writeFileSync(at('kit.json'), about({ recipe }));
    assert.equal((await open().find())?.kernel, at('vmlinuz'));
    truncateSync(at('tools.ext4'), 1);
    assert.equal(await open().find(), undefined);
  });
});
