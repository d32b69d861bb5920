import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { standIn } from '../../support/vscode/stand-in';
import { BerthError } from '../../../src/api';
import type { EngineClient } from '../../../src/client/engine-client';
import { Cancelled, Runner } from '../../../src/ui/runner';
import { Store } from '../../../src/ui/store';
import { useRecordedEngine } from '../../support/engine/recorded-engine';
import { quietLog, type QuietLog } from '../../support/vscode/quiet-log';
import { until } from '../../support/wait';
import { operation } from '../providers/fixtures';

describe('ui/runner', () => {
  const engine = useRecordedEngine();
  let store: Store;
  let log: QuietLog;
  let runner: Runner;
  let client: () => Promise<EngineClient>;

  beforeEach(() => {
    standIn.reset();
    store = new Store();
    log = quietLog();
    client = () => Promise.resolve(engine().client);
    runner = new Runner({ client: () => client() }, store, log);
  });
  afterEach(() => store.dispose());

  it('answers what the work answers, and shows nothing of what is quick', async () => {
    assert.deepEqual(await runner.run('Doing it', () => Promise.resolve(7)), { kind: 'done', value: 7 });
    assert.deepEqual([standIn.messages, standIn.progress, standIn.statusBar], [[], [], []]);
  });

  it('says an error once, with its hint, in a message and in the log', async () => {
    const error = new BerthError('exists', 'It is taken.', { hint: 'Choose another.' });
    const outcome = await runner.run('Doing it', () => Promise.reject(error));
    assert.deepEqual(outcome, { kind: 'failed', error });
    assert.deepEqual(
      standIn.messages.map(({ kind, text }) => [kind, text]),
      [['error', 'Doing it: It is taken. Choose another.']],
    );
    assert.deepEqual(log.lines, ['error: Doing it: exists: It is taken.']);
  });

  it('ends what another program says before the hint follows', async () => {
    const error = new BerthError('runtime_unavailable', 'It says: connection refused', {
      hint: 'Try again.',
    });
    await runner.run('Doing it', () => Promise.reject(error));
    assert.equal(standIn.messages[0]?.text, 'Doing it: It says: connection refused. Try again.');
  });

  it('shows the log when that is pressed', async () => {
    standIn.pressed = ({ buttons }) => buttons.find((button) => button === 'Show Berth Log');
    await runner.run('Doing it', () => Promise.reject(new Error('odd')));
    await until('the log shows', () => log.isShown);
  });

  it('keeps what the program below said for who asks, with the same buttons', async () => {
    const error = new BerthError(
      'runtime_unavailable',
      'Could not pull x: the registry can not be reached.',
      {
        hint: 'Check the network.',
        detail: 'Get "https://x/v2/": dial tcp: no such host',
      },
    );
    let tries = 0;
    const again = { title: 'Try Again', run: () => Promise.resolve((tries += 1)) };
    standIn.pressed = ({ buttons }) => buttons.find((button) => button === 'Show Details') ?? 'Try Again';
    await runner.run(
      'Doing it',
      () => Promise.reject(error),
      () => again,
    );
    await until('it is tried again', () => tries === 1);
    const [first, second] = standIn.messages;
    assert.equal(
      first?.text,
      'Doing it: Could not pull x: the registry can not be reached. Check the network.',
    );
    assert.deepEqual(first.buttons, ['Try Again', 'Show Details']);
    assert.equal(second?.detail, error.detail);
    assert.deepEqual(second?.buttons, ['Show Berth Log', 'Try Again']);
    assert.match(log.lines.join('\n'), /dial tcp: no such host/);
  });

  it('offers what helps: what the command knows, else what the hint names', async () => {
    const error = new BerthError('illegal_state', 'It is stopped.', { hint: 'First: `berth start demo`.' });
    standIn.pressed = ({ buttons }) => buttons[0];
    await runner.run('Doing it', () => Promise.reject(error));
    await until('the hint is followed', () => standIn.executed.length === 1);
    assert.deepEqual(standIn.executed, [['berth.workspace.start', 'demo']]);
    let isHelped = false;
    const remedy = { title: 'Start Empty', run: () => Promise.resolve((isHelped = true)) };
    await runner.run(
      'Doing it',
      () => Promise.reject(error),
      () => remedy,
    );
    await until('the command is helped', () => isHelped);
    assert.deepEqual(standIn.messages.at(-1)?.buttons, ['Start Empty', 'Show Berth Log']);
  });

  it('makes no error of who backs out', async () => {
    for (const thrown of [new Cancelled(), new BerthError('cancelled', 'Cancelled.')]) {
      assert.deepEqual(await runner.run('Doing it', () => Promise.reject(thrown)), { kind: 'cancelled' });
    }
    assert.deepEqual(standIn.messages, []);
    assert.deepEqual(standIn.statusBar, ['Doing it: cancelled', 'Doing it: cancelled']);
  });

  it('shows how far it is once it takes long, with what was reported before as well', async () => {
    let end = (): void => undefined;
    const running = runner.run('Doing it', async (task) => {
      task.report('half', 50);
      await new Promise<void>((resolve) => (end = resolve));
      task.report('most', 80);
      task.report('back', 70);
    });
    await until('the progress shows', () => standIn.progress.length === 1);
    end();
    await running;
    assert.deepEqual(standIn.progress, [
      {
        title: 'Doing it',
        reports: [
          { message: 'half', increment: 50 },
          { message: 'most', increment: 30 },
          { message: 'back' },
        ],
      },
    ]);
  });

  it('ends at once when it is cancelled, also while no engine comes up', async () => {
    client = () => new Promise(() => undefined);
    const running = runner.run('Doing it', () => assert.fail('there is no engine'));
    await until('the progress shows', () => standIn.progress.length === 1);
    await sleep(5);
    standIn.cancelProgress();
    assert.deepEqual(await running, { kind: 'cancelled' });
  });

  it('restarts an engine without waiting for its answer, and lets that be cancelled', async () => {
    client = () => new Promise(() => undefined);
    let restarts = 0;
    const restart = (): Promise<void> => Promise.resolve(void (restarts += 1));
    assert.deepEqual(await runner.runApart('Restarting', restart), { kind: 'done', value: undefined });
    assert.equal(restarts, 1);
    const running = runner.runApart('Restarting', () => new Promise(() => undefined));
    await until('the progress shows', () => standIn.progress.length === 1);
    await sleep(5);
    standIn.cancelProgress();
    assert.deepEqual(await running, { kind: 'cancelled' });
  });

  it('follows an operation to its end; its warnings are in the log', async () => {
    const ended = operation('o', { status: 'succeeded', warnings: ['The disk is nearly full.'] });
    engine().answers.set('GET /v1/operations/o', () => ended);
    const outcome = await runner.run('Doing it', (task) => task.follow(operation('o')));
    assert.deepEqual(outcome, { kind: 'done', value: ended });
    assert.equal(store.operation('o')?.status, 'succeeded');
    assert.ok(log.lines.includes('warn: Start o: The disk is nearly full.'), log.lines.join('\n'));
  });

  it('leaves no operation spinning when nothing more is heard of it', async () => {
    const problem = { code: 'internal', message: 'It broke.' };
    engine().answers.set('GET /v1/operations/o', () => operation('o', { status: 'failed', error: problem }));
    const outcome = await runner.run('Doing it', (task) => task.follow(operation('o')));
    assert.equal(outcome.kind, 'failed');
    assert.equal(store.operation('o')?.status, 'failed');
    assert.deepEqual(store.runningOperations, []);
  });
});
