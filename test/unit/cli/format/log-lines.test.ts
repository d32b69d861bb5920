import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { logLines, maxLogLine, type LogLine } from '../../../../src/cli/format/log-lines';

async function linesOf(...chunks: (string | Buffer)[]): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of logLines(Readable.from(chunks, { objectMode: true }))) {
    lines.push(line);
  }
  return lines;
}

describe('cli/format/log-lines', () => {
  it('has lines without their ends, wherever the chunks are cut', async () => {
    const bytes = Buffer.from('grün\r\nb\r\r\n\nlast\r');
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      assert.deepEqual(
        (await linesOf(bytes.subarray(0, cut), bytes.subarray(cut))).map(({ line }) => line),
        ['grün', 'b', '', 'last'],
      );
    }
  });

  it('cuts a line that does not end into pieces, none within a character', async () => {
    const text = `a${'😀'.repeat(maxLogLine)}`;
    for (const chunks of [
      [`${text}\n`],
      [text],
      [text.slice(0, maxLogLine + 7), text.slice(maxLogLine + 7)],
    ]) {
      const lines = await linesOf(...chunks);
      assert(
        lines.length > 2 &&
          lines.every(({ line }) => line.length <= maxLogLine && Buffer.from(line).toString() === line),
      );
      assert.equal(lines.map(({ line }) => line).join(''), text);
      assert.deepEqual(
        lines.map(({ continues }) => continues),
        [...lines.slice(1).map(() => true), undefined],
      );
    }
  });
});
