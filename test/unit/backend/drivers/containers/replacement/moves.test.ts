/** What a move leaves that fails, with an engine in memory; the real ones are in test/engine/drivers/containers. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import type { Endpoint } from '../../../../../../src/backend/drivers/containers/engine/endpoint';
import { Moves } from '../../../../../../src/backend/drivers/containers/replacement/moves';
import { Ownership } from '../../../../../../src/backend/drivers/containers/engine/ownership';
import type { Runtimes } from '../../../../../../src/backend/drivers/containers/runtime/runtimes';
import type { TakenOver } from '../../../../../../src/backend/drivers/containers/runtime/runtime-spec';
import type { RuntimePlan } from '../../../../../../src/backend/drivers/driver';

interface Container {
  status: string;
  networks: Set<string>;
  labels: Partial<Record<string, string>>;
  isConfigured?: boolean;
}

const owner = 'installation';
const draft = `w.moving-${owner.slice(0, 8)}`;
const missing = Object.assign(new Error('no such thing'), { statusCode: 404 });

describe('containers/replacement/moves', () => {
  /** By name, which is the id as well. */
  let containers: Map<string, Container>;
  let networks: Set<string>;
  /** The engine answers no request that puts something on a network. */
  let hangs: boolean;
  /** Of the program that copies; undefined can't be started. */
  let report: string | undefined;
  /** Somebody removes it as soon as nothing is on it. */
  let goesWhenLeft: string | undefined;
  let warned: object[];
  let moves: Moves;

  beforeEach(() => {
    containers = new Map([
      ['old', { status: 'exited', networks: new Set(['bridge', 'further']), labels: {} }],
    ]);
    networks = new Set(['bridge', 'further']);
    hangs = false;
    report = undefined;
    goesWhenLeft = undefined;
    warned = [];
    const warn = (fields: object) => void warned.push(fields);
    const log = { debug: warn, info: warn, warn, error: warn };
    const call = (_what: string, run: (docker: object) => unknown) => run({ getContainer, getNetwork });
    moves = new Moves(
      { call } as unknown as Endpoint,
      runtimes as unknown as Runtimes,
      new Ownership(owner),
      () => Promise.resolve(Buffer.alloc(0)),
      log,
    );
  });

  const of = (id: string): Container => {
    const found = containers.get(id);
    assert(found, id);
    return found;
  };
  const getContainer = (id: string) => ({
    inspect: () => {
      const found = containers.get(id);
      return found === undefined
        ? Promise.reject(missing)
        : Promise.resolve({
            Id: id,
            State: { Status: found.status },
            Config: { Labels: found.labels },
            NetworkSettings: { Networks: Object.fromEntries([...found.networks].map((name) => [name, {}])) },
          });
    },
    exec: ({ Cmd: argv }: { Cmd: string[] }) => {
      const looks = argv.some((word) => word.includes('/configured'));
      const ExitCode = looks && of(id).isConfigured !== true ? 1 : 0;
      return !looks && report === undefined
        ? Promise.reject(new Error('no luck'))
        : Promise.resolve({
            start: () => Promise.resolve(saying(looks ? '' : (report ?? ''))),
            inspect: () => Promise.resolve({ Running: false, ExitCode, Pid: 1 }),
          });
    },
  });
  const getNetwork = (name: string) => ({
    inspect: () => (networks.has(name) ? Promise.resolve({}) : Promise.reject(missing)),
    disconnect: ({ Container: id }: { Container: string }) => {
      if (name === goesWhenLeft) {
        networks.delete(name);
      }
      return Promise.resolve(of(id).networks.delete(name));
    },
    connect: ({ Container: id }: { Container: string }) => {
      if (hangs || !networks.has(name)) {
        return Promise.reject(hangs ? new Error('no answer') : missing);
      }
      return Promise.resolve(of(id).networks.add(name));
    },
  });
  const runtimes = {
    create: (_plan: RuntimePlan, _signal: AbortSignal, { labels = {} }: TakenOver) => {
      containers.set(draft, { status: 'created', networks: new Set(['bridge']), labels });
      return Promise.resolve({ id: draft });
    },
    start: (id: string) => Promise.resolve((of(id).status = 'running')),
    stop: (id: string) => Promise.resolve((of(id).status = 'exited')),
    remove: (id: string) => Promise.resolve(containers.delete(id)),
  };
  const make = () =>
    moves.make(
      { name: 'w' } as RuntimePlan,
      { id: 'old', image: 'i', volumes: [] },
      new AbortController().signal,
    );

  it('knows of what it could not undo, and undoes it when that can be done', async () => {
    hangs = true;
    await assert.rejects(make(), /no luck/);
    assert(moves.isUnfinished('w'));
    of('old').status = 'running';
    await assert.rejects(moves.giveUp('w'), /no answer/);
    assert(moves.isUnfinished('w'));
    hangs = false;
    assert(await moves.giveUp('w'));
    assert(!moves.isUnfinished('w'));
    assert.deepEqual([...containers.keys()], ['old']);
    assert.equal(of('old').status, 'exited');
    assert.deepEqual([...of('old').networks], ['bridge', 'further']);
    assert(!(await moves.giveUp('w')));
  });

  for (const status of ['running', 'paused']) {
    it(`stops nothing that somebody uses: ${status}, and configured since`, async () => {
      hangs = true;
      await assert.rejects(make(), /no luck/);
      Object.assign(of('old'), { status, isConfigured: true });
      hangs = false;
      assert(await moves.giveUp('w'));
      assert.equal(of('old').status, status);
      assert.deepEqual([...of('old').networks], ['bridge', 'further']);
      assert.deepEqual([...containers.keys()], ['old']);
    });
  }

  it('is undone though a network of it is gone, which the log says, and its next start', async () => {
    hangs = true;
    await assert.rejects(make(), /no luck/);
    hangs = false;
    networks.delete('further');
    assert(await moves.giveUp('w'));
    assert.deepEqual([...of('old').networks], ['bridge']);
    assert.deepEqual([...containers.keys()], ['old']);
    assert.deepEqual(warned, [{ container: 'old', networks: ['further'] }]);
    assert.deepEqual(moves.takeLost('w'), ['further']);
    assert.deepEqual(moves.takeLost('w'), [], 'once');
  });

  it('has nothing to say of a move that was undone wholly', async () => {
    await assert.rejects(make(), /no luck/);
    assert.deepEqual(moves.takeLost('w'), []);
  });

  it('tells of a network that goes while it moves', async () => {
    report = JSON.stringify({ entries: 1, left: {} });
    goesWhenLeft = 'further';
    assert.deepEqual(await make(), [{ what: 'networks that are gone', count: 1, first: 'further' }]);
    assert.deepEqual([...of(draft).networks], ['bridge']);
  });
});

/** As the engine sends it: 2 is standard error. */
function saying(text: string): Duplex {
  const header = Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  setImmediate(() => {
    stream.push(Buffer.concat([header, Buffer.from(text)]));
    stream.push(null);
  });
  return stream;
}
