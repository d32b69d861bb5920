import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import { BerthError } from '../../../src/api';
import { guarded } from '../../../src/commands/register';
import type { Row } from '../../../src/providers/trees/rows';
import { Cancelled } from '../../../src/ui/runner';

describe('commands/register', () => {
  let reported: [string, string][];
  let given: unknown[][];
  let focused: Row[];
  const runner = {
    report: (title: string, error: BerthError) => {
      reported.push([title, error.message]);
      return Promise.resolve();
    },
  };

  beforeEach(() => {
    standIn.reset();
    reported = [];
    given = [];
    focused = [];
  });

  const views = { focused: () => Promise.resolve(focused) };
  const command = (end: () => Promise<void> = () => Promise.resolve()) =>
    guarded({ runner, views }, (target, selected) => {
      given.push([target, selected]);
      return end();
    });

  it('passes on the clicked row and the selected ones', async () => {
    await command()('row', ['row', 'other'], 'more');
    await command()();
    assert.deepEqual(given, [
      ['row', ['row', 'other']],
      [undefined, undefined],
    ]);
  });

  it('passes on to a key the rows that it is meant for', async () => {
    await command()('selection:workspaces');
    focused = [{ type: 'workspace', name: 'a' }];
    await command()('selection:workspaces');
    assert.deepEqual(given, [
      ['selection:workspaces', undefined],
      [focused[0], focused],
    ]);
  });

  it('does nothing with a row that went away while its menu was open, and says so', async () => {
    await command()(undefined, null);
    assert.deepEqual(given, []);
    assert.match(standIn.messages[0]?.text ?? '', /That row has just changed/);
  });

  it('says in words whatever goes wrong, and nothing when the user backs out', async () => {
    await command(() => Promise.reject(new Error('odd')))('row');
    await command(() => Promise.reject(new Cancelled()))('row');
    await command(() => Promise.reject(new BerthError('cancelled', 'Cancelled.')))('row');
    assert.deepEqual(reported, [['Berth', 'odd']]);
  });
});
