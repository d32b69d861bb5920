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

/** A log as it is but for those lines. What has no end of its line yet is held back only where it may become one. */
export function withoutProbes(log: Readable): Readable {
  // No more than there are: a guest may write such lines as well, without end.
  const ports = new Set<string>();
  let held = '';
  const isProbe = (line: string): boolean => {
    const port = first.exec(line)?.[1];
    if (port !== undefined) {
      ports.add(port);
      return true;
    }
    return ports.delete(second.exec(line)?.[1] ?? '');
  };
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
