import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { standIn, type PickItem } from '../../support/vscode/stand-in';
import { workspaceText } from '../../../src/providers/status-bar';
import { pickOne, plainItem, showInStatusBar } from '../../../src/ui/pick';

const root = join(__dirname, '../../../..');
const sources = ['commands', 'providers', 'ui'].flatMap((room) =>
  readdirSync(join(root, 'src', room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('src', room, name)),
);
const having = (pattern: RegExp): string[] =>
  sources.filter((name) => pattern.test(readFileSync(join(root, name), 'utf8'))).sort();

describe('lists and the status bar', () => {
  beforeEach(() => standIn.reset());

  it('draw no icon that a workspace, a volume or a file is called', async () => {
    let shown: readonly PickItem[] = [];
    standIn.chosen = (items) => (shown = items)[0];
    const item = { label: '$(bug)', description: 'a $(sync~spin)', detail: '$(x)', value: 7 };
    const chosen = await pickOne([item], {});
    assert.deepEqual(shown, [plainItem(item)]);
    assert.deepEqual(chosen, {
      ...{ label: '\\$(bug)', description: 'a \\$(sync~spin)', detail: '\\$(x)', value: 7 },
    });
    showInStatusBar('$(bug): done', 1_000);
    assert.deepEqual(standIn.statusBar, ['\\$(bug): done']);
    assert.equal(workspaceText({ label: '$(x)', state: 'running' }).text, '$(vm-running) \\$(x)');
  });

  it('are come to by one way, or have their items made plain', () => {
    assert.deepEqual(having(/\bshowQuickPick\b|\bsetStatusBarMessage\b/), ['src/ui/pick.ts']);
    const lists = having(/\bcreateQuickPick\b/);
    assert.ok(lists.length > 2, lists.join());
    assert.deepEqual(lists, having(/\bcreateQuickPick\b[\s\S]*\bplain(?:Item|Label)\(/));
  });
});
