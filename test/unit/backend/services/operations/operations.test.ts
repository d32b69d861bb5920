import assert from 'node:assert/strict';
import { chmod, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../../../../../src/api/errors';
import type { Operation } from '../../../../../src/api/operations/schemas';
import type { Step } from '../../../../../src/api/workspaces/schemas';
import { EventHub } from '../../../../../src/backend/services/operations/event-hub';
import { Operations } from '../../../../../src/backend/services/operations/operations';
import { silentLog } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { useTempFolder } from '../../../../support/temp';

describe('services/operations/operations', () => {
  const folder = useTempFolder();
  let hub: EventHub;
  let reported: Operation[];
  let operations: Operations;

  beforeEach(() => {
    hub = new EventHub();
    reported = [];
    hub.subscribe((event) => event.type === 'operation.changed' && reported.push(event.payload));
    operations = new Operations(folder(), hub, silentLog);
  });
  afterEach(() => operations.close());

  const begin = { kind: 'image.pull', title: 'Test', workspace: 'demo' } as const;
  const ssh: Step = { name: 'ssh', title: 'SSH', outcome: 'done', ms: 5 };
  const onDisk = async (id: string) =>
    JSON.parse(await readFile(join(folder(), `${id}.json`), 'utf8')) as Operation;
  const forever = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      const end = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) {
        end();
      }
    });

  it('answers at once, goes on, and ends with its result, steps and times', async () => {
    const operation = operations.start(begin, async (context) => {
      const image = await context.step('make', 'Make it', async () => {
        await sleep(12);
        return 'made';
      });
      context.warn('careful');
      await context.step('look', 'Look at it', () => Promise.resolve());
      return { image };
    });
    assert.equal(operation.status, 'running');
    assert.deepEqual(operations.idsOf('demo'), [operation.id]);
    assert.equal(operations.runningCount, 1);
    const ended = await operations.wait(operation.id, 5_000);
    assert.equal(ended.status, 'succeeded');
    assert.equal(ended.cancellable, false);
    assert.deepEqual(ended.result, { image: 'made' });
    assert.deepEqual(ended.warnings, ['careful']);
    assert.deepEqual(
      ended.steps.map(({ name, title, outcome }) => [name, title, outcome]),
      [
        ['make', 'Make it', 'done'],
        ['look', 'Look at it', 'done'],
      ],
    );
    assert(ended.steps[0]!.ms! >= 10 && ended.steps[0]!.ms! < 2_000);
    assert(ended.endedAt! >= ended.startedAt);
    assert.deepEqual(operations.idsOf('demo'), []);
    const { schemaVersion, ...kept } = (await onDisk(operation.id)) as Operation & { schemaVersion: number };
    assert.equal(schemaVersion, 1);
    assert.deepEqual(kept, JSON.parse(JSON.stringify(ended)));
  });

  it('tells of its begin, each step, and its end; what was told does not change afterwards', async () => {
    const operation = operations.start(begin, async (context) => {
      await context.step('one', 'One', () => Promise.resolve());
      return undefined;
    });
    await operations.wait(operation.id, 5_000);
    assert.deepEqual(
      reported.map(({ status, steps }) => [status, steps.map((step) => step.outcome).join()]),
      [
        ['running', ''],
        ['running', 'running'],
        ['running', 'done'],
        ['succeeded', 'done'],
      ],
    );
  });

  it('announces what it plans to do, and leaves out what was not needed', async () => {
    const plan = ['find', 'pull', 'boot', 'clone'].map((name) => ({ name, title: `${name}!` }));
    const operation = operations.start({ ...begin, plan }, async (context) => {
      await context.step('find', 'Find', () => {
        context.progress({ unit: 'bytes', done: 1, total: 1 });
        return Promise.resolve();
      });
      await context.step('check', 'Check', () => Promise.resolve());
      await context.step('boot', 'Boot', () => Promise.resolve());
      return undefined;
    });
    const ended = await operations.wait(operation.id, 5_000);
    const seen = reported.map(({ steps, progress }) => [
      steps.map(({ title, outcome }) => `${title} ${outcome}`).join(', '),
      progress?.done,
    ]);
    assert.deepEqual(seen, [
      ['find! pending, pull! pending, boot! pending, clone! pending', undefined],
      ['Find running, pull! pending, boot! pending, clone! pending', undefined],
      ['Find running, pull! pending, boot! pending, clone! pending', 1],
      ['Find done, pull! pending, boot! pending, clone! pending', 1],
      // What was counted was of the step before.
      ['Find done, Check running, pull! pending, boot! pending, clone! pending', undefined],
      ['Find done, Check done, pull! pending, boot! pending, clone! pending', undefined],
      ['Find done, Check done, Boot running, clone! pending', undefined],
      ['Find done, Check done, Boot done, clone! pending', undefined],
      ['Find done, Check done, Boot done', undefined],
    ]);
    assert.equal(ended.steps.length, 3);
  });

  it('keeps the error of what failed, and which step it was', async () => {
    const operation = operations.start(begin, (context) =>
      context.step('pull', 'Pull', () =>
        Promise.reject(
          new BerthError('no_space', 'The disk is full.', { hint: 'Free some.', field: 'image' }),
        ),
      ),
    );
    const ended = await operations.wait(operation.id, 5_000);
    assert.equal(ended.status, 'failed');
    assert.deepEqual(ended.error, {
      code: 'no_space',
      message: 'The disk is full.',
      hint: 'Free some.',
      field: 'image',
    });
    assert.equal(ended.steps[0]?.outcome, 'failed');
    assert.equal(ended.steps[0].message, 'The disk is full.');
  });

  it('makes an internal error of anything else that is thrown, at once or later', async () => {
    const thrown = operations.start(begin, () => {
      throw new TypeError('oops');
    });
    assert.deepEqual((await operations.wait(thrown.id, 5_000)).error, { code: 'internal', message: 'oops' });
  });

  it('is cancelled: no error, no further step, and the signal says why', async () => {
    let reason: unknown;
    const operation = operations.start(begin, async (context) => {
      await context
        .step('wait', 'Wait', () => forever(context.signal))
        .catch((error: unknown) => (reason = error));
      await context.step('never', 'Never', () => Promise.resolve());
      return undefined;
    });
    await sleep(5);
    assert.equal(operations.cancel(operation.id).id, operation.id);
    const ended = await operations.wait(operation.id, 5_000);
    assert.equal(ended.status, 'cancelled');
    assert.equal(ended.error, undefined);
    assert.deepEqual(
      ended.steps.map((step) => step.name),
      ['wait'],
    );
    assert(reason instanceof BerthError && reason.code === 'cancelled');
    assert.equal(operations.cancel(operation.id).status, 'cancelled', 'cancelling twice changes nothing');
  });

  it('counts as cancelled also when cancelling makes it fail in its own way', async () => {
    const operation = operations.start(begin, async ({ signal }) => {
      await forever(signal).catch(() => undefined);
      throw new Error('socket hang up');
    });
    operations.cancel(operation.id);
    assert.equal((await operations.wait(operation.id, 5_000)).status, 'cancelled');
  });

  it('refuses to cancel what can not be', async () => {
    let end = (): void => undefined;
    const operation = operations.start({ ...begin, cancellable: false }, () =>
      new Promise<void>((resolve) => (end = resolve)).then(() => undefined),
    );
    await sleep(1);
    const error = await failure(() => operations.cancel(operation.id), 'illegal_state');
    assert.match(error.message, /"Test" can't be cancelled/);
    end();
    assert.equal((await operations.wait(operation.id, 5_000)).status, 'succeeded');
  });

  it('waits no longer than asked', async () => {
    const operation = operations.start(begin, ({ signal }) => forever(signal));
    const began = performance.now();
    assert.equal((await operations.wait(operation.id, 20)).status, 'running');
    assert.equal((await operations.wait(operation.id, 0)).status, 'running');
    assert(performance.now() - began < 1_000);
    await failure(() => operations.get('unknown'), 'not_found');
    await failure(operations.wait('unknown', 10), 'not_found');
  });

  it('throttles progress, and tells the last one', async () => {
    const operation = operations.start(begin, async (context) => {
      for (let done = 1; done <= 1_000; done += 1) {
        context.progress({ unit: 'bytes', done, total: 1_000 });
      }
      await sleep(150);
      return undefined;
    });
    await operations.wait(operation.id, 5_000);
    assert(reported.length <= 6, `${reported.length} events for 1000 changes`);
    assert.equal(reported.filter(({ status }) => status === 'running').at(-1)?.progress?.done, 1_000);
  });

  it('tells nothing more once it has ended', async () => {
    const operation = operations.start(begin, (context) => {
      context.progress({ unit: 'bytes', done: 1 });
      context.progress({ unit: 'bytes', done: 2 });
      return Promise.resolve(undefined);
    });
    await operations.wait(operation.id, 5_000);
    await sleep(130);
    assert.equal(reported.at(-1)?.status, 'succeeded');
  });

  it('is interrupted when the engine was killed, and says that nothing is lost', async () => {
    const running = operations.start(begin, ({ signal }) => forever(signal));
    const done = operations.start(begin, () => Promise.resolve({ image: 'ok' }));
    await operations.wait(done.id, 5_000);
    await sleep(20);
    const next = new Operations(folder(), new EventHub(), silentLog);
    await next.load();
    assert.equal(next.get(running.id).status, 'interrupted');
    assert.match(next.get(running.id).error?.message ?? '', /Test: the engine ended before it was done/);
    assert.equal(next.get(done.id).status, 'succeeded');
    assert.equal(next.runningCount, 0);
    assert.equal((await onDisk(running.id)).status, 'interrupted');
  });

  it('is not kept from its work by a disk that takes no record', async () => {
    await chmod(folder(), 0o700);
    const gone = new Operations(join(folder(), 'gone'), hub, silentLog);
    const operation = gone.start(begin, () => Promise.resolve({ image: 'ok' }));
    const ended = await gone.wait(operation.id, 5_000);
    assert.equal(ended.status, 'succeeded');
    await gone.close();
  });

  it('passes over records that it can not read', async () => {
    await writeFile(join(folder(), 'bad.json'), '{');
    await writeFile(join(folder(), 'note.txt'), 'x');
    await operations.load();
    assert.deepEqual(operations.list(), []);
  });

  it('keeps the newest two hundred, on disk too', async () => {
    const records = Array.from({ length: 230 }, (_, index): Operation & { schemaVersion: number } => ({
      ...{ schemaVersion: 1, id: `id-${index}`, kind: 'image.pull', title: 'T', status: 'succeeded' },
      ...{ cancellable: false, steps: [], warnings: [] },
      startedAt: new Date(1_700_000_000_000 + index * 1000).toISOString(),
    }));
    await Promise.all(
      records.map((record) => writeFile(join(folder(), `${record.id}.json`), JSON.stringify(record))),
    );
    await operations.load();
    assert.equal(operations.list().length, 200);
    assert.equal(operations.list()[0]?.id, 'id-229');
    assert.equal((await readdir(folder())).length, 200);
    await failure(() => operations.get('id-29'), 'not_found');
    assert.equal(operations.get('id-30').status, 'succeeded');
  });

  it('keeps what came of a long one, however many short ones began and ended meanwhile', async () => {
    let finish = (): void => undefined;
    const until = new Promise<void>((resolve) => (finish = resolve));
    const long = operations.start(begin, async () => {
      await until;
      return { image: 'built' };
    });
    // Older than any other by its begin, and younger by its end.
    for (let count = 0; count < 230; count += 1) {
      await operations.wait(operations.start(begin, () => Promise.resolve(undefined)).id, 5_000);
    }
    const waited = operations.wait(long.id, 10_000);
    finish();
    assert.deepEqual((await waited).result, { image: 'built' });
    assert.deepEqual(operations.get(long.id).result, { image: 'built' });
    assert.deepEqual((await onDisk(long.id)).result, { image: 'built' });
  });

  it('keeps for a minute what ended, so that a slow client can ask for it, and then the last 200', async () => {
    const records = Array.from({ length: 2_300 }, (_, index): Operation & { schemaVersion: number } => ({
      ...{ schemaVersion: 1, id: `id-${index}`, kind: 'image.pull', title: 'T', status: 'succeeded' },
      ...{ cancellable: false, steps: [], warnings: [] },
      // The first began last.
      startedAt: new Date(Date.now() - index * 1000).toISOString(),
      endedAt: new Date(Date.now() - (index < 300 ? 1_000 : 3_600_000)).toISOString(),
    }));
    await Promise.all(
      records.map((record) => writeFile(join(folder(), `${record.id}.json`), JSON.stringify(record))),
    );
    await operations.load();
    assert.equal(operations.list().length, 300);
  });

  it('keeps no record of one that had nothing to do, only what came of it', async () => {
    const { id } = operations.startNoop({ ...begin, kind: 'workspace.stop' }, () => Promise.resolve());
    assert.equal((await operations.wait(id, 5_000)).status, 'succeeded');
    assert.deepEqual(operations.get(id).result, { changed: false });
    const refused = operations.startNoop({ ...begin, kind: 'workspace.stop' }, () =>
      Promise.reject(new BerthError('internal', 'no')),
    );
    assert.equal((await operations.wait(refused.id, 5_000)).error?.message, 'no');
    assert.deepEqual(await readdir(folder()), []);
    assert.deepEqual(operations.list(), []);
    for (let count = 0; count < 230; count += 1) {
      await operations.wait(
        operations.startNoop({ ...begin, kind: 'workspace.stop' }, () => Promise.resolve()).id,
        5_000,
      );
    }
    assert.deepEqual(operations.get(id).result, { changed: false }, 'for a minute at least');
  });

  it('remembers the steps of the last start past the records of earlier versions that did nothing', async () => {
    const record = {
      ...{ schemaVersion: 1, kind: 'workspace.start', title: 'T', workspace: 'demo', status: 'succeeded' },
      ...{ cancellable: false, warnings: [] },
    };
    const real = { ...record, id: 'real', startedAt: '2026-01-01T00:00:00.000Z', steps: [ssh] };
    const none = { ...record, id: 'none', startedAt: '2026-01-02T00:00:00.000Z', steps: [] };
    await writeFile(join(folder(), 'real.json'), JSON.stringify(real));
    await writeFile(join(folder(), 'none.json'), JSON.stringify(none));
    await operations.load();
    assert.deepEqual(operations.startStepsOf('demo'), [ssh]);
  });

  it('lists the running ones alone if asked, newest first', async () => {
    const first = operations.start(begin, ({ signal }) => forever(signal));
    await sleep(3);
    const second = operations.start(begin, ({ signal }) => forever(signal));
    const ended = operations.start(begin, () => Promise.resolve(undefined));
    await operations.wait(ended.id, 5_000);
    assert.deepEqual(
      operations.list(true).map(({ id }) => id),
      [second.id, first.id],
    );
    assert.equal(operations.list().length, 3);
  });

  it('ends everything when the engine closes: cancels what it can, waits for the rest', async () => {
    const cancellable = operations.start(begin, ({ signal }) => forever(signal));
    const stubborn = operations.start({ ...begin, cancellable: false }, async () => {
      await sleep(30);
      return { image: 'finished' };
    });
    await sleep(1);
    await operations.close();
    assert.equal(operations.get(cancellable.id).status, 'cancelled');
    assert.deepEqual(operations.get(stubborn.id).result, { image: 'finished' });
    await rm(folder(), { recursive: true });
  });

  it('remembers the steps of the last start of a workspace, over a restart, and past one with nothing to do', async () => {
    const started = operations.start({ ...begin, kind: 'workspace.start' }, async (context) => {
      await context.step('ssh', 'SSH', () => Promise.resolve());
      return undefined;
    });
    await operations.wait(started.id, 5_000);
    const noop = operations.startNoop({ ...begin, kind: 'workspace.start' }, () => Promise.resolve());
    assert.deepEqual((await operations.wait(noop.id, 5_000)).result, { changed: false });
    assert.deepEqual(
      operations.startStepsOf('demo').map((step) => step.name),
      ['ssh'],
    );
    assert.deepEqual(operations.startStepsOf('other'), []);
  });

  it('shows nothing of a token that an older version has noted', async () => {
    const url = 'https://hunter2@example.org/a?token=hunter2';
    const { id } = operations.start(begin, async (context) => {
      context.warn(`not cloned: ${url}`);
      await context.step('clone', `Clone ${url}`, () => Promise.reject(new Error(`no ${url}`)));
      return undefined;
    });
    await operations.wait(id, 5_000);
    await operations.close();
    const later = new Operations(folder(), hub, silentLog);
    await later.load();
    assert.match(JSON.stringify(later.get(id)), /example.org/);
    assert.doesNotMatch(JSON.stringify(later.list()), /hunter2/);
  });
});
