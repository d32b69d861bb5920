import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { EscapeFollower } from '../../../../src/providers/terminal/escape-follower';
import { OutputFlow } from '../../../../src/providers/terminal/output-flow';

const question = '\x1b[5n';
const answer = '\x1b[0n';
const limits = { piece: 100, askEvery: 200, inFlight: 600, timeoutMs: 60_000 };

/** A terminal that draws when it is told to, and answers what it is asked on the way. */
class SlowTerminal {
  written = '';
  drawn = 0;
  typed = '';
  readonly flow = new OutputFlow((text) => (this.written += text), limits);

  draw(characters: number): void {
    const from = this.drawn;
    this.drawn = Math.min(this.written.length, from + characters);
    const begun = Math.max(0, from - question.length + 1);
    const questions = this.written.slice(begun, this.drawn).split(question).length - 1;
    for (let index = 0; index < questions; index += 1) {
      this.typed += this.flow.typed(answer);
    }
  }

  /** What there is to see: without the questions. */
  get text(): string {
    return this.written.replaceAll(question, '');
  }
}

async function* flood(count: number, line: (index: number) => string): AsyncGenerator<string> {
  for (let index = 0; index < count; index += 1) {
    yield line(index);
    await turn();
  }
}

describe('providers/terminal/output-flow', () => {
  it('writes no more than may be in flight before it was drawn, and in the end all', async () => {
    const terminal = new SlowTerminal();
    const over = new AbortController();
    const line = (index: number): string => `line ${index} ${'x'.repeat(index % 90)}\r\n`;
    const followed = terminal.flow.follow(flood(500, line)).then(() => over.abort());
    while (!over.signal.aborted) {
      await turn();
      assert(terminal.written.length - terminal.drawn <= 600 + 200, 'too much is in flight');
      terminal.draw(70);
    }
    await followed;
    assert.equal(terminal.text, Array.from({ length: 500 }, (_, index) => line(index)).join(''));
    assert.equal(terminal.typed, '');
  });

  it('holds a real flood back: little of it is written undrawn, and memory grows by less than 100 MB', async () => {
    const child = spawn('yes', ['x'.repeat(80)], { stdio: ['ignore', 'pipe', 'ignore'] });
    let undrawn = 0;
    const flow = new OutputFlow((text) => (undrawn += text.length), { timeoutMs: 60_000 });
    const before = process.memoryUsage().rss;
    const over = new AbortController();
    const followed = flow.follow(child.stdout.setEncoding('utf8')).finally(() => over.abort());
    // A second of it is a gigabyte and more where nothing holds it back.
    await sleep(1_000);
    assert.ok(undrawn > 100_000 && undrawn < 200_000, `${undrawn} characters were written and not drawn`);
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 100_000_000, `memory grew by ${grown} bytes`);
    child.kill();
    while (!over.signal.aborted) {
      flow.typed(answer);
      await turn();
    }
    await followed;
  });

  it('asks nothing of a terminal that has little to show', async () => {
    const terminal = new SlowTerminal();
    await terminal.flow.follow(flood(1, () => 'x'.repeat(150)));
    assert.equal(terminal.written, 'x'.repeat(150));
    assert.equal(terminal.flow.typed(`ls${answer}`), `ls${answer}`);
  });

  it('goes on when no answer comes, and takes one that is late out of what is typed', async () => {
    let written = '';
    const flow = new OutputFlow((text) => (written += text), { ...limits, timeoutMs: 5 });
    await flow.follow(flood(20, () => 'x'.repeat(100)));
    assert.equal(written.replaceAll(question, '').length, 2000);
    const asked = written.split(question).length - 1;
    assert.equal(flow.typed(`a${answer.repeat(asked)}b${answer}`), `ab${answer}`);
  });

  it('never takes the halves of a character apart', async () => {
    for (const before of ['', 'x']) {
      const pieces: string[] = [];
      const flow = new OutputFlow((piece) => pieces.push(piece), { ...limits, timeoutMs: 1 });
      const text = before + '😀'.repeat(500);
      await flow.follow(flood(1, () => text));
      assert.equal(pieces.filter((piece) => piece !== question).join(''), text);
      for (const piece of pieces) {
        assert.equal(Buffer.from(piece).toString(), piece);
      }
    }
  });

  it('asks only between control sequences', async () => {
    const terminal = new SlowTerminal();
    const sequences = [
      '\x1b[1;31m',
      '\x1b]0;title\x07',
      '\x1b]8;;http://e/\x1b\\',
      '\x1bP1$r0m\x1b\\',
      '\x1b(B',
    ];
    const stream = Array.from({ length: 2000 }, (_, index) => sequences[index % sequences.length]).join('');
    const reading = setInterval(() => terminal.draw(1000), 1);
    await terminal.flow.follow(flood(stream.length, (index) => stream.charAt(index)));
    clearInterval(reading);
    assert.equal(terminal.text, stream);
    const follower = new EscapeFollower();
    for (const part of terminal.written.split(question).slice(0, -1)) {
      follower.follow(part);
      assert(follower.isBetween);
    }
    assert(terminal.written.includes(question));
  });
});

describe('providers/terminal/escape-follower', () => {
  const isBetween = (text: string): boolean => {
    const follower = new EscapeFollower();
    follower.follow(text);
    return follower.isBetween;
  };

  it('knows where a sequence ends', () => {
    const whole = [
      '',
      'a',
      '\x1bc',
      '\x1b[m',
      '\x1b[?25h',
      '\x1b[38;5;1m',
      '\x1b(B',
      '\x1b]0;a\x07',
      '\x1b]0;a\x1b\\',
    ];
    const more = [
      '\x1bPq#0\x1b\\',
      '\x1b_a\x1b\\',
      '\x1b[1\x18',
      '\x1b]0;a\x1b[m',
      '\x1b\x1bc',
      '\x1b]\x1b\x1b\\',
    ];
    for (const text of [...whole, ...more]) {
      assert.equal(isBetween(text), true, JSON.stringify(text));
    }
    for (const text of [
      '\x1b',
      '\x1b[',
      '\x1b[3',
      '\x1b(',
      '\x1b]0;a',
      '\x1b]0;a\x1b',
      '\x1bP\n\n',
      'a\x1b[m\x1b',
    ]) {
      assert.equal(isBetween(text), false, JSON.stringify(text));
    }
  });
});
