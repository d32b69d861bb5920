import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onSocketMade } from '../../../src/client/socket-made';
import { useTempFolder } from '../../support/temp';
import { until } from '../../support/wait';

describe('client/socket-made', () => {
  const folder = useTempFolder();
  let told: number;
  let watch: { dispose(): void };
  beforeEach(() => (told = 0));
  afterEach(() => watch.dispose());
  const start = (): string => {
    const socket = join(folder(), 'run', 'engine.sock');
    watch = onSocketMade(socket, () => (told += 1));
    return socket;
  };

  it('tells when it appears, and of nothing else', async () => {
    await mkdir(join(folder(), 'run'));
    const socket = start();
    await writeFile(join(folder(), 'run', 'other'), '');
    await sleep(50);
    assert.equal(told, 0);
    await writeFile(socket, '');
    await until('it is told', () => told > 0);
  });

  it('tells when its folder has gone with one engine and comes with the next', async () => {
    await mkdir(join(folder(), 'run'));
    const socket = start();
    await rm(join(folder(), 'run'), { recursive: true });
    await sleep(50);
    await mkdir(join(folder(), 'run'));
    await sleep(20);
    assert.equal(told, 0);
    await writeFile(socket, '');
    await until('it is told', () => told > 0);
  });

  it('tells when its folder comes later', async () => {
    const socket = start();
    await mkdir(join(folder(), 'run'));
    await writeFile(socket, '');
    await until('it is told', () => told > 0);
  });
});
