/** The id of this state directory: marks what its engine made, so that two installations don't mix. */
import { randomUUID } from 'node:crypto';
import { Type } from '@sinclair/typebox';
import { readRecord, writeRecord, type RecordFormat } from './store/records';
import type { StateDirectory } from './store/state-directory';

const Installation = Type.Object({ id: Type.String() });
const format: RecordFormat<typeof Installation> = { version: 1, schema: Installation, migrations: [] };

export async function installationId(state: StateDirectory): Promise<string> {
  const read = await readRecord(state.installation, format);
  if (read.kind === 'ok') {
    return read.value.id;
  }
  const id = randomUUID();
  await writeRecord(state.installation, format, { id });
  return id;
}
