/** Server-sent events of a response, each of which is JSON. */
import type { IncomingMessage } from 'node:http';

/** Resolves when the engine ends the stream. */
export async function readEvents(
  response: IncomingMessage,
  deliver: (event: unknown) => void,
): Promise<void> {
  let buffered = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    buffered += String(chunk);
    const blocks = buffered.split('\n\n');
    buffered = blocks.pop() ?? '';
    for (const block of blocks) {
      const payload = block
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => line.slice('data: '.length))
        .join('\n');
      if (payload !== '') {
        deliver(JSON.parse(payload));
      }
    }
  }
}
