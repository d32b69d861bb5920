import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import type { Operation, Step } from '../../../../src/api';
import {
  ProgressDisplay,
  describe as describeOperation,
  formatProgress,
  formatStep,
} from '../../../../src/cli/terminal/progress';
import { createStyle, hasColor, hasUnicode } from '../../../../src/cli/terminal/style';

const plain = createStyle(false, false);
const pretty = createStyle(false, true);

function step(name: string, outcome: Step['outcome'], more: Partial<Step> = {}): Step {
  return { name, title: `Title ${name}`, outcome, ...more };
}

function operation(more: Partial<Operation> = {}): Operation {
  return {
    id: '1',
    kind: 'workspace.create',
    title: 'Create workspace demo',
    status: 'running',
    cancellable: true,
    startedAt: '2026-01-01T00:00:00.000Z',
    steps: [],
    warnings: [],
    ...more,
  };
}

class Recorder {
  text = '';
  columns = 60;
  constructor(readonly isTTY: boolean) {}
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

describe('cli/terminal/progress', () => {
  it('writes plain lines elsewhere than on a terminal: each step once, when it ended', () => {
    const target = new Recorder(false);
    const display = new ProgressDisplay(target, plain);
    display.update(operation({ steps: [step('a', 'running'), step('b', 'pending')] }));
    display.update(operation({ steps: [step('a', 'done', { ms: 1200 }), step('b', 'running')] }));
    display.update(operation({ steps: [step('a', 'done', { ms: 1200 }), step('b', 'running')] }));
    const last = [step('a', 'done', { ms: 1200 }), step('b', 'warning', { message: 'slow', ms: 30 })];
    display.end(
      operation({
        status: 'succeeded',
        endedAt: '2026-01-01T00:00:02.500Z',
        steps: [...last, step('c', 'skipped')],
        warnings: ['Careful', 'It said:\nfirst\r\n\u001b[2Jsecond'],
      }),
    );
    assert.deepEqual(target.text.split('\n'), [
      'ok Title a  1.2 s',
      'warning: Title b: slow  30 ms',
      'ok Create workspace demo  2.5 s',
      'warning: Careful',
      'warning: It said:',
      '    first',
      '    ?[2Jsecond',
      '',
    ]);
  });

  it('says no success of a transfer of which nothing, or not all, arrived', () => {
    const ended = (files: number, failed: number): string => {
      const target = new Recorder(false);
      const result = {
        ...{ files, bytes: 0, skipped: [], renamed: [] },
        failed: Array.from({ length: failed }, () => ({ path: '/etc/hosts', reason: 'in use' })),
      };
      const display = new ProgressDisplay(target, plain);
      const steps = [step('copy', 'done'), step('place', 'done'), step('remove', 'done')];
      display.update(operation({ steps }));
      assert.equal(target.text, 'ok Title copy\n', 'nobody knows yet how the rest went');
      display.end(
        operation({ kind: 'transfer', title: 'Copy f to w:/etc', status: 'succeeded', steps, result }),
      );
      return target.text;
    };
    for (const [files, failed, mark] of [
      [1, 0, 'ok'],
      [1, 1, 'warning:'],
      [0, 1, 'failed:'],
    ] as const) {
      const lines = [
        'ok Title copy',
        `${mark} Title place`,
        'ok Title remove',
        `${mark} Copy f to w:/etc`,
        '',
      ];
      assert.equal(ended(files, failed), lines.join('\n'));
    }
  });

  it('leaves the error of a failed operation to the error itself', () => {
    const target = new Recorder(false);
    const failed = step('a', 'failed', { message: 'no such image' });
    new ProgressDisplay(target, plain).end(operation({ status: 'failed', steps: [failed] }));
    assert.equal(target.text, 'failed: Title a: no such image\n');
  });

  it('rewrites one line on a terminal, and gives the line and the cursor back', () => {
    const target = new Recorder(true);
    const display = new ProgressDisplay(target, pretty);
    display.update(operation({ steps: [step('a', 'running')] }));
    assert.ok(target.text.startsWith('\u001b[?25l\r\u001b[2K'));
    assert.match(stripVTControlCharacters(target.text), /^\r. Title a$/u);
    display.end(undefined);
    display.release();
    assert.ok(target.text.endsWith('\r\u001b[2K\u001b[?25h'));
    assert.equal(target.text.split('\u001b[?25h').length, 2);
  });

  it('never writes more than a line of the terminal', () => {
    const target = new Recorder(true);
    const display = new ProgressDisplay(target, pretty);
    display.update(operation({ title: 'x'.repeat(500) }));
    display.release();
    const drawn = stripVTControlCharacters(target.text).replaceAll('\r', '');
    assert.ok(drawn.length < target.columns, `${drawn.length}`);
  });

  it('shows bytes with bar, amounts, rate and name', () => {
    const shown = formatProgress(
      { unit: 'bytes', done: 512 * 1024, total: 1024 * 1024, rate: 100 * 1024, current: 'a\u001bb.bin' },
      false,
    );
    assert.equal(shown, '##########----------  50%  512 KiB / 1.0 MiB  100 KiB/s  a?b.bin');
  });

  it('shows what is known when there is no total', () => {
    assert.equal(formatProgress({ unit: 'files', done: 3 }, true), '3 files');
    assert.equal(formatProgress({ unit: 'bytes', done: 2048 }, true), '2.0 KiB');
  });

  it('keeps the bar whole when more was done than announced', () => {
    const saving = { unit: 'bytes' as const, done: 200, total: 200, current: 'saving the disk' };
    assert.equal(formatProgress(saving, true), 'saving the disk');
    assert.match(formatProgress({ unit: 'bytes', done: 300, total: 200 }, true), /^█{20} 100%/);
    assert.match(formatProgress({ unit: 'bytes', done: 0, total: 0 }, true), /^0 B$/);
  });

  it('names the running step and for how long it runs', () => {
    const running = operation({ steps: [step('a', 'done'), step('b', 'running')] });
    assert.equal(describeOperation(running, 500, true), 'Title b');
    assert.equal(describeOperation(running, 61_000, true), 'Title b  1 min 1 s');
    assert.equal(describeOperation(operation(), 0, true), 'Create workspace demo');
  });

  it('keeps the lines of a message, and lets none of them pass for one of ours', () => {
    const message = 'git ended with 128: \r\nfatal: no\n\n✓ done\u001b[2J\n';
    assert.equal(
      formatStep(step('x', 'failed', { message, ms: 1200 }), pretty),
      '✗ Title x: git ended with 128:  1.2 s\n    fatal: no\n    ✓ done?[2J',
    );
  });

  it('marks outcomes by sign, not by colour alone', () => {
    const signs = (['done', 'warning', 'failed', 'pending'] as const).map((outcome) =>
      formatStep(step('x', outcome), pretty),
    );
    assert.deepEqual(signs, ['✓ Title x', '⚠ Title x', '✗ Title x', '– Title x']);
  });
});

describe('cli/terminal/style', () => {
  it('colours terminals only, and honours NO_COLOR, FORCE_COLOR and dumb terminals', () => {
    assert.equal(hasColor(true, {}), true);
    assert.equal(hasColor(false, {}), false);
    assert.equal(hasColor(true, { NO_COLOR: '1' }), false);
    assert.equal(hasColor(true, { NO_COLOR: '' }), true);
    assert.equal(hasColor(true, { NO_COLOR: '1', FORCE_COLOR: '1' }), false);
    assert.equal(hasColor(false, { FORCE_COLOR: '1' }), true);
    assert.equal(hasColor(true, { TERM: 'dumb' }), false);
    assert.equal(createStyle(true, true).red('x'), '\u001b[31mx\u001b[0m');
    assert.equal(createStyle(false, true).red('x'), 'x');
  });

  it('uses signs beyond ASCII where the locale has them', () => {
    assert.equal(hasUnicode({ LANG: 'en_US.UTF-8' }, 'linux'), true);
    assert.equal(hasUnicode({ LANG: 'C.utf8' }, 'linux'), true);
    assert.equal(hasUnicode({ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, 'linux'), false);
    assert.equal(hasUnicode({}, 'linux'), false);
    assert.equal(hasUnicode({}, 'darwin'), true);
  });
});
