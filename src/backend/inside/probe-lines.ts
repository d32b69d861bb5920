/**
 * What sshd writes of our own question whether it answers (`ssh-banner.ts`), taken out of logs: two lines for each start
 * would hide what people look for. It is known by the words of its goodbye, and its second line by the port of the first.
 */
import { Transform, type Readable, type TransformCallback } from 'node:stream';

/** The goodbye of the question; the log has it in a line of its own. */
export const farewell = 'berth asked whether SSH answers';

/** A log may have the time before each line. */
const time = String.raw`(?:\d{4}-\d\d-\d\dT\S+ )?`;
const first = new RegExp(
  String.raw`^${time}Received disconnect from \S+ port (\d{1,5}):11: ${farewell} \[preauth\]\r?$`,
);
const second = new RegExp(String.raw`^${time}Disconnected from \S+ port (\d{1,5}) \[preauth\]\r?$`);
const beginnings = ['Received disconnect from ', 'Disconnected from '];
const timeBefore = new RegExp(`^${time}`);
/** No line of ours is longer. */
const maxHeldChars = 250;
/** Asked for besides what is to be shown: those of a start or two are among the last lines. */
const fewProbes = 16;
const doubtful = 4;

/** Whether a line is one of those; to be asked for one line of a log after the other. */
function probeTest(): (line: string) => boolean {
  // No more than there are: a guest may write such lines as well, without end.
  const ports = new Set<string>();
  return (line) => {
    const port = first.exec(line)?.[1];
    if (port !== undefined) {
      ports.add(port);
      return true;
    }
    return ports.delete(second.exec(line)?.[1] ?? '');
  };
}

/**
 * The log without those lines, of which the last `tail` are shown. Both answer the last so many of all lines: `look` what there is
 * now, to count them, `show` what is then shown, which may go on.
 */
export async function tailWithoutProbes(
  tail: number,
  look: (lines: number) => Promise<Readable>,
  show: (lines: number) => Promise<Readable>,
): Promise<Readable> {
  return withoutProbes(await show(await tailOfAll(look, tail)));
}

/** How many of all lines have so many in them that are shown; more than there are where there are not so many. */
async function tailOfAll(read: (tail: number) => Promise<Readable>, tail: number): Promise<number> {
  for (let asked = tail + fewProbes; tail > 0; asked *= 2) {
    const isProbe = await probesIn(await read(asked));
    let missing = tail;
    let from = isProbe.length;
    for (; from > 0 && missing > 0; from -= 1) {
      missing -= isProbe[from - 1] === true ? 0 : 1;
    }
    // The first ones may be the second half of what began before them.
    if ((missing === 0 && from >= doubtful) || isProbe.length < asked) {
      return isProbe.length - from + missing;
    }
  }
  return tail;
}

/** Of each line, in their order. */
async function probesIn(log: Readable): Promise<boolean[]> {
  const test = probeTest();
  const found: boolean[] = [];
  let held = '';
  for await (const chunk of log as AsyncIterable<Buffer>) {
    const lines = (held + chunk.toString('latin1')).split('\n');
    // Of a line without an end no more than tells what it is.
    held = (lines.pop() ?? '').slice(0, 2 * maxHeldChars);
    lines.forEach((line) => found.push(test(line)));
  }
  return held === '' ? found : [...found, test(held)];
}

/** A log as it is but for those lines. What has no end of its line yet is held back only where it may become one. */
export function withoutProbes(log: Readable): Readable {
  const isProbe = probeTest();
  let held = '';
  // Byte by byte, whatever the log holds.
  const push = (stream: Transform, text: string): void => {
    if (text !== '') {
      stream.push(Buffer.from(text, 'latin1'));
    }
  };
  const filter = new Transform({
    transform(this: Transform, chunk: Buffer, _encoding, done: TransformCallback) {
      const lines = (held + chunk.toString('latin1')).split('\n');
      const last = lines.pop() ?? '';
      held = mayBecomeOne(last) ? last : '';
      const shown = lines.filter((line) => !isProbe(line)).map((line) => `${line}\n`);
      push(this, shown.join('') + (held === '' ? last : ''));
      done();
    },
    flush(this: Transform, done: TransformCallback) {
      push(this, isProbe(held) ? '' : held);
      done();
    },
  });
  log.once('error', (error) => filter.destroy(error));
  log.once('close', () => !log.readableEnded && filter.destroy());
  filter.once('close', () => log.destroy());
  return log.pipe(filter);
}

function mayBecomeOne(text: string): boolean {
  const line = text.replace(timeBefore, '');
  return (
    text.length <= maxHeldChars &&
    text !== '' &&
    beginnings.some((each) => each.startsWith(line) || line.startsWith(each))
  );
}
