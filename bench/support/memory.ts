/** Memory of a virtual machine, which its host gives it when it is first touched. */
import { must } from './docker';

const script = `
const piece = 64 * 1024 * 1024;
for (let left = Number(process.argv[1]), held = []; left > 0; left -= piece) held.push(Buffer.alloc(piece, 1));
`;

/**
 * Touches so many bytes and gives them back, so that copies find pages that are there: else whoever writes in large
 * pieces waits for the host at each page, and whoever writes in small ones gets pages that were just used.
 */
export function touchMemory(bytes: number): Promise<unknown> {
  return must([process.execPath, '-e', script, '--', String(bytes)]);
}
