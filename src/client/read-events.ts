/** Server-sent events of a response, each of which is JSON. */
import type { IncomingMessage } from 'node:http';

/** Resolves when the engine ends the stream. `id` is what the engine calls an event, where it does. */
export async function readEvents(
  response: IncomingMessage,
  deliver: (event: unknown, id: string | undefined) => void,
): Promise<void> {
  let buffered = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    buffered += String(chunk);
    const blocks = buffered.split('\n\n');
    buffered = blocks.pop() ?? '';
    for (const block of blocks) {
      const payload = fieldOf(block, 'data').join('\n');
      if (payload !== '') {
        deliver(JSON.parse(payload), fieldOf(block, 'id').at(-1));
      }
    }
  }
}

function fieldOf(block: string, name: string): string[] {
  const start = `${name}: `;
  return block
    .split('\n')
    .filter((line) => line.startsWith(start))
    .map((line) => line.slice(start.length));
}
