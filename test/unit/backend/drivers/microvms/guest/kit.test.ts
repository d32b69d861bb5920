import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GuestKitStore } from '../../../../../../src/backend/drivers/microvms/guest/kit';
import { useTempFolder } from '../../../../../support/temp';

describe('guest kits', () => {
  const home = useTempFolder();
  const at = (...path: string[]): string => join(home(), 'guest', 'kit', ...path);
  const about = (hash: string): string =>
    JSON.stringify({ recipe: 'r', kernel: '6.1', hash, kernelArguments: [], builtAt: '2026-01-01' });

  it('are known again by what they are, not by where they lie', async () => {
    const never = (): never => assert.fail();
    const kits = new GuestKitStore({
      ...{ home: home(), images: home(), gatherers: [] },
      ...{ tools: never, buildExt4: never },
    });
    mkdirSync(at(), { recursive: true });
    ['vmlinuz', 'initrd', 'tools.ext4'].forEach((name) => writeFileSync(at(name), name));
    writeFileSync(at('kit.json'), about('one'));
    assert.equal(await kits.has(at('vmlinuz'), 'one'), true);
    assert.equal(await kits.has(join(home(), 'elsewhere', 'kit', 'vmlinuz'), 'one'), false);
    writeFileSync(at('kit.json'), about('two'));
    assert.equal(await kits.has(at('vmlinuz'), 'one'), false, 'built anew in its place');
    rmSync(at('tools.ext4'));
    assert.equal(await kits.has(at('vmlinuz'), 'two'), false, 'not whole');
    rmSync(at(), { recursive: true });
    assert.equal(await kits.has(at('vmlinuz'), 'two'), false);
  });
});
