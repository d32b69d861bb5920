import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { readRecord, writeRecord, type RecordFormat } from '../../../../src/backend/store/records';
import { useTempFolder } from '../../../support/temp';

const Schema = Type.Object({ name: Type.String(), size: Type.Integer() });
const format: RecordFormat<typeof Schema> = { version: 2, schema: Schema, migrations: [] };

describe('store/records', () => {
  const folder = useTempFolder();
  const path = () => join(folder(), 'a.json');

  it('reads back what it wrote, privately, with the version', async () => {
    await writeRecord(path(), format, { name: 'a', size: 1 });
    assert.deepEqual(await readRecord(path(), format), { kind: 'ok', value: { name: 'a', size: 1 } });
    assert.equal((await stat(path())).mode & 0o777, 0o600);
    assert.match(await readFile(path(), 'utf8'), /"schemaVersion": 2/);
    assert.deepEqual(await readdir(folder()), ['a.json'], 'no temp file stays');
  });

  it('tells a missing one, also below a stray file', async () => {
    assert.deepEqual(await readRecord(path(), format), { kind: 'missing' });
    await writeFile(path(), 'x');
    assert.deepEqual(await readRecord(join(path(), 'workspace.json'), format), { kind: 'missing' });
  });

  const damaged = {
    'half a file': '{"schemaVersion": 2, "name"',
    'an empty file': '',
    'not an object': '[1]',
    'no version': '{"name":"a","size":1}',
    'a version that is no count': '{"schemaVersion":-1000000000,"name":"a","size":1}',
    'a fraction of a version': '{"schemaVersion":0.5,"name":"a","size":1}',
    'a wrong field': '{"schemaVersion":2,"name":"a","size":"big"}',
  };
  for (const [what, content] of Object.entries(damaged)) {
    it(`sets ${what} aside, whole`, async () => {
      await writeFile(path(), content);
      const read = await readRecord(path(), format);
      assert(read.kind === 'set-aside' && read.movedTo !== undefined);
      assert.equal(await readFile(read.movedTo, 'utf8'), content);
      assert.deepEqual(await readRecord(path(), format), { kind: 'missing' });
      if (what === 'a wrong field') {
        assert.match(read.reason, /\/size/);
      }
    });
  }

  it('refuses what a newer Berth wrote and leaves it untouched', async () => {
    const content = '{"schemaVersion":3,"name":"a","size":1,"shape":"new"}';
    await writeFile(path(), content);
    const read = await readRecord(path(), format);
    assert(read.kind === 'set-aside' && read.movedTo === undefined);
    assert.match(read.reason, /newer Berth.*version 3.*knows 2/);
    assert.equal(await readFile(path(), 'utf8'), content);
  });

  it('migrates an older one step by step and keeps a copy', async () => {
    const content = '{"schemaVersion":0,"title":"a"}';
    await writeFile(path(), content);
    const migrating: RecordFormat<typeof Schema> = {
      ...format,
      migrations: [({ title }) => ({ name: title }), (old) => ({ ...old, size: 7 })],
    };
    assert.deepEqual(await readRecord(path(), migrating), { kind: 'ok', value: { name: 'a', size: 7 } });
    assert.equal(await readFile(`${path()}.v0`, 'utf8'), content);
    assert.deepEqual(await readRecord(path(), format), { kind: 'ok', value: { name: 'a', size: 7 } });
  });

  it('sets aside what a migration does not understand, instead of failing', async () => {
    await writeFile(path(), '{"schemaVersion":1}');
    const migrations = [
      (old: Record<string, unknown>) => old,
      (old: Record<string, unknown>) => ({ name: (old.name as string).trim(), size: 1 }),
    ];
    const read = await readRecord(path(), { ...format, migrations });
    assert.equal(read.kind, 'set-aside');
  });

  it('reports what can not be read at all', async () => {
    await mkdir(path());
    const read = await readRecord(path(), format);
    assert(read.kind === 'set-aside' && read.movedTo === undefined);
    assert.match(read.reason, /it is a folder/);
    assert.doesNotMatch(read.hint ?? '', /Update/);
  });

  it('never writes over what a newer Berth wrote, or what can not be read', async () => {
    const content = '{"schemaVersion":3,"new":true}';
    await writeFile(path(), content);
    await assert.rejects(writeRecord(path(), format, { name: 'a', size: 1 }), /newer Berth wrote it/);
    assert.equal(await readFile(path(), 'utf8'), content);
    await rm(path());
    await mkdir(path());
    await assert.rejects(writeRecord(path(), format, { name: 'a', size: 1 }), /left untouched.*is a folder/);
    assert.deepEqual(await readdir(folder()), ['a.json']);
  });

  it('leaves the old record whole when writing the new one fails', async () => {
    await writeRecord(path(), format, { name: 'a', size: 1 });
    const circular = { name: 'a', size: 1 } as { name: string; size: number; self?: unknown };
    circular.self = circular;
    await assert.rejects(writeRecord(path(), format, circular));
    assert.deepEqual(await readRecord(path(), format), { kind: 'ok', value: { name: 'a', size: 1 } });
  });
});
