/** What was removed for good without being asked for by its name: a line of JSON for each, the newest last. */
import { appendFile, rename, stat } from 'node:fs/promises';
import { Value } from '@sinclair/typebox/value';
import { mebibyte } from '../../api/rules/sizes';
import { RemovalNote } from '../../api/trash/schemas';
import { readIfPresent } from '../machine/files';
import { KeyedLock } from '../machine/keyed-lock';

const maxBytes = mebibyte;

export class RemovalJournal {
  private readonly lock = new KeyedLock();

  constructor(private readonly path: string) {}

  /** Never more than twice `maxBytes` are kept: the older half then goes. */
  note(note: Omit<RemovalNote, 'at'>): Promise<void> {
    return this.lock.run('journal', async () => {
      const found = await stat(this.path).catch(() => undefined);
      if (found !== undefined && found.size > maxBytes) {
        await rename(this.path, `${this.path}.1`);
      }
      const line = `${JSON.stringify({ at: new Date().toISOString(), ...note })}\n`;
      await appendFile(this.path, line, { mode: 0o600 });
    });
  }

  /** Oldest first. A line that a killed engine has not finished is left out. */
  async read(): Promise<RemovalNote[]> {
    const texts = [await readIfPresent(`${this.path}.1`), await readIfPresent(this.path)];
    return texts.flatMap((text) => (text ?? '').split('\n').flatMap(noteIn));
  }
}

function noteIn(line: string): RemovalNote[] {
  try {
    const note: unknown = JSON.parse(line);
    return Value.Check(RemovalNote, note) ? [note] : [];
  } catch {
    return [];
  }
}
