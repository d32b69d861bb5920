import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { FileChange } from '../../../../src/api';
import { EngineClient } from '../../../../src/client/engine-client';
import type { WatchTarget } from '../../../../src/client/watch';
import type { LinkState } from '../../../../src/ui/engine-link';
import { FileWatches } from '../../../../src/providers/files/file-watches';
import { Signal } from '../../../../src/ui/signal';
import { useTempFolder } from '../../../support/temp';
import { until } from '../../../support/wait';

const target: WatchTarget = { volume: 'v', path: '/a', recursive: false };

describe('providers/files/file-watches', () => {
  const folder = useTempFolder();
  const linkChanged = new Signal<LinkState>();
  const storeChanged = new Signal<never>();
  let server: Server;
  let client: EngineClient;
  let open: ServerResponse[];
  let asked: number;
  let urls: string[];
  let refusal: number | undefined;
  let kind: 'ready' | 'stopped';
  let holder: 'running' | 'stopped';
  let changes: FileChange[];
  let missed: WatchTarget[];
  let watches: FileWatches;

  beforeEach(async () => {
    [open, asked, refusal, kind, holder, changes, missed] = [[], 0, undefined, 'ready', 'running', [], []];
    urls = [];
    server = createServer((request, response) => {
      asked += 1;
      urls.push(request.url ?? '');
      response.writeHead(refusal ?? 200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      if (refusal === undefined) {
        open.push(response);
      } else {
        response.end('{}');
      }
    });
    const socket = join(folder(), 's');
    server.listen(socket);
    await once(server, 'listening');
    client = new EngineClient(socket);
    const link = {
      client: () => (kind === 'ready' ? Promise.resolve(client) : Promise.reject(new Error('stopped'))),
      get state() {
        return { kind } as LinkState;
      },
      onDidChange: linkChanged.on,
    };
    const known = { name: 'v', holders: [{ state: holder }] };
    const volume = (name: string) => (name === 'v' ? { ...known, holders: [{ state: holder }] } : undefined);
    const store = {
      volume,
      volumes: [known],
      onDidChange: storeChanged.on,
    } as unknown as ConstructorParameters<typeof FileWatches>[1];
    watches = new FileWatches(
      link,
      store,
      { info: () => undefined },
      {
        changes: (_, more) => changes.push(...more),
        missed: (place) => missed.push(place),
      },
    );
  });

  afterEach(async () => {
    watches.dispose();
    client.dispose();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const opened = (count: number) => until(`${count} streams`, () => open.length === count);
  const change = (index: number): void => {
    open[index]?.write('data: [{"type":"changed","path":"/a"}]\n\n');
  };

  it('opens one stream for all who ask, and ends it with the last of them', async () => {
    const [first, second] = [watches.watch(target), watches.watch(target)];
    await opened(1);
    change(0);
    await until('a change', () => changes.length === 1);
    first.dispose();
    first.dispose();
    change(0);
    await until('another', () => changes.length === 2);
    const closed = once(open[0]!, 'close');
    second.dispose();
    await closed;
    assert.deepEqual([asked, missed], [1, []]);
  });

  it('watches on when the engine went away and came back, and says that something was missed', async () => {
    watches.watch(target);
    await opened(1);
    kind = 'stopped';
    server.closeAllConnections();
    await once(open[0]!, 'close');
    storeChanged.fire(undefined as never);
    kind = 'ready';
    linkChanged.fire({ kind: 'ready' } as LinkState);
    await until('it is watched again', () => open.length === 2);
    await until('it is said', () => missed.length === 1);
    change(1);
    await until('a change', () => changes.length === 1);
    assert.deepEqual(missed, [target]);
  });

  it('waits until something runs in the volume again', async () => {
    [refusal, holder] = [409, 'stopped'];
    watches.watch(target);
    await until('the refusal', () => asked === 1);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.equal(asked, 1);
    [refusal, holder] = [undefined, 'running'];
    storeChanged.fire(undefined as never);
    await opened(1);
  });

  it('tries again after a while, and not at each change of anything', async () => {
    refusal = 503;
    watches.watch(target);
    await until('the refusal', () => asked === 1);
    for (let count = 0; count < 20; count += 1) {
      storeChanged.fire(undefined as never);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(asked, 1);
    refusal = undefined;
    await opened(1);
    assert.equal(asked, 2);
  });

  it('watches a volume by its true name, whatever VS Code made of its capitals', async () => {
    watches.watch({ ...target, volume: 'V' });
    await opened(1);
    assert.match(urls[0]!, /\/v\//);
  });
});
