/** Between two programs that end as they like; what they copy is for the tests with a real engine. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { carryOwnFiles } from '../../../../../../src/backend/drivers/containers/replacement/carrying';
import type { Endpoint } from '../../../../../../src/backend/drivers/containers/engine/endpoint';
import { failure } from '../../../../../support/errors';

interface Program {
  exitCode: number;
  report: string;
}

/** As the engine sends it: 2 is standard error. */
function frame(text: string): Buffer {
  const header = Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

function streamOf({ report }: Program): Duplex {
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  setImmediate(() => {
    stream.push(frame(report));
    stream.push(null);
  });
  return stream;
}

/** `undefined` is a program that can't be started. */
function engineOf(programs: Readonly<Record<string, Program | undefined>>): Endpoint {
  const getContainer = (id: string) => ({
    exec: () => {
      const program = programs[id];
      return program === undefined
        ? Promise.reject(new Error(`${id} does not run`))
        : Promise.resolve({
            start: () => Promise.resolve(streamOf(program)),
            inspect: () => Promise.resolve({ Running: false, ExitCode: program.exitCode, Pid: 1 }),
          });
    },
  });
  const call = (_what: string, run: (docker: object) => Promise<unknown>) => run({ getContainer });
  return { call } as unknown as Endpoint;
}

const ended = { exitCode: 0, report: '' };
const carry = (programs: Readonly<Record<string, Program | undefined>>) =>
  carryOwnFiles(
    engineOf(programs),
    { from: 'old', to: 'new', source: Buffer.alloc(0) },
    new AbortController().signal,
  );

describe('containers/replacement/carrying', () => {
  it('tells what was left behind', async () => {
    const report = JSON.stringify({ entries: 2, left: { sockets: [1, '/a'] } });
    assert.deepEqual(await carry({ old: ended, new: { exitCode: 0, report } }), [
      { what: 'sockets', count: 1, first: '/a' },
    ]);
  });

  it('succeeds only when the one that receives has said what it has', async () => {
    for (const report of ['', 'Segmentation fault', '{"entries":2,"left":{"soc']) {
      assert.equal((await failure(carry({ old: ended, new: { exitCode: 0, report } }))).code, 'internal');
    }
  });

  it('names the code of a program that was killed without a word', async () => {
    const killed = { exitCode: 137, report: '' };
    const { message } = await failure(carry({ old: killed, new: killed }));
    assert.match(message, /could not be copied: .* ended with code 137\.$/);
  });

  it('says what a program says in one short line, whatever names are in it', async () => {
    const report = JSON.stringify({ error: `no\nroom${'x'.repeat(5_000)}`, errno: 28 });
    const { code, message } = await failure(carry({ old: ended, new: { exitCode: 1, report } }));
    assert.equal(code, 'no_space');
    assert.match(message, /^.{50,400}$/);
    assert.match(message, /no room/);
  });

  it('fails alone when one of the two can not be started', async () => {
    await assert.rejects(carry({ old: undefined, new: ended }), /old does not run/);
    // The stream of the other one ends with an error now, which must not be nobody's.
    await sleep(50);
  });
});
