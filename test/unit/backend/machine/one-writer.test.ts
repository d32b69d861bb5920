/** Files of ours are made whole by one module. What else renames or writes one is listed here, with the reason. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../../../../..');
/** Of node:fs and node:fs/promises: whatever makes a file, or gives one its name. */
const makers =
  /^(?:rename|writeFile|appendFile|copyFile|cp|link|createWriteStream)(?:Sync)?$|^(?:mkdtemp|truncate)$/;

const allowed: Readonly<Record<string, string>> = {
  'src/backend/machine/whole-file.ts': 'the one that does it',
  'src/backend/machine/place-new.ts': 'a part of it: where nothing may be replaced',
  'src/backend/machine/files.ts': 'renames what is there already',
  'src/backend/machine/copies.ts': 'fills drafts',
  'src/backend/machine/publish.ts': 'second names of files that are whole',
  'src/backend/machine/lock.ts': 'a lock is taken by link(2), and worth nothing after a power cut',
  'src/backend/images/write-new.ts': 'streams into a draft',
  'src/backend/images/oci/layout.ts': 'streams into a draft',
  'src/backend/drivers/microvms/rootfs/commit.ts': 'streams into a draft',
  'src/backend/drivers/microvms/rootfs/load.ts': 'streams into a scratch file, which goes',
  'src/backend/drivers/microvms/qemu/saved-state.ts': 'streams into a draft',
  'src/backend/drivers/microvms/disks/disk-image.ts': 'makes a draft larger',
  'src/backend/drivers/microvms/disks/disk-store.ts': 'sets a file aside',
  'src/backend/drivers/microvms/guest/console-limit.ts': 'cuts a log',
  'src/backend/drivers/microvms/network/guard.ts': 'cuts a log',
  'src/backend/drivers/microvms/kit/kept-kits.ts': 'a second name of a file that is whole',
  'src/backend/drivers/microvms/kit/kit.ts': 'sets a damaged folder aside',
  'src/backend/drivers/microvms/machines/launch.ts': 'sets a long log aside',
  'src/backend/drivers/microvms/runtimes/aside.ts': 'sets whole folders aside and takes them back',
  'src/backend/store/removal-journal.ts': 'appends lines, of which the last may be cut off',
  'src/backend/store/records.ts': 'sets a damaged record aside',
  'src/backend/store/state-directory.ts': 'sets an old folder aside',
  'src/backend/files/local/stage.ts': 'files of the user, in a stage',
  'src/backend/files/local/unpack/unpacking.ts': 'files of the user, in a stage',
  'src/client/workspace-file.ts': 'a file of the user, made whole beside its place',
  'src/client/engine-copy.ts':
    'before there is an engine, for which nothing may be awaited; drafts are named alike',
  'src/client/engine-errors.ts': 'sets a long log aside',
};

/** What a source imports of node:fs that makes files. */
function makersIn(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) return [];
    const bindings = statement.importClause?.namedBindings;
    if (!/^node:fs(?:\/promises)?$/.test(statement.moduleSpecifier.text) || bindings === undefined) return [];
    // All of it: nothing says what of it is used.
    if (!ts.isNamedImports(bindings)) return ['*'];
    return bindings.elements
      .map(({ name, propertyName }) => (propertyName ?? name).text)
      .filter((name) => makers.test(name));
  });
}

describe('what writes files', () => {
  it('does it by the one writer, or says here why not', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .map((path) => `src/${path}`)
      .filter((path) => path.endsWith('.ts'));
    assert.ok(files.length > 500);
    const found = files.filter((path) => makersIn(path).length > 0);
    assert.deepEqual(found.sort(), Object.keys(allowed).sort());
  });
});
