import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { standIn } from '../../../support/vscode/stand-in';
import { BerthError } from '../../../../src/api';
import type { ImportResult } from '../../../../src/api/workspaces/export';
import { importFile } from '../../../../src/commands/workspace/import';
import { Runner } from '../../../../src/ui/runner';
import { Store } from '../../../../src/ui/store';
import { quietLog } from '../../../support/vscode/quiet-log';

const taken = new BerthError('exists', 'There is a workspace demo already.', { field: 'name' });
const reaching = new BerthError('needs_confirmation', 'It has a Docker daemon inside.', { field: 'trust' });

const result = (workspace: string, rest: Partial<ImportResult> = {}): ImportResult => ({
  ...{ workspace, leftOut: [], volumes: [], renamed: [], ports: [], published: [] },
  ...{ secretNames: [], warnings: [], ...rest },
});

describe('importing a workspace', () => {
  let folder: string;
  let store: Store;
  let log: ReturnType<typeof quietLog>;
  /** Path and bytes of each request. */
  let sent: { path: string; bytes: number }[];
  let answers: (BerthError | ImportResult)[];

  beforeEach(async () => {
    standIn.reset();
    folder = await mkdtemp(join(tmpdir(), 'berth-i-'));
    standIn.folder = join(folder, 'demo.berth');
    await writeFile(standIn.folder, 'x'.repeat(3_000_000));
    store = new Store();
    log = quietLog();
    sent = [];
  });
  afterEach(async () => {
    store.dispose();
    await rm(folder, { recursive: true });
  });

  const json = async ({ path, body }: { path: string; body: Readable }): Promise<unknown> => {
    const answer = answers[sent.length] ?? assert.fail('it was sent once more');
    let bytes = 0;
    for await (const chunk of body) bytes += (chunk as Buffer).length;
    sent.push({ path, bytes });
    if (answer instanceof BerthError) throw answer;
    return answer;
  };
  const run = async (...given: (BerthError | ImportResult)[]): Promise<void> => {
    answers = given;
    const link = { client: () => Promise.resolve({ transport: { json } } as never) };
    await importFile({ runner: new Runner(link, store, log), store, log } as never)();
    await new Promise(setImmediate);
  };

  it('asks for another name where that of the file is taken, and for trust, and sends the whole file each time', async () => {
    standIn.entered = () => 'other';
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Trust and Import');
    await run(taken, reaching, result('other'));
    assert.deepEqual(sent, [
      { path: '/v1/import', bytes: 3_000_000 },
      { path: '/v1/import?name=other', bytes: 3_000_000 },
      { path: '/v1/import?name=other&trust=true', bytes: 3_000_000 },
    ]);
    assert.deepEqual(standIn.proposed, ['demo']);
    const [asked, told] = standIn.messages;
    assert.match(
      `${asked?.text} ${asked?.detail}`,
      /^Do you trust demo\.berth\? It has a Docker daemon inside\./,
    );
    assert.deepEqual([told?.kind, told?.text], ['info', 'Imported other']);
  });

  it('ends at a no, whichever question it is, and sends nothing more', async () => {
    standIn.entered = () => undefined;
    await assert.rejects(run(taken));
    standIn.pressed = ({ buttons }) => buttons[0];
    sent = [];
    await assert.rejects(run(reaching));
    assert.equal(sent.length, 1);
    assert.equal(standIn.messages.at(-1)?.buttons[0], 'Do Not Import');
  });

  it('says what the engine refuses otherwise, and of what was imported what is not as it was', async () => {
    await run(new BerthError('bad_request', 'It is no workspace file.'));
    assert.match(standIn.messages.at(-1)?.text ?? '', /^Importing demo\.berth: It is no workspace file/);
    sent = [];
    await run(
      result('demo', {
        renamed: [{ from: 'data', to: 'data-2' }],
        ports: [
          { from: 8080, guest: 80 },
          { from: 8081, guest: 81 },
        ],
        published: [{ host: 9000, guest: 80 }],
        secretNames: ['TOKEN', 'KEY'],
        leftOut: ['a snapshot'],
      }),
    );
    assert.deepEqual(log.lines.at(-1)?.split('\n  ').slice(1), [
      'Its volume data is called data-2 here',
      'Its port 80 is published at 9000 here, not at 8080',
      'Its port 81 is no longer published at 8081',
      'Set its secrets in a terminal: berth set demo --secret TOKEN --secret KEY',
      'Not in the file: a snapshot',
    ]);
  });
});
