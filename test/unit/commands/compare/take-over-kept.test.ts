import assert from 'node:assert/strict';
import { URI } from 'vscode-uri';
import { standIn } from '../../../support/vscode/stand-in';
import type { Change } from '../../../../src/api';
import { ChangeNodes } from '../../../../src/commands/compare/change-nodes';
import type { Comparison } from '../../../../src/commands/compare/comparison';
import { takeOver } from '../../../../src/commands/compare/take-over';
import { Cancelled, Runner } from '../../../../src/ui/runner';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { operation, volume } from '../../providers/fixtures';

const file = { type: 'file', size: 3, mode: 0o644, uid: 0, gid: 0, mtimeMs: 5 } as const;

describe('commands/compare/take-over, with a snapshot first', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();
  let takeLeft: ReturnType<typeof takeOver>;
  let code: string;

  beforeEach(() => {
    standIn.reset();
    standIn.pressed = ({ buttons }) => buttons.find((button) => button === 'Take Over');
    const { log, store, link } = unlinked();
    const connected = { client: () => Promise.resolve(engine().client) };
    link.client = connected.client;
    const changes = new ChangeNodes();
    const added: Change = { path: '/new', kind: 'added', after: file };
    changes.add([added]);
    const side = (name: string) => ({ name, title: name, uri: URI.parse(`berth://${name}/`) });
    const comparison = {
      shown: { sides: { before: side('before'), after: side('after') }, changes },
      again: () => Promise.resolve(),
    } as unknown as Comparison;
    const runner = new Runner(connected, store, log);
    const services = { runner, link, log, comparison } as unknown as Parameters<typeof takeOver>[0];
    takeLeft = takeOver(services, 'left');
    const { answers } = engine();
    answers.set('GET /v1/volumes/before', () => volume('before', { usedBytes: 1 }));
    answers.set('GET /v1/volumes/before/snapshots', () => []);
    answers.set('POST /v1/volumes/before/snapshots', () => ({ error: { code, message: 'It has no room' } }));
    answers.set('POST /v1/takeovers', () =>
      operation('1', {
        ...{ kind: 'takeover', status: 'succeeded' },
        result: { taken: 1, removed: 0, bytes: 3, left: [], leftInAll: 0 },
      }),
    );
  });
  const posted = () =>
    engine().asked.flatMap(({ route }) => (route.startsWith('POST') ? [route.replace(/\?.*/, '')] : []));
  const dialogs = () => standIn.messages.filter(({ buttons }) => buttons.includes('Take Over'));

  it('asks again, without a snapshot first, where there can be none', async () => {
    for (code of ['not_supported', 'no_space', 'illegal_state']) {
      standIn.messages.length = engine().asked.length = 0;
      await takeLeft(undefined, undefined);
      const [first, second] = dialogs().map(({ detail = '' }) => detail);
      assert.match(first ?? '', /before is kept as a snapshot first/);
      assert.match(second ?? '', /There is no snapshot of before first: .*\n\nIt has no room\.$/s);
      assert.equal(posted().at(-1), 'POST /v1/takeovers', JSON.stringify(engine().asked));
      assert.match(standIn.messages.at(-1)?.text ?? '', /^1 taken over to before/);
      assert.deepEqual(standIn.messages.at(-1)?.buttons, [], 'there is nothing to undo it with');
    }
  });

  it('takes nothing over where that is not agreed to, or another thing went wrong', async () => {
    code = 'no_space';
    let count = 0;
    standIn.pressed = ({ buttons }) => (count++ === 0 ? buttons.at(-1) : undefined);
    await assert.rejects(takeLeft(undefined, undefined), Cancelled);
    assert.equal(dialogs().length, 2);
    code = 'internal';
    standIn.pressed = ({ buttons }) => buttons.find((button) => button === 'Take Over');
    await takeLeft(undefined, undefined);
    assert.equal(dialogs().length, 3);
    assert(!posted().includes('POST /v1/takeovers'));
  });
});
