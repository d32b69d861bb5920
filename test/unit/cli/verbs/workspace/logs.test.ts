import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { Cli } from '../../../../../src/cli/cli';
import { Interrupts } from '../../../../../src/cli/interrupts';
import { run } from '../../../../../src/cli/program';
import { createStreams } from '../../harness';

describe('cli/verbs/workspace/logs', () => {
  const log = ['a\u001b]0;title\u0007b\n', '\u009b2J\u202ec\n'];

  /** What it writes of that log. */
  async function shown(isTTY: boolean, ...options: string[]): Promise<string> {
    const streams = createStreams();
    Object.assign(streams.stdout, { isTTY });
    const interrupts = new Interrupts(new EventEmitter(), { exit: () => undefined, die: () => undefined });
    const cli = new Cli({ streams, env: { BERTH_HOME: '/none' }, cwd: '/', version: '1', interrupts });
    const logs = () => Promise.resolve(Readable.from(log.map((text) => Buffer.from(text))));
    Object.assign(cli, { engine: () => Promise.resolve({ logs, dispose: () => undefined }) });
    try {
      const code = await run(['logs', 'demo', ...options], cli);
      const { stdout, stderr } = streams.read();
      assert.equal(code, 0, stderr);
      return stdout;
    } finally {
      interrupts.dispose();
    }
  }

  it('never drives the terminal that it is shown in', async () => {
    const text = await shown(true);
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\u202a-\u202e]/u);
    assert.match(text, /a.*title.*b\n.*2J.*c\n/s);
  });

  it('is as it was written where no terminal is, and where that was asked for', async () => {
    assert.equal(await shown(false), log.join(''));
    assert.equal(await shown(true, '--raw'), log.join(''));
  });
});
