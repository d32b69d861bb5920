import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { resumeStreams } from '../../../../src/providers/drop/resume-streams';
import { StreamNotes, type UploadNote } from '../../../../src/providers/drop/stream-notes';
import { arrivedOf } from '../../../../src/providers/drop/stream-plan';
import { Transfers } from '../../../../src/providers/drop/transfers';
import { Runner } from '../../../../src/ui/runner';
import { Store } from '../../../../src/ui/store';
import { TestMemory } from '../../../support/vscode/memory';
import { quietLog } from '../../../support/vscode/quiet-log';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { entry } from '../fixtures';

describe('providers/drop/resume-streams: what a reload of the window cut off', () => {
  const engine = useRecordedEngine();
  /** When each file of the volume was changed, by its path. */
  let there: Map<string, number>;
  let memory: TestMemory;
  let store: Store;

  beforeEach(() => {
    standIn.reset();
    memory = new TestMemory();
    store = new Store();
    there = new Map();
    engine().answers.set('GET /v1/volumes/data/files/stat', ({ route }) => {
      const path = new URL(route.slice(4), 'http://x').searchParams.get('path') ?? '';
      const mtimeMs = there.get(path);
      if (mtimeMs !== undefined) return entry(path, { type: 'file', mtimeMs, size: 3 });
      return { error: { code: 'path_not_found', message: `There is no ${path}.` } };
    });
    engine().answers.set('PUT /v1/volumes/data/files/content', () => entry('x'));
    engine().answers.set('POST /v1/volumes/data/files/mkdir', () => entry('x'));
  });
  afterEach(() => store.dispose());

  const to = { volume: 'data', path: '/in' };
  const note = (over: Partial<UploadNote>, plan: Partial<UploadNote['plan']> = {}): UploadNote => ({
    ...{ kind: 'upload', title: 'Uploading photos', to, foreign: [], files: [] },
    ...over,
    plan: { policy: 'fail', startedMs: Date.now() - 5_000, before: [], besides: [], ...plan },
  });
  const openWindow = () => {
    const client = () => Promise.resolve(engine().client);
    const log = quietLog();
    const runner = new Runner({ client }, store, log);
    const notes = new StreamNotes(memory);
    const transfers = new Transfers(runner, log, notes);
    return { notes, transfers, resume: () => resumeStreams({ runner, notes, transfers, log }) };
  };
  const kept = () => memory.get('berth.streams');
  const written = (): string[] =>
    engine()
      .asked.filter(({ route }) => route.startsWith('PUT '))
      .map(({ route }) => new URL(route.slice(4), 'http://x').searchParams.get('path') ?? '')
      .sort();
  const warnings = () => standIn.messages.filter(({ kind }) => kind === 'warning').map(({ text }) => text);

  it('is noted while it is under way, and forgotten at its end', async () => {
    const { transfers } = openWindow();
    let noted: unknown;
    const read = () => Promise.resolve(void (noted = kept())).then(() => Buffer.from('1'));
    await transfers.uploadStreams([], [{ name: 'a.txt', read }], to);
    assert.match(JSON.stringify(noted), /"title":"Uploading a\.txt".*"files":\["a\.txt"\]/);
    assert.deepEqual(kept(), []);
  });

  it('of a browser is told: what came over, what did not, and the way to do it again', async () => {
    openWindow().notes.add(note({ files: ['a.txt', 'b.txt', 'c.txt'] }));
    there.set('/in/a.txt', Date.now());
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Upload Files…');
    await openWindow().resume();
    assert.deepEqual(warnings(), [
      'Uploading photos: cut off when the window was reloaded. 1 of 3 files are in data:/in. Missing: b.txt, c.txt.',
    ]);
    assert.deepEqual(
      standIn.executed.map(([command]) => command),
      ['berth.file.uploadFiles'],
    );
    assert.deepEqual(kept(), [], 'told once');
    standIn.reset();
    await openWindow().resume();
    assert.deepEqual(warnings(), []);
  });

  it('that had come over whole is said in the status bar', async () => {
    openWindow().notes.add(note({ files: ['a.txt'] }));
    there.set('/in/a.txt', Date.now());
    await openWindow().resume();
    assert.deepEqual(warnings(), []);
    assert.deepEqual(standIn.statusBar, ['Uploading photos: 1 file (3 B)']);
  });

  it('goes on where the contents can be read again, with what is not there yet', async () => {
    const foreign = ['a', 'b'].map((name) => `vscode-remote://host/home/${name}.txt`);
    openWindow().notes.add(note({ foreign }));
    there.set('/in/a.txt', Date.now());
    await openWindow().resume();
    assert.deepEqual(written(), ['/in/b.txt']);
    assert.deepEqual(warnings(), []);
    assert.match(standIn.statusBar.join(), /^Copied 2 files/);
    assert.deepEqual(kept(), []);
  });

  it('asks first where the window was closed for long', async () => {
    const foreign = ['vscode-remote://host/home/a.txt'];
    openWindow().notes.add(note({ foreign }, { startedMs: Date.now() - 3_600_000 }));
    await openWindow().resume();
    assert.deepEqual(written(), []);
    assert.match(warnings().join(), /cut off when the window was closed/);
    standIn.reset();
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Upload Again');
    openWindow().notes.add(note({ foreign }, { startedMs: Date.now() - 3_600_000 }));
    await openWindow().resume();
    assert.deepEqual(written(), ['/in/a.txt']);
  });

  it('offers a download again, which asks about what is there', async () => {
    const places = [{ volume: 'data', path: '/in/a.txt' }];
    const { notes } = openWindow();
    notes.add({ kind: 'download', title: 'Downloading a.txt', places, to: 'other:/out', exact: false });
    await openWindow().resume();
    assert.deepEqual(
      standIn.messages.map(({ buttons }) => buttons),
      [['Download Again']],
    );
  });

  it('leaves alone what another version has noted', async () => {
    await memory.update('berth.streams', [{ kind: 'upload', title: 'x' }, null, 7]);
    assert.deepEqual(openWindow().notes.earlier, []);
  });

  const started = 10_000;
  for (const { policy, before, now, name = 'a.txt', besides = [], is } of [
    { policy: 'fail', now: {}, is: undefined },
    { policy: 'fail', now: { 'a.txt': 11_000 }, is: 'there' },
    { policy: 'overwrite', before: 5_000, now: { 'a.txt': 5_000 }, is: undefined },
    { policy: 'overwrite', before: 5_000, now: { 'a.txt': 11_000 }, is: 'there' },
    { policy: 'skip', before: 5_000, now: { 'a.txt': 5_000 }, is: 'skipped' },
    { policy: 'rename', before: 5_000, now: { 'a.txt': 5_000 }, is: undefined },
    { policy: 'rename', before: 5_000, now: { 'a.txt': 5_000, 'a (2).txt': 11_000 }, is: 'there' },
    { policy: 'rename', before: 5_000, now: { 'a.txt': 5_000, 'a (2).txt': 9_000 }, is: undefined },
    {
      ...{ policy: 'rename', name: 'src/a.txt', before: 5_000, besides: [['src', 'src (2)']] },
      ...{ now: { 'src/a.txt': 5_000, 'src (2)/a.txt': 5_000 }, is: 'there' },
    },
    {
      ...{ policy: 'rename', name: 'src/a.txt', before: 5_000, besides: [['src', 'src (2)']] },
      ...{ now: { 'src/a.txt': 5_000 }, is: undefined },
    },
  ] as {
    policy: 'fail' | 'overwrite' | 'skip' | 'rename';
    before?: number;
    now: Record<string, number>;
    name?: string;
    besides?: [string, string][];
    is?: 'there' | 'skipped';
  }[]) {
    it(`${policy}: of ${JSON.stringify(now)}, ${before ?? 'nothing'} before: ${is ?? 'has not come'}`, async () => {
      for (const [path, at] of Object.entries(now)) there.set(`/in/${path}`, at);
      const plan = {
        ...{ policy, startedMs: started, besides },
        before: before === undefined ? [] : [[name, before] as [string, number]],
      };
      const task = { client: engine().client, signal: new AbortController().signal };
      const found = await arrivedOf(task, name, to, plan);
      assert.equal(typeof found === 'object' ? 'there' : found, is);
    });
  }
});
