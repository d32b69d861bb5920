import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { standIn } from '../../../support/vscode/stand-in';
import { resumeStreams } from '../../../../src/providers/drop/resume-streams';
import { StreamNotes, type StreamNote, type UploadNote } from '../../../../src/providers/drop/stream-notes';
import { arrivedOf, type Come } from '../../../../src/providers/drop/stream-plan';
import { Transfers } from '../../../../src/providers/drop/transfers';
import { Runner } from '../../../../src/ui/runner';
import { Store } from '../../../../src/ui/store';
import { quietLog } from '../../../support/vscode/quiet-log';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { entry } from '../fixtures';

describe('providers/drop/resume-streams: what a reload of the window cut off', () => {
  const engine = useRecordedEngine();
  /** When each file of the volume was changed, by its path. */
  let there: Map<string, number>;
  let folder: string;
  let store: Store;

  beforeEach(() => {
    standIn.reset();
    folder = mkdtempSync(join(tmpdir(), 'berth-n-'));
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
  afterEach(() => {
    store.dispose();
    rmSync(folder, { recursive: true });
  });

  const to = { volume: 'data', path: '/in' };
  const note = (over: Partial<UploadNote>, plan: Partial<UploadNote['plan']> = {}): UploadNote => ({
    ...{ kind: 'upload', title: 'Uploading photos', to, foreign: [], files: [] },
    ...over,
    plan: { policy: 'fail', before: [], besides: [], ...plan },
  });
  const pace = { beatMs: 10, staleMs: 150, lingerMs: 80 };
  /** As a window leaves it that ended so long ago. */
  const cutOff = (noted: StreamNote, come: Come[] = [], agoMs = 5_000): void => {
    const notes = new StreamNotes({ folder, window: 'w' }, { ...pace, beatMs: 1_000_000 });
    const before = new Set(readdirSync(folder));
    notes.add(noted, come);
    const at = new Date(Date.now() - agoMs);
    const made = readdirSync(folder).filter((each) => !before.has(each));
    made.forEach((each) => utimesSync(join(folder, each), at, at));
  };
  const written = (name: string, over: Partial<Come> = {}): Come => ({
    ...{ name, as: name, bytes: 3, state: 'written', ...over },
  });
  const openWindow = (window = 'w') => {
    const client = () => Promise.resolve(engine().client);
    const log = quietLog();
    const runner = new Runner({ client }, store, log);
    const notes = new StreamNotes({ folder, window }, pace);
    const transfers = new Transfers(runner, log, notes);
    return { notes, transfers, resume: () => resumeStreams({ runner, notes, transfers, log }) };
  };
  const kept = () => readdirSync(folder).map((each) => readFileSync(join(folder, each), 'utf8'));
  const put = (): string[] =>
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
    assert.match(String(noted), /"title":"Uploading a\.txt".*"files":\["a\.txt"\]/);
    assert.deepEqual(kept(), []);
  });

  it('stays noted for a moment when it ended with failures, as a reload ends it before the process', async () => {
    const { transfers } = openWindow();
    const gone = () => Promise.reject(new Error('Canceled'));
    await transfers.uploadStreams([], [{ name: 'a.txt', read: gone }], to);
    assert.equal(kept().length, 1);
    await openWindow().resume();
    assert.deepEqual([kept(), standIn.progress], [[], []], 'who lives on forgets it');
  });

  it('of a browser is told: what came over, what did not, and the way to do it again', async () => {
    cutOff(note({ files: ['a.txt', 'b.txt', 'c.txt'] }), [written('a.txt')]);
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
    cutOff(note({ files: ['a.txt'] }), [written('a.txt')]);
    await openWindow().resume();
    assert.deepEqual(warnings(), []);
    assert.deepEqual(standIn.statusBar, ['Uploading photos: 1 file (3 B)']);
  });

  it('goes on where the contents can be read again, with what is not there yet', async () => {
    const foreign = ['a', 'b'].map((name) => `vscode-remote://host/home/${name}.txt`);
    cutOff(note({ foreign }), [written('a.txt')]);
    await openWindow().resume();
    assert.deepEqual(put(), ['/in/b.txt']);
    assert.deepEqual(warnings(), []);
    assert.match(standIn.statusBar.join(), /^Copied 2 files/);
    assert.deepEqual(kept(), []);
  });

  it('asks first where the window was closed for long', async () => {
    const foreign = ['vscode-remote://host/home/a.txt'];
    cutOff(note({ foreign }), [], 3_600_000);
    await openWindow().resume();
    assert.deepEqual(put(), []);
    assert.match(warnings().join(), /cut off when the window was closed/);
    standIn.reset();
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Upload Again');
    cutOff(note({ foreign }), [], 3_600_000);
    await openWindow().resume();
    assert.deepEqual(put(), ['/in/a.txt']);
  });

  it('offers a download again, which asks about what is there', async () => {
    const places = [{ volume: 'data', path: '/in/a.txt' }];
    cutOff({ kind: 'download', title: 'Downloading a.txt', places, to: 'other:/out', exact: false });
    await openWindow().resume();
    assert.deepEqual(
      standIn.messages.map(({ buttons }) => buttons),
      [['Download Again']],
    );
  });

  it('leaves alone what another version has noted', async () => {
    cutOff(note({}));
    const [file = ''] = readdirSync(folder);
    for (const text of ['{"kind":"upload","title":"x"}\n', 'null', '7', '', '{"kind"']) {
      writeFileSync(join(folder, file), text);
      await openWindow().resume();
    }
    assert.deepEqual([standIn.messages, standIn.progress], [[], []]);
  });

  it('keeps the lines before one that was cut off itself', async () => {
    cutOff(note({ files: ['a.txt', 'b.txt'] }), [written('a.txt')]);
    const [file = ''] = readdirSync(folder);
    writeFileSync(join(folder, file), '{"name":"b.txt","as":"b.t', { flag: 'a' });
    await openWindow().resume();
    assert.match(warnings().join(), /1 of 2 files are in data:\/in\. Missing: b\.txt\./);
  });

  it('counts no file of somebody else, and finds what went by another name', async () => {
    const { transfers } = openWindow();
    there.set('/in/a.txt', 5_000);
    engine().answers.set('PUT /v1/volumes/data/files/content', ({ route }) =>
      route.includes('%282%29') ? entry('x') : { error: { code: 'path_exists', message: 'It is there.' } },
    );
    standIn.pressed = () => 'Keep Both';
    let noted: string[] = [];
    const read = () => Promise.resolve(Buffer.from('123'));
    const last = () => Promise.resolve(void (noted = kept())).then(read);
    const files = [...['a.txt', 'b', 'c', 'd'].map((name) => ({ name, read })), { name: 'e', read: last }];
    await transfers.uploadStreams([], files, to);
    assert.match(noted.join(), /"as":"a \(2\)\.txt","bytes":3,"state":"written"/);
  });

  it('that ran for long before it was cut off goes on: when it began does not matter', async () => {
    const running = openWindow().notes;
    const id = running.add(note({ foreign: ['vscode-remote://host/home/a.txt'] }));
    const [file = ''] = readdirSync(folder);
    const began = new Date(Date.now() - 3_600_000);
    utimesSync(join(folder, file), began, began);
    await new Promise((resolve) => setTimeout(resolve, 40));
    const text = readFileSync(join(folder, file), 'utf8');
    running.remove(id, true);
    writeFileSync(join(folder, file), text);
    await openWindow().resume();
    assert.deepEqual(put(), ['/in/a.txt']);
  });

  it('of another window that is at it is left to that', async () => {
    const foreign = ['vscode-remote://host/home/a.txt'];
    const first = openWindow().notes;
    const id = first.add(note({ foreign }));
    const resumed = openWindow().resume();
    await new Promise((resolve) => setTimeout(resolve, 2 * pace.staleMs));
    first.came(id, written('b.txt'));
    assert.deepEqual(put(), []);
    assert.equal(kept().length, 1);
    first.remove(id, true);
    await resumed;
    assert.deepEqual([put(), warnings(), kept()], [[], [], []]);
  });

  it('goes on in one of two windows that open at once, and in none with another folder', async () => {
    cutOff(note({ foreign: ['vscode-remote://host/home/a.txt'] }));
    await openWindow('other').resume();
    assert.deepEqual(put(), []);
    await Promise.all([openWindow().resume(), openWindow().resume()]);
    assert.deepEqual(put(), ['/in/a.txt']);
  });

  it('of both kinds goes on with the one, and tells what is missing of the other', async () => {
    cutOff(note({ foreign: ['vscode-remote://host/home/a.txt'], files: ['b.txt', 'c.txt'] }), [
      written('b.txt'),
    ]);
    await openWindow().resume();
    assert.deepEqual(put(), ['/in/a.txt']);
    assert.match(warnings().join(), /1 of 2 files are in data:\/in\. Missing: c\.txt\./);
  });

  for (const { policy, before, come, now, is } of [
    { policy: 'fail', now: { 'a.txt': 1 }, is: undefined },
    { policy: 'fail', come: {}, now: {}, is: 'there' },
    { policy: 'fail', come: { state: 'begun' }, now: { 'a.txt': 1 }, is: 'there' },
    { policy: 'fail', come: { state: 'begun' }, now: {}, is: undefined },
    { policy: 'fail', come: { state: 'begun', bytes: 4 }, now: { 'a.txt': 1 }, is: undefined },
    { policy: 'overwrite', before: 5, now: { 'a.txt': 9 }, is: undefined },
    { policy: 'overwrite', before: 5, come: { state: 'begun' }, now: { 'a.txt': 5 }, is: undefined },
    { policy: 'overwrite', before: 5, come: { state: 'begun' }, now: { 'a.txt': 9 }, is: 'there' },
    { policy: 'skip', before: 5, now: { 'a.txt': 5 }, is: 'skipped' },
    { policy: 'skip', before: 5, come: { state: 'skipped' }, now: {}, is: 'skipped' },
    { policy: 'rename', before: 5, now: { 'a.txt': 5, 'a (2).txt': 9 }, is: undefined },
    {
      ...{ policy: 'rename', before: 5, come: { state: 'begun', as: 'a (2).txt' } },
      ...{ now: { 'a.txt': 5, 'a (2).txt': 1 }, is: 'there' },
    },
  ] as {
    policy: UploadNote['plan']['policy'];
    before?: number;
    come?: Partial<Come>;
    now: Record<string, number>;
    is?: 'there' | 'skipped';
  }[]) {
    const known = come === undefined ? 'nothing' : JSON.stringify(come);
    it(`${policy}: of ${known} known, ${JSON.stringify(now)} there: ${is ?? 'has not come'}`, async () => {
      for (const [path, at] of Object.entries(now)) there.set(`/in/${path}`, at);
      const name = 'a.txt';
      const { plan } = note({}, { policy, before: before === undefined ? [] : [[name, before]] });
      const task = { client: engine().client, signal: new AbortController().signal };
      const asked = { name, come: come && written(name, come) };
      const found = await arrivedOf(task, asked, to, plan);
      assert.equal(typeof found === 'object' ? 'there' : found, is);
    });
  }
});
