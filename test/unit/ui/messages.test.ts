import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { standIn } from '../../support/vscode/stand-in';
import { BerthError } from '../../../src/api';
import { showErrorMessage, showInformationMessage, showWarningMessage } from '../../../src/ui/messages';
import { Runner } from '../../../src/ui/runner';
import { Store } from '../../../src/ui/store';
import { useRecordedEngine } from '../../support/engine/recorded-engine';
import { quietLog } from '../../support/vscode/quiet-log';

const root = join(__dirname, '../../../..');
/** What VS Code makes a link of, in messages and the titles of progress (`parseLinkedText` in its linkedText.ts). */
const link = /\[[^\]]+\]\((?:https?:\/\/|command:|file:)[^)\s]+/i;
const evil = '[Retry](command:workbench.action.quit)';

describe('ui/messages', () => {
  const engine = useRecordedEngine();
  beforeEach(() => standIn.reset());

  it('make no link of what a file is called', async () => {
    assert.match(evil, link);
    for (const show of [showInformationMessage, showWarningMessage, showErrorMessage]) {
      await show(`Renamed ${evil} to b.`, 'Undo');
    }
    assert.deepEqual(
      standIn.messages.map(({ kind, text, buttons }) => [kind, link.test(text), buttons]),
      [
        ['info', false, ['Undo']],
        ['warning', false, ['Undo']],
        ['error', false, ['Undo']],
      ],
    );
  });

  it('nor do errors and the progress of what runs', async () => {
    const store = new Store();
    const runner = new Runner({ client: () => Promise.resolve(engine().client) }, store, quietLog());
    await runner.run(`Uploading ${evil}`, async (task) => {
      task.report(evil, 10);
      await sleep(800);
      task.report(`a/${evil}`, 20);
      throw new BerthError('bad_request', `${evil} is no folder.`);
    });
    store.dispose();
    const texts = [...standIn.messages.map(({ text }) => text), JSON.stringify(standIn.progress)];
    assert.match(texts.join(' '), /Retry/);
    assert.deepEqual(
      texts.filter((text) => link.test(text)),
      [],
    );
    assert.ok(standIn.progress.length > 0);
  });

  it('are the only way to a message but that of dialogs', () => {
    const files = ['commands', 'providers', 'ui'].flatMap((room) =>
      readdirSync(join(root, 'src', room), { recursive: true, encoding: 'utf8' }).map((name) =>
        join('src', room, name),
      ),
    );
    const direct = /window\s*\.\s*show(?:Information|Warning|Error)Message|\bwithProgress\b/;
    const found = files.filter(
      (name) => name.endsWith('.ts') && direct.test(readFileSync(join(root, name), 'utf8')),
    );
    assert.deepEqual(found.sort(), ['src/ui/dialog.ts', 'src/ui/messages.ts', 'src/ui/runner.ts']);
  });
});
