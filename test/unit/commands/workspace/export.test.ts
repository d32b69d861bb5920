import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { standIn } from '../../../support/vscode/stand-in';
import { exportWorkspace } from '../../../../src/commands/workspace/export';
import { Runner } from '../../../../src/ui/runner';
import { Store } from '../../../../src/ui/store';
import { useTempFolder } from '../../../support/temp';
import { quietLog } from '../../../support/vscode/quiet-log';
import { until } from '../../../support/wait';
import { operation } from '../../providers/fixtures';

describe('exporting a workspace', () => {
  const folder = useTempFolder();
  let store: Store;
  let log: ReturnType<typeof quietLog>;
  let content: PassThrough;
  let subscriptions: { dispose(): void }[];

  beforeEach(() => {
    standIn.reset();
    standIn.folder = join(folder(), 'demo.berth');
    store = new Store();
    log = quietLog();
    content = new PassThrough();
    subscriptions = [];
  });
  afterEach(() => store.dispose());

  function run(leftOut: string[], warnings: string[]): Promise<void> {
    const result = { workspace: 'demo', leftOut };
    const ended = operation('o', { kind: 'workspace.export', status: 'succeeded', result, warnings });
    const client = {
      reach: (call: () => unknown) => call(),
      call: () => Promise.resolve(ended),
      waitFor: () => Promise.resolve(ended),
      transport: { open: () => Promise.resolve(Object.assign(content, { headers: {} })) },
    };
    const link = { client: () => Promise.resolve(client as never) };
    const services = {
      ...{ log, runner: new Runner(link, store, log), context: { subscriptions } },
      targets: { workspace: () => Promise.resolve({ name: 'demo', label: 'demo' }) },
    };
    return Promise.resolve(exportWorkspace(services as never)()).then(() => undefined);
  }

  it('says what is not in the file, and warns of what went wrong alone', async () => {
    for (const [leftOut, warnings, kind] of [
      [[], [], 'info'],
      [['values of secrets'], [], 'info'],
      [['values of secrets'], ['It was changed meanwhile.'], 'warning'],
    ] as const) {
      content = new PassThrough();
      content.end('all of it');
      await run([...leftOut], [...warnings]);
      const told = standIn.messages.at(-1);
      assert.equal(told?.kind, kind);
      const said = [
        `Exported demo to ${standIn.folder}`,
        ...warnings,
        ...leftOut.map((each) => `in the file: ${each}`),
      ];
      for (const each of said) assert.ok(told.text.includes(each), told.text);
      assert.equal(log.lines.length > 0 && log.lines.at(-1)?.startsWith('warn'), warnings.length > 0);
    }
    assert.equal(readFileSync(join(folder(), 'demo.berth'), 'utf8'), 'all of it');
  });

  it('leaves nothing of itself where the window closes meanwhile', async () => {
    content.write('a part of it');
    const running = run([], []);
    await until(
      'it is under way',
      () => readdirSync(folder()).length > 0 && content.readableFlowing === true,
    );
    for (const each of subscriptions) each.dispose();
    assert.deepEqual(readdirSync(folder()), []);
    await running;
    assert.ok(content.destroyed);
    assert.deepEqual(readdirSync(folder()), []);
  });
});
