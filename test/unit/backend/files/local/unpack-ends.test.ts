import assert from 'node:assert/strict';
import fs, { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LocalThread } from '../../../../../src/backend/files/local/thread';
import type { UnpackAnswer, UnpackStep } from '../../../../../src/backend/files/local/unpack/messages';
import { UnpackServer } from '../../../../../src/backend/files/local/unpack/serve';
import { unpackTar, type UnpackReport } from '../../../../../src/backend/files/local/unpack/unpack';
import { encodeHeader, paddingOf } from '../../../../../src/backend/tar/header';
import { useTempFolder } from '../../../../support/temp';
import { hasCode } from '../agent/harness';

const never = new AbortController().signal;
const quiet: UnpackReport = { received() {}, failed() {}, lost() {} };
const plain = { type: 'file', uid: 0, gid: 0, linkName: '', mtimeMs: 1e12 } as const;
const end = Buffer.alloc(1024);

function member(name: string, content: Buffer, mode = 0o644): Buffer {
  const { length } = content;
  return Buffer.concat([
    encodeHeader({ ...plain, name, mode, size: length }),
    content,
    Buffer.alloc(paddingOf(length)),
  ]);
}

const many = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, n) => member(`f${n}`, Buffer.alloc(100, n)));

/** Hands chunks over, and calls back before each. */
const from =
  (chunks: readonly Buffer[], before: (index: number) => unknown = () => undefined) =>
  async (take: (chunk: Buffer) => Promise<void> | undefined): Promise<void> => {
    for (const [index, chunk] of chunks.entries()) {
      await before(index);
      await take(chunk);
    }
  };

const as = { drop: 0, prefix: [] };

/** Does its steps in this thread, where a test can change what the system says. */
class ThreadHere extends LocalThread {
  private readonly server = new UnpackServer();
  readonly steps: UnpackStep[] = [];
  override run = ((step: UnpackStep) => {
    this.steps.push(step);
    return this.answer(() => this.server.do(step));
  }) as LocalThread['run'];

  constructor(private readonly answer = (run: () => UnpackAnswer) => Promise.resolve(run())) {
    super();
  }
}

describe('unpacking that ends before its time', () => {
  const folder = useTempFolder();
  const at = (...parts: string[]): string => join(folder(), ...parts);

  it('writes nothing more once it is cancelled, in the middle of a step too', async () => {
    const given = new AbortController();
    const thread = new LocalThread();
    const receive = from([Buffer.concat(many(4000)), end], (index) => index === 1 && given.abort());
    await assert.rejects(
      unpackTar(receive, { folder: folder(), renaming: as }, { report: quiet, signal: given.signal, thread }),
      {
        name: 'AbortError',
      },
    );
    assert.ok(thread.isIdle);
    const there = readdirSync(folder()).length;
    await unpackTar(
      from([end]),
      { folder: folder(), renaming: as },
      { report: quiet, signal: never, thread },
    );
    assert.equal(readdirSync(folder()).length, there);
    thread.end();

    const server = new UnpackServer();
    const [stop, buffer] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4096)];
    Buffer.from(buffer).set(Buffer.concat([member('one', Buffer.alloc(0)), end]));
    mkdirSync(at('stopped'));
    server.do({ begin: at('stopped'), renaming: as, buffers: [buffer], stop });
    new Int32Array(stop)[0] = 1;
    assert.match(server.do({ chunk: 0, length: 4096 }).failure?.message ?? '', /stopped/);
    assert.deepEqual(readdirSync(at('stopped')), []);
  });

  for (const [call, code, error] of [
    ['writeSync', 'ENOSPC', 'no_space'],
    ['openSync', 'EDQUOT', 'no_space'],
    ['openSync', 'EROFS', 'read_only'],
    ['closeSync', 'ENOSPC', 'no_space'],
  ] as const) {
    it(`tells of a disk that is full: ${code} of ${call}`, async () => {
      const thread = new ThreadHere();
      const real = fs[call] as (...args: unknown[]) => unknown;
      let calls = 0;
      const failing = (...args: unknown[]): unknown => {
        if (++calls !== 3) return real(...args);
        if (call === 'closeSync') real(...args);
        throw Object.assign(new Error(code), { code });
      };
      const failed: string[] = [];
      const report = { ...quiet, failed: (name: string) => void failed.push(name) };
      Object.assign(fs, { [call]: failing });
      const content = Buffer.alloc(2 * 1024 * 1024, 1);
      const chunks = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => member(name, content));
      try {
        const unpacked = unpackTar(
          from([...chunks, end]),
          { folder: folder(), renaming: as },
          { report, signal: never, thread },
        );
        await assert.rejects(unpacked, hasCode(error));
      } finally {
        Object.assign(fs, { [call]: real });
      }
      assert.deepEqual([failed, readdirSync(folder()).includes('h')], [[], false]);
      assert.ok('abandon' in (thread.steps.at(-1) ?? {}));
    });
  }

  it('fails when its thread does, however that ends, and the next one has another thread', async () => {
    const thread = new LocalThread();
    const chunks = Array.from({ length: 8 }, (_, n) => member(`f${n}`, Buffer.alloc(700_000, n)));
    for (const stop of [
      () => void thread.start().terminate(),
      () => thread.start().postMessage(null),
      () => thread.start().terminate(),
    ]) {
      const receive = from([...chunks, end], (index) => (index === 4 ? stop() : undefined));
      await assert.rejects(
        unpackTar(receive, { folder: folder(), renaming: as }, { report: quiet, signal: never, thread }),
        /thread|operator|unpacked/,
      );
      readdirSync(folder()).forEach((name) => rmSync(at(name)));
    }
    assert.equal(
      await unpackTar(
        from([...chunks, end]),
        { folder: folder(), renaming: as },
        { report: quiet, signal: never, thread },
      ),
      8,
    );
    thread.end();
  });

  it('does nothing that was not begun, or that follows what failed', () => {
    const server = new UnpackServer();
    const isRefused = (step: UnpackStep): boolean => server.do(step).failure !== undefined;
    const buffer = new SharedArrayBuffer(4096);
    const begin = { begin: folder(), renaming: as, buffers: [buffer], stop: new SharedArrayBuffer(4) };
    assert.ok(isRefused({ finish: true }) && isRefused({ chunk: 0, length: 512 }) && isRefused({ seal: [] }));
    assert.ok(!isRefused(begin));
    Buffer.from(buffer).fill('x');
    assert.ok(isRefused({ chunk: 0, length: 512 }));
    Buffer.from(buffer).set(member('late', Buffer.alloc(0)));
    assert.ok(isRefused({ chunk: 0, length: 512 }) && isRefused({ finish: true }));
    assert.deepEqual(readdirSync(folder()), []);
    assert.ok(!isRefused({ abandon: true }));
  });

  it('names all that could not be written when its folder is gone', async () => {
    mkdirSync(at('gone'));
    const failed: string[] = [];
    const report = { ...quiet, failed: (name: string) => void failed.push(name) };
    const chunks = [...many(3), end];
    const receive = from(chunks, (index) => index === 0 && rmSync(at('gone'), { recursive: true }));
    assert.equal(
      await unpackTar(receive, { folder: at('gone'), renaming: as }, { report, signal: never }),
      0,
    );
    assert.deepEqual(failed, ['f0', 'f1', 'f2']);
  });

  it('lets no more come than its buffers hold while the thread does not get on', async () => {
    const waiting: (() => void)[] = [];
    const thread = new ThreadHere(
      (run) =>
        new Promise((resolve) => {
          const isOpen = waiting.length === 0 && thread.steps.length === 1;
          if (isOpen) resolve(run());
          else waiting.push(() => resolve(run()));
        }),
    );
    const piece = Buffer.alloc(64 * 1024, 7);
    const size = 16 * 1024 * 1024;
    const header = encodeHeader({ ...plain, name: 'large', mode: 0o600, size });
    let handed = 0;
    let max = 0;
    const receive = from([header, ...Array.from({ length: size / piece.length }, () => piece), end], () => {
      handed += piece.length;
    });
    const unpacked = unpackTar(
      receive,
      { folder: folder(), renaming: as },
      { report: quiet, signal: never, thread },
    );
    const unpacking = { isDone: false };
    void unpacked.finally(() => (unpacking.isDone = true));
    while (!unpacking.isDone) {
      const before = handed;
      await new Promise(setImmediate);
      if (handed !== before) continue;
      max = Math.max(max, waiting.length);
      waiting.shift()?.();
      if (thread.steps.length < 4) assert.ok(handed < 4 * 1024 * 1024);
    }
    assert.equal(await unpacked, 1);
    assert.equal(statSync(at('large')).size, size);
    assert.ok(max <= 3 && readFileSync(at('large')).every((byte) => byte === 7));
  });
});
