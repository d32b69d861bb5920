import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { standIn } from '../../support/vscode/stand-in';
import { confirm, confirmAdoption } from '../../../src/commands/input';
import { choose } from '../../../src/ui/dialog';
import { Cancelled } from '../../../src/ui/runner';

const root = join(__dirname, '../../../..');
const rooms = ['commands', 'providers', 'ui'];

/** How often a source says of a message that it is modal. */
function modalsIn(text: string): number {
  let found = 0;
  const visit = (node: ts.Node): void => {
    const isProperty = ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node);
    if (isProperty && ts.isIdentifier(node.name) && node.name.text === 'modal') found++;
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest));
  return found;
}

describe('ui/dialog', () => {
  beforeEach(() => standIn.reset());
  const pressFirst = () => (standIn.pressed = ({ buttons }) => buttons[0]);

  it('puts what does no harm first, where Enter presses it', async () => {
    pressFirst();
    const dialog = { message: 'It is there.', detail: '/a', harmless: 'Keep Both', others: ['Replace'] };
    assert.equal(await choose(dialog), 'Keep Both');
    assert.deepEqual(standIn.messages[0]?.buttons, ['Keep Both', 'Replace']);
  });

  it('is cancelled by closing it', async () => {
    await assert.rejects(choose({ message: 'a', detail: '', harmless: 'b', others: [] }), Cancelled);
  });

  it('goes on to the harm only by the button of its own, and does what is harmless instead', async () => {
    let archived = 0;
    const run = () => Promise.resolve(archived++);
    const harm = { message: 'Delete?', detail: '', act: 'Delete', harmless: { title: 'Archive', run } };
    pressFirst();
    await assert.rejects(confirm(harm), Cancelled);
    assert.equal(archived, 1);
    standIn.pressed = () => 'Delete';
    await confirm(harm);
    assert.equal(archived, 1);
  });

  it('takes from another installation only by the second button, and from nobody by the first', async () => {
    pressFirst();
    const asked = { detail: '', act: 'Adopt' };
    await confirmAdoption('Adopt it?', { ...asked, owner: undefined });
    const owner = { installation: 'a1', home: '/home/b/.berth' };
    await assert.rejects(confirmAdoption('Adopt it?', { ...asked, owner }), Cancelled);
  });

  it('is the only one that opens modal dialogs', () => {
    const files = rooms.flatMap((room) =>
      readdirSync(join(root, 'src', room), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts'))
        .map((path) => `src/${room}/${path}`),
    );
    const found = files.filter((path) => modalsIn(readFileSync(join(root, path), 'utf8')) > 0);
    assert.ok(files.length > 100);
    assert.deepEqual(found, ['src/ui/dialog.ts']);
    assert.equal(modalsIn("show('a', { modal: true }); show('b', { modal }); const modal = 1;"), 2);
  });
});
