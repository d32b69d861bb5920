import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { deleteFiles } from '../../../../src/commands/file/delete';
import { Cancelled, Runner } from '../../../../src/ui/runner';
import { Targets } from '../../../../src/commands/targets';
import { StreamNotes } from '../../../../src/providers/drop/stream-notes';
import { Transfers } from '../../../../src/providers/drop/transfers';
import type { EngineLink } from '../../../../src/ui/engine-link';
import type { FileMeasure } from '../../../../src/api';
import type { Store } from '../../../../src/ui/store';
import type { FileRow } from '../../../../src/providers/trees/rows';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { TestMemory } from '../../../support/vscode/memory';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { until } from '../../../support/wait';
import { entry, operation } from '../../providers/fixtures';

const row = (volume: string, path: string, type: 'file' | 'directory' = 'file'): FileRow => ({
  type: 'file',
  volume,
  path,
  entry: entry(path.slice(1), { type }),
});

describe('commands/file/delete', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();
  let store: Store;
  let link: EngineLink;
  let services: Parameters<typeof deleteFiles>[0];
  let downloaded: string[];
  let measured: FileMeasure;
  /** What becomes of the removal in a volume. */
  let ends: Map<string, object>;

  beforeEach(() => {
    standIn.pressed = ({ buttons }) => buttons.find((button) => button === 'Delete');
    ends = new Map();
    measured = { files: 1_204, folders: 3, bytes: 32 * 1024 ** 2 };
    const { log } = unlinked();
    ({ store, link } = unlinked());
    const connected = { client: () => Promise.resolve(engine().client) };
    link.client = connected.client;
    const targets = new Targets(connected, store, () => ({ workspaces: [], volumes: [] }));
    const runner = new Runner(connected, store, log);
    const transfers = new Transfers(runner, log, new StreamNotes(new TestMemory()));
    downloaded = [];
    transfers.download = (places, folder) => {
      downloaded.push(...places.map(({ path }) => `${path} to ${folder}`));
      return Promise.resolve(true);
    };
    services = { targets, link, runner, transfers };
    engine().answers.set('GET /v1/volumes/data/files/measure', () => measured);
    engine().answers.set('POST /v1/removals', ({ body }) => {
      const { volume } = body as { volume: string };
      return operation(volume, { kind: 'files.remove', ...ends.get(volume), status: 'succeeded' });
    });
  });

  const asked = () =>
    engine()
      .asked.filter(({ route }) => route.startsWith('POST'))
      .map(({ body }) => body);

  it('asks with the names, then deletes; what lies in another chosen folder goes with it', async () => {
    const rows = [row('data', '/sub', 'directory'), row('data', '/sub/one.txt'), row('data', '/two.txt')];
    await deleteFiles(services)(rows[0], rows);
    assert.deepEqual(asked(), [{ volume: 'data', paths: ['/sub', '/two.txt'] }]);
    const [question] = standIn.messages;
    assert.equal(question?.text, 'Delete 2 files and folders?');
    assert.equal(
      question.detail,
      'data:/sub (1,204 files, 32 MiB)\ndata:/two.txt (1 B)\n\nThis cannot be undone.',
    );
  });

  it('has a copy made instead by who presses Enter too early', async () => {
    standIn.pressed = ({ buttons }) => buttons[0];
    standIn.folder = '/home/u/Desktop';
    await assert.rejects(deleteFiles(services)(row('data', '/sub', 'directory')), Cancelled);
    assert.deepEqual(standIn.messages[0]?.buttons, ['Download Instead…', 'Delete']);
    assert.deepEqual(downloaded, ['/sub to /home/u/Desktop']);
    assert.deepEqual(asked(), []);
  });

  it('says that there is more where a folder could not be counted in time', async () => {
    measured.isAtLeast = true;
    await deleteFiles(services)(row('data', '/sub', 'directory'));
    assert.match(standIn.messages[0]?.detail ?? '', /^data:\/sub \(more than 1,204 files, 32 MiB\)\n/);
  });

  it('can be cancelled while it waits for the size of a folder: nothing is asked, nothing deleted', async () => {
    let answer: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (answer = resolve));
    link.client = () => late.then(() => engine().client);
    const deletion = assert.rejects(deleteFiles(services)(row('data', '/sub', 'directory')), Cancelled);
    await until('the wait is shown', () => standIn.progress.length === 1);
    assert.equal(standIn.progress[0]?.title, 'Measuring what would be deleted');
    standIn.cancelProgress();
    await deletion;
    answer();
    assert.deepEqual([standIn.messages, asked()], [[], []]);
  });

  it('deletes nothing unless that is confirmed', async () => {
    standIn.pressed = () => undefined;
    await assert.rejects(deleteFiles(services)(row('data', '/one.txt')));
    assert.deepEqual(asked(), []);
  });

  it('goes on in the other volumes when something stays in one, and says how much stays', async () => {
    ends.set('data', {
      warnings: ['/one.txt was not deleted: It is in use.', '/two.txt was not deleted: No.'],
    });
    const rows = [row('data', '/one.txt'), row('data', '/two.txt'), row('other', '/three.txt')];
    await deleteFiles(services)(rows[0], rows);
    assert.deepEqual(asked(), [
      { volume: 'data', paths: ['/one.txt', '/two.txt'] },
      { volume: 'other', paths: ['/three.txt'] },
    ]);
    assert.match(
      standIn.messages.at(-1)?.text ?? '',
      /: \/one\.txt was not deleted: It is in use\. Files and folders that were not deleted either: 1\.$/,
    );
  });
});
