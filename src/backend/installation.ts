/** The id of this state directory: marks what its engine made, so that two installations don't mix. */
import { randomUUID } from 'node:crypto';
import { Type } from '@sinclair/typebox';
import { readRecord, untouched, writeRecord, type ReadResult, type RecordFormat } from './store/records';
import type { StateDirectory } from './store/state-directory';

const Installation = Type.Object({ id: Type.String({ minLength: 1 }) });
type Installation = { id: string };
const format: RecordFormat<typeof Installation> = { version: 1, schema: Installation, migrations: [] };

/**
 * Made once. It is kept twice: with another id, all that was made before would count as somebody else's. Throws when it
 * is there but a newer Berth wrote it, or it can't be read.
 */
export async function installationId(state: StateDirectory): Promise<string> {
  const paths = [state.installation, state.installationCopy];
  const read = await Promise.all(paths.map((path) => readRecord(path, format)));
  read.forEach(refuseUnreadable(paths));
  const id = read.map(idOf).find((found) => found !== undefined) ?? randomUUID();
  for (const [index, path] of paths.entries()) {
    if (idOf(read[index]) !== id) {
      await writeRecord(path, format, { id });
    }
  }
  return id;
}

function refuseUnreadable(paths: readonly string[]) {
  return (read: ReadResult<Installation>, index: number): void => {
    if (read.kind === 'set-aside' && read.movedTo === undefined) {
      throw untouched(paths[index] ?? '', read);
    }
  };
}

function idOf(read: ReadResult<Installation> | undefined): string | undefined {
  return read?.kind === 'ok' ? read.value.id : undefined;
}
