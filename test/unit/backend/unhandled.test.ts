import assert from 'node:assert/strict';
import { onRejection, onUncaught } from '../../../src/backend/unhandled';

describe('backend/unhandled', () => {
  let logged: [string, string, readonly string[]][];
  let printed: string[];
  let ends: number;
  const note = (level: string) => (fields: object, message: string) => {
    logged.push([level, message, (fields as { running: string[] }).running]);
  };
  const parts = {
    log: { error: note('error'), fatal: note('fatal') },
    running: () => ['Start workspace demo (17)', 'PUT /v1/volumes/x/files/content'],
    end: () => void (ends += 1),
    print: (text: string) => void printed.push(text),
  };
  beforeEach(() => {
    [logged, printed, ends] = [[], [], 0];
  });

  it('goes on after the error of a connection that nobody listened to, with what ran in the log', () => {
    for (const code of ['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ENOTFOUND', 'ERR_STREAM_PREMATURE_CLOSE']) {
      onUncaught(parts)(Object.assign(new Error('x'), { code }));
    }
    assert.equal(logged.length, 5);
    assert(logged.every(([level, , running]) => level === 'error' && running.length === 2));
    assert.deepEqual([printed, ends], [[], 0]);
  });

  it('ends once, in order, after any other, and says what ran', () => {
    const listener = onUncaught(parts);
    listener(new TypeError('no such thing'));
    listener('thrown text');
    assert.deepEqual(
      logged.map(([level]) => level),
      ['fatal', 'fatal'],
    );
    assert.match(
      printed[0] ?? '',
      /failed during Start workspace demo \(17\), PUT .*: TypeError: no such thing\n/,
    );
    assert.equal(ends, 1);
  });

  it('logs a rejection that nobody handles, and goes on', () => {
    onRejection(parts)(new Error('x'));
    assert.deepEqual([logged[0]?.[0], ends], ['error', 0]);
  });
});
