/** Which files are opened in an editor without a question. */
import { setting } from '../settings';

const megabyte = 1_000_000;
const defaultMegabytes = 50;

export function isForEditor({ size }: { size: number }): boolean {
  return size <= setting('files.maxEditorSizeMB', defaultMegabytes) * megabyte;
}
