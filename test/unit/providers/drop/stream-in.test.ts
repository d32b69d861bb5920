import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { incomingFile } from '../../../../src/providers/drop/sources';
import { streamIn, type Incoming } from '../../../../src/providers/drop/stream-in';
import type { Task } from '../../../../src/ui/runner';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { entry } from '../fixtures';

describe('providers/drop/stream-in', () => {
  const engine = useRecordedEngine();
  /** The paths that are there, folders with a slash at their end. */
  let there: Set<string>;

  beforeEach(() => {
    standIn.reset();
    there = new Set(['/in/photos/', '/in/photos/a.jpg', '/in/photos (2)/']);
    engine().answers.set('GET /v1/volumes/data/files/stat', ({ route }) => {
      const path = new URL(route.slice(4), 'http://x').searchParams.get('path') ?? '';
      const isFolder = there.has(`${path}/`);
      if (isFolder || there.has(path)) return entry(path, { type: isFolder ? 'directory' : 'file' });
      return { error: { code: 'path_not_found', message: `There is no ${path}.` } };
    });
  });

  beforeEach(() => {
    for (const route of ['POST /v1/volumes/data/files/mkdir', 'PUT /v1/volumes/data/files/content']) {
      engine().answers.set(route, () => entry('x'));
    }
  });

  const written = () =>
    engine()
      .asked.filter(({ route }) => /^(PUT|POST) /.test(route))
      .map(({ route, body }) => {
        const path = new URL(route.replace(/^\w+ /, ''), 'http://x').searchParams.get('path');
        return path ?? (body as { path: string }).path;
      })
      .sort();
  const bring = async (incoming: Incoming[]) => {
    const task = { client: engine().client, signal: new AbortController().signal, report: () => undefined };
    return streamIn(task as unknown as Task, incoming, { volume: 'data', path: '/in' });
  };
  const file = (name: string): Incoming => ({ name, read: () => Promise.resolve(Buffer.from('1')) });
  const photos: Incoming[] = [{ name: 'photos' }, file('photos/a.jpg'), file('photos/b.jpg')];

  it('asks about the files that are in the way, not about the folder that they are put into', async () => {
    standIn.pressed = () => 'Skip';
    await bring(photos);
    const [question, ...more] = standIn.messages;
    assert.equal(question?.text, 'data:/in/photos/a.jpg is there already.');
    assert.equal(question.detail, 'Keep Both brings the whole folder photos under a new name.');
    assert.deepEqual(more, []);
  });

  it('says size and time of both sides, as far as they are known', async () => {
    const now = Date.now();
    standIn.pressed = () => 'Skip';
    const data = () => Promise.resolve(Buffer.from('12345678901234'));
    const browsers = { ...incomingFile({ name: 'a.jpg', data }), name: 'photos/a.jpg' };
    await bring([{ name: 'photos' }, browsers]);
    const facts = () => Promise.resolve({ size: 3, mtimeMs: now });
    await bring([{ name: 'photos' }, { ...file('photos/a.jpg'), facts }]);
    const lost = () => Promise.reject(new Error('gone'));
    await bring([{ name: 'photos' }, { ...file('photos/a.jpg'), facts: lost }]);
    const [browser, remote, unknown] = standIn.messages.map(({ detail = '' }) => detail.split('\n'));
    assert.match(browser?.[0] ?? '', /^There: 1 B, .*\d/);
    assert.equal(browser?.[1], 'New: 14 B, time unknown');
    assert.match(remote?.[1] ?? '', /^New: 3 B, .*\d.* \(newer\)$/);
    assert.doesNotMatch(String(unknown), /New:/);
  });

  it('reads a file of a browser once, whether or not something is in its way', async () => {
    let reads = 0;
    const data = () => {
      reads++;
      return Promise.resolve(Buffer.from('1'));
    };
    standIn.pressed = () => 'Replace';
    there.add('/in/a.txt');
    await bring([incomingFile({ name: 'a.txt', data })]);
    assert.deepEqual([reads, written()], [1, ['/in/a.txt']]);
  });

  it('asks nothing where folders meet and nothing in them does', async () => {
    await bring([{ name: 'photos' }, file('photos/b.jpg')]);
    assert.deepEqual(standIn.messages, []);
  });

  it('brings a folder under a free name when both are to be kept', async () => {
    standIn.pressed = () => 'Keep Both';
    await bring(photos);
    assert.deepEqual(
      written().filter((path) => !path.startsWith('/in/photos (3)')),
      [],
    );
    assert.ok(written().includes('/in/photos (3)/b.jpg'), String(written()));
  });
});
