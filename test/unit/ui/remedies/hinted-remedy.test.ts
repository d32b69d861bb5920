import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageMissing } from '../../../../src/api/rules/image-reference';
import { hintedCommands } from '../../../../src/ui/remedies/hinted-command';
import { hintedRemedy, hintInWindow, wordsInWindow } from '../../../../src/ui/remedies/hinted-remedy';

const root = join(__dirname, '../../../../..');

describe('ui/hinted-remedy', () => {
  beforeEach(() => standIn.reset());

  it('says of the base image what is missing, and by which button it comes, without a command line', () => {
    const missing = imageMissing('workspace:latest');
    assert.equal(missing.message, "The workspace image 'workspace:latest' is not built yet.");
    assert.equal(missing.hint, 'Build it: `berth image build`.');
    assert.equal(hintInWindow(missing), 'Build it: “Build Image”.');
    assert.equal(hintedRemedy(missing)?.title, 'Build Image');
  });

  it('has words for every command that gets a button, and a button with them', () => {
    for (const [verb, command] of hintedCommands) {
      const hint = `Try \`berth ${verb} demo\`.`;
      const title = hintedRemedy({ code: 'internal', hint })?.title;
      assert.ok(title, `${verb}: ${command}`);
      assert.equal(hintInWindow({ hint }), `Try “${title}”.`);
    }
  });

  it('names the menu entry of what has no button, as VS Code shows it', () => {
    const nls = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;
    for (const [verb, id] of [
      ['stop', 'workspace.stop'],
      ['delete', 'workspace.delete'],
      ['volume delete', 'volume.delete'],
      ['volume adopt', 'volume.takeOver'],
      ['trash empty', 'trash.empty'],
      ['port', 'port.remove'],
      ['down', 'engine.stop'],
    ] as const) {
      assert.equal(wordsInWindow(verb), nls[`command.${id}.title`], verb);
      assert.equal(hintedRemedy({ code: 'in_use', hint: `\`berth ${verb} demo\`` }), undefined);
    }
    assert.equal(
      hintInWindow({
        hint: 'Stop it: `berth stop demo`, or take it: `berth volume adopt demo --take-over`.',
      }),
      'Stop it: “Stop Workspace”, or take it: “Take Over Volume…”.',
    );
    assert.equal(hintInWindow({ hint: 'Its files: `berth cp`.' }), 'Its files: `berth cp`.');
  });

  it('leaves no command line in what is said of other images', () => {
    const missing = imageMissing('nothing/there:1');
    assert.doesNotMatch(`${missing.message} ${hintInWindow(missing) ?? ''}`, /berth/);
  });
});
