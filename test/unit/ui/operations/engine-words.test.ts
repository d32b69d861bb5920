import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { standIn } from '../../../support/vscode/stand-in';
import { stepsOfCreate } from '../../../../src/backend/services/workspaces/start/start-steps';
import { engineWords } from '../../../../src/ui/operations/engine-words';

describe('ui/engine-words', () => {
  beforeEach(() => standIn.reset());

  it('have a German word for every step of a create', () => {
    const path = join(__dirname, '../../../../../l10n/bundle.l10n.de.json');
    const german = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
    for (const runtime of ['container', 'microvm'] as const) {
      const spec = { runtime, image: 'x:1', docker: true, idle: {} };
      const titles = stepsOfCreate(spec, true, true).map(({ title }) => title);
      assert.deepEqual(
        titles.filter((title) => german[title] === undefined || german[title] === title),
        [],
      );
    }
  });

  it('leave as it is what has a name in it', () => {
    assert.equal(engineWords('Boot'), 'Boot');
    assert.equal(engineWords('Delete volume data'), 'Delete volume data');
    assert.equal(engineWords('constructor'), 'constructor');
  });
});
