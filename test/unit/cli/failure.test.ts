import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { CommanderError } from 'commander';
import { BerthError } from '../../../src/api';
import { ExitWith, exitCodeOf, formatFailure } from '../../../src/cli/failure';
import { Interrupts } from '../../../src/cli/interrupts';
import { createStyle } from '../../../src/cli/terminal/style';

const style = createStyle(false, false);

describe('cli/failure', () => {
  it('maps errors to exit codes', () => {
    const codes: [unknown, number][] = [
      [new BerthError('not_found', 'x'), 1],
      [new BerthError('illegal_state', 'x'), 1],
      [new BerthError('internal', 'x'), 1],
      [new Error('bug'), 1],
      ['thrown', 1],
      [new BerthError('bad_request', 'x'), 2],
      [new CommanderError(1, 'commander.unknownOption', 'x'), 2],
      [new CommanderError(0, 'commander.help', 'x'), 0],
      [new BerthError('runtime_unavailable', 'x'), 75],
      [new BerthError('capacity', 'x'), 75],
      [new BerthError('timeout', 'x'), 75],
      [new BerthError('cancelled', 'x'), 130],
      [new ExitWith(7), 7],
    ];
    assert.deepEqual(
      codes.map(([error]) => exitCodeOf(error)),
      codes.map(([, code]) => code),
    );
  });

  it('says what happened and what to do', () => {
    const error = new BerthError('not_found', 'There is no workspace "x".', { hint: 'Create it.' });
    assert.equal(formatFailure(error, false, style), 'error: There is no workspace "x".\nhint: Create it.\n');
    assert.equal(formatFailure(new Error('bug'), false, style), 'error: bug\n');
  });

  it('writes the same as JSON, field included', () => {
    const error = new BerthError('bad_request', 'Too long.', { hint: 'Shorter.', field: 'name' });
    assert.deepEqual(JSON.parse(formatFailure(error, true, style)), {
      error: { code: 'bad_request', message: 'Too long.', hint: 'Shorter.', field: 'name' },
    });
  });

  it('does not let a guest drive the terminal', () => {
    assert.equal(formatFailure(new Error('a\u001b[2Jb\nc'), false, style), 'error: a?[2Jb\nc\n');
  });

  it('does not call a cancel an error, and says nothing twice', () => {
    assert.equal(formatFailure(new BerthError('cancelled', 'Cancelled.'), false, style), 'Cancelled.\n');
    assert.equal(formatFailure(new ExitWith(3), true, style), '');
  });
});

describe('cli/interrupts', () => {
  it('asks first, ends then', () => {
    const source = new EventEmitter();
    const ends: unknown[] = [];
    const interrupts = new Interrupts(source, {
      exit: (code) => ends.push(code),
      die: (signal) => ends.push(signal),
    });
    source.emit('SIGINT');
    assert.equal(interrupts.signal.aborted, true);
    assert.deepEqual(ends, []);
    source.emit('SIGINT');
    assert.deepEqual(ends, [130]);
    interrupts.dispose();
    assert.equal(source.listenerCount('SIGINT'), 0);
  });

  it('ends of the signal that asked for it, once the command has ended, however often it comes', () => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      const source = new EventEmitter();
      const ends: unknown[] = [];
      const interrupts = new Interrupts(source, {
        exit: (code) => ends.push(code),
        die: (by) => ends.push(by, source.listenerCount(signal)),
      });
      source.emit(signal);
      source.emit(signal);
      source.emit(signal === 'SIGTERM' ? 'SIGHUP' : 'SIGTERM');
      assert.equal(interrupts.signal.aborted, true);
      assert.deepEqual(ends, []);
      interrupts.end(130);
      assert.deepEqual(ends, [signal, 0]);
    }
  });

  it('hears signals of the system also while a child has the terminal', async () => {
    const source = new EventEmitter();
    const interrupts = new Interrupts(source, { exit: () => undefined, die: () => undefined });
    await interrupts.leaveTo(() => Promise.resolve(source.emit('SIGHUP')));
    assert.equal(interrupts.signal.aborted, true);
    interrupts.dispose();
  });

  it('ends quietly when nobody reads', () => {
    const ends: number[] = [];
    const interrupts = new Interrupts(new EventEmitter(), {
      exit: (code) => ends.push(code),
      die: () => assert.fail('died'),
    });
    assert.equal(interrupts.isUnread, false);
    interrupts.unread(0);
    interrupts.unread(1);
    assert.equal(interrupts.isUnread, true);
    assert.equal(interrupts.signal.aborted, true);
    interrupts.end(130);
    assert.deepEqual(ends, [0]);
    interrupts.dispose();
  });

  it('leaves Ctrl-C to a child that has the terminal, also when that fails', async () => {
    const source = new EventEmitter();
    const interrupts = new Interrupts(source, {
      exit: () => assert.fail('ended'),
      die: () => assert.fail('died'),
    });
    await interrupts.leaveTo(async () => {
      source.emit('SIGINT');
      source.emit('SIGINT');
      await Promise.resolve();
    });
    await assert.rejects(interrupts.leaveTo(() => Promise.reject(new Error('gone'))));
    assert.equal(interrupts.signal.aborted, false);
    source.emit('SIGINT');
    assert.equal(interrupts.signal.aborted, true);
  });
});
