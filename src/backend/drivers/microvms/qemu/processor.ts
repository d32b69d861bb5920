/** What a guest that runs on the processor itself sees of it: a saved state of it fits no other. */
import { createHash } from 'node:crypto';
import { cpus, release } from 'node:os';
import { readIfPresent } from '../../../machine/files';

/** Fields of /proc/cpuinfo that differ neither between cores nor from moment to moment. */
const lasting = [
  ...['vendor_id', 'cpu family', 'model', 'model name', 'stepping', 'microcode', 'flags'],
  // Of other architectures.
  ...['CPU implementer', 'CPU architecture', 'CPU variant', 'CPU part', 'CPU revision', 'Features'],
];

/** Model, what it can do, microcode and the host's kernel, as one word. */
export async function processorId(path = '/proc/cpuinfo', kernel = release()): Promise<string> {
  const text = await readIfPresent(path);
  const [first = ''] = text?.split('\n\n') ?? [];
  const fields = first.split('\n').filter((line) => lasting.includes(line.split(':')[0]?.trim() ?? ''));
  const about = fields.length === 0 ? [cpus()[0]?.model ?? ''] : fields;
  return createHash('sha256')
    .update([kernel, ...about].join('\n'))
    .digest('hex')
    .slice(0, 16);
}
