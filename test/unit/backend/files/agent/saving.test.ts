import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { accessList, attributesAt, setAttribute } from '../../../../support/files/file-facts';
import { startAgent, TestVolume } from './harness';
import { needsRoot } from '../../../../support/skip';
import { times } from '../../../../support/soak';

const over = { create: true, overwrite: true };

describe('saves', function () {
  this.timeout(60_000);
  let volume: TestVolume;
  const at = (...path: string[]): string => join(volume.root, ...path);
  const text = (name: string): string => readFileSync(at(name), 'utf8');
  const isUntouched = (): void =>
    assert.deepEqual(
      readdirSync(volume.root).filter((name) => name.startsWith('.berth-')),
      [],
    );

  beforeEach(async () => {
    volume = await TestVolume.create();
    mkdirSync(at('d'));
    writeFileSync(at('f'), 'old content');
  });
  afterEach(async () => {
    isUntouched();
    await volume.dispose();
  });

  for (const [size, content] of [
    ['small', Buffer.from('new')],
    ['large', randomBytes(3_000_000)],
  ] as const) {
    it(`keep hard links and whoever follows the file: ${size}`, async () => {
      linkSync(at('f'), at('d/other'));
      const follower = openSync(at('f'), 'r');
      await volume.files.write('/f', Readable.from([content]), over);
      assert.deepEqual(readFileSync(at('f')), content);
      assert.deepEqual(readFileSync(at('d/other')), content);
      assert.equal(statSync(at('f')).ino, statSync(at('d/other')).ino);
      const seen = Buffer.alloc(content.length);
      readSync(follower, seen, 0, seen.length, 0);
      closeSync(follower);
      assert.deepEqual(seen, content);
    });

    it(`keep attributes and access control lists: ${size}`, async () => {
      setAttribute(at('f'), 'user.k', 'v');
      setAttribute(at('f'), 'user.large', randomBytes(2000));
      setAttribute(at('f'), 'system.posix_acl_access', accessList);
      const before = attributesAt(at('f'));
      const mode = statSync(at('f')).mode;
      await volume.files.write('/f', content, over);
      assert.deepEqual(attributesAt(at('f')), before);
      assert.equal(statSync(at('f')).mode, mode);
      assert.deepEqual(readFileSync(at('f')), content);
    });
  }

  it('give a file no list that only its folder has for new ones', async () => {
    setAttribute(at('d'), 'system.posix_acl_default', accessList);
    writeFileSync(at('plain'), 'x');
    linkSync(at('plain'), at('d/f'));
    await volume.files.remove('/plain', { recursive: false });
    await volume.files.write('/d/f', Buffer.from('new'), over);
    assert.deepEqual(attributesAt(at('d/f')), {});
  });

  it('go through a link to its target, which stays the file that it was', async () => {
    linkSync(at('f'), at('d/other'));
    symlinkSync('f', at('link'));
    await volume.files.write('/link', Buffer.from('new'), over);
    assert.equal(text('d/other'), 'new');
  });

  it('say which rights went with the old content', async () => {
    chmodSync(at('f'), 0o6755);
    assert.deepEqual((await volume.files.write('/f', Buffer.from('n'), over)).dropped, ['setuid', 'setgid']);
    assert.equal((await volume.files.write('/f', Buffer.from('n'), over)).dropped, undefined);
    linkSync(at('f'), at('d/other'));
    chmodSync(at('f'), 0o4755);
    assert.deepEqual((await volume.files.write('/f', Buffer.from('n'), over)).dropped, ['setuid']);
    assert.equal(statSync(at('f')).mode & 0o7777, 0o755);
  });

  it('say that the capabilities of a program went with the old content', async function () {
    needsRoot(this, 'gives capabilities to programs');
    setAttribute(at('f'), 'security.capability', Buffer.from(`0000000200040000${'00'.repeat(12)}`, 'hex'));
    const { dropped } = await volume.files.write('/f', Buffer.from('n'), over);
    assert.deepEqual(dropped, ['capabilities']);
    assert.deepEqual(attributesAt(at('f')), {});
  });

  it('of a file with several names are whole, old or new, whenever the agent is killed', async () => {
    linkSync(at('f'), at('d/other'));
    const [old, fresh] = [randomBytes(16_000_000), randomBytes(24_000_000)];
    for (let round = 0; round < 6; round++) {
      writeFileSync(at('f'), old);
      const agent = await startAgent(volume.root);
      const opened = await agent.channel.request('open_write', { path: '/f', ...over });
      const { handle } = opened.ok;
      for (let offset = 0; offset < fresh.length; offset += 8_000_000) {
        const payload = fresh.subarray(offset, offset + 8_000_000);
        await agent.channel.request('pwrite', { handle, offset }, { payload });
      }
      const commit = agent.channel.request('commit', { handle }).catch(() => undefined);
      await sleep(round * 15);
      agent.child.kill('SIGKILL');
      await Promise.all([commit, agent.channel.closed]);
      const next = await startAgent(volume.root);
      await next.channel.request('sweep');
      const found = readFileSync(at('d/other'));
      assert.ok(found.equals(old) || found.equals(fresh), `torn in round ${round}`);
      assert.deepEqual(readFileSync(at('f')), found);
      isUntouched();
      next.channel.end();
    }
  });

  it('that were cut off are finished by nobody when the file was changed since, or is another one', async () => {
    const make = (name: string, inode: number): void => {
      mkdirSync(at(name), { mode: 0o700 });
      writeFileSync(at(name, 'content'), 'from the save');
      writeFileSync(at(name, 'target'), JSON.stringify({ path: '/f', inode }));
    };
    const sweep = async (): Promise<void> => {
      const agent = await startAgent(volume.root);
      await agent.channel.request('sweep');
      agent.channel.end();
    };
    make('.berth-save-0000000000000001', 1);
    await sweep();
    assert.equal(text('f'), 'old content');
    make('.berth-save-0000000000000002', statSync(at('f')).ino);
    utimesSync(at('f'), new Date(), new Date(Date.now() + 60_000));
    await sweep();
    assert.equal(text('f'), 'old content');
    utimesSync(at('f'), new Date(), new Date());
    make('.berth-save-0000000000000003', statSync(at('f')).ino);
    chmodSync(at('.berth-save-0000000000000003'), 0o777);
    await sweep();
    assert.equal(text('f'), 'old content');
    chmodSync(at('.berth-save-0000000000000003'), 0o700);
    await sweep();
    assert.equal(text('f'), 'from the save');
  });

  it('that were cut off keep nobody from the volume, whatever somebody made of them', async () => {
    const inode = statSync(at('f')).ino;
    const named = (index: number, ...path: string[]): string =>
      at(`.berth-save-${String(index).padStart(16, '0')}`, ...path);
    const note = (fields: object): string => JSON.stringify({ path: '/f', inode, size: 9, ...fields });
    const forged: ((index: number) => void)[] = [
      (index) => writeFileSync(named(index, 'extra'), ''),
      (index) => symlinkSync('/etc/passwd', named(index, 'target')),
      (index) => mkdirSync(named(index, 'target')),
      (index) => writeFileSync(named(index, 'target'), '[]'),
      (index) => writeFileSync(named(index, 'target'), '['.repeat(60_000)),
      (index) => writeFileSync(named(index, 'target'), note({ inode: {} })),
      (index) => execFileSync('mkfifo', [named(index, 'target')]),
      (index) => {
        writeFileSync(named(index, 'target'), note({}));
        execFileSync('mkfifo', [named(index, 'content')]);
      },
      (index) => {
        writeFileSync(named(index, 'target'), note({}));
        symlinkSync('/etc/passwd', named(index, 'content'));
      },
    ];
    forged.forEach((make, index) => {
      mkdirSync(named(index), { mode: 0o700 });
      make(index);
    });
    // Not one: its content is not what its note says.
    mkdirSync(named(50), { mode: 0o700 });
    writeFileSync(named(50, 'target'), note({}));
    writeFileSync(named(50, 'content'), 'of another size');
    // An honest one, whose file is a program that runs now; and one that can be finished.
    copyFileSync('/bin/sleep', at('program'));
    const running = spawn(at('program'), ['60']);
    writeFileSync(at('g'), 'half');
    for (const [index, name] of [
      [98, 'program'],
      [99, 'g'],
    ] as const) {
      mkdirSync(named(index), { mode: 0o700 });
      writeFileSync(named(index, 'content'), 'new bytes');
      writeFileSync(named(index, 'target'), note({ path: `/${name}`, inode: statSync(at(name)).ino }));
    }
    const agent = await startAgent(volume.root);
    try {
      const { ok } = await agent.channel.request('sweep', {}, { timeoutMs: 20_000 });
      assert.equal(text('g'), 'new bytes');
      assert.equal(text('f'), 'old content');
      const stayed = readdirSync(volume.root).filter((name) => name.startsWith('.berth-save-'));
      assert.deepEqual([ok.swept, ok.left], [2, stayed.length]);
      assert.deepEqual(stayed.length, forged.length + 1);
      const { ok: listed } = await agent.channel.request('list', { path: '/' });
      assert.deepEqual((listed.entries as unknown[]).length, 4);
    } finally {
      running.kill();
      await once(running, 'exit');
    }
    await agent.channel.request('sweep');
    assert.equal(text('program'), 'new bytes');
    agent.channel.end();
    forged.forEach((_, index) => rmSync(named(index), { recursive: true }));
  });

  it('are not in the way of a sweep, nor it in theirs', async () => {
    linkSync(at('f'), at('d/other'));
    const other = await startAgent(volume.root);
    const work = { isDone: false };
    const sweeps = (async () => {
      while (!work.isDone) {
        await other.channel.request('sweep');
      }
    })();
    const rounds = times(20, 60);
    for (let round = 0; round < rounds; round++) {
      await volume.files.write('/f', Buffer.from(`round ${round}`), over);
      const stage = await volume.files.stage();
      await volume.files.unstage(stage);
    }
    work.isDone = true;
    await sweeps;
    other.channel.end();
    assert.equal(text('d/other'), `round ${rounds - 1}`);
  });
});
