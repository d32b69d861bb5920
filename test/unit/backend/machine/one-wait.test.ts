import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../../../../..');

/** Files with a loop that pauses, and why: these two are the ways to wait, the others repeat or pace their own work. */
const allowed: Readonly<Record<string, string>> = {
  'src/backend/machine/wait.ts': 'the way of the engine',
  'src/client/wait.ts': 'the way of clients',
  'src/client/lease.ts': 'opens a stream again when it ended',
  'src/backend/drivers/containers/engine/events.ts':
    'opens a stream again when it ended, less and less often',
  'src/backend/drivers/containers/snapshots/volume-snapshots.ts':
    'repeats a program that found the volume in use',
  'src/backend/drivers/microvms/guest/ssh-link.ts':
    'leaves the server of the guest time between two connections',
  'src/backend/drivers/microvms/network/guard.ts':
    'starts a filter again that has ended, less and less often',
};

/** Whether a loop of the file waits for a timer: it asks until something is so, by hand. */
function pausesInLoop(text: string): boolean {
  if (!text.includes("'node:timers/promises'")) return false;
  const source = ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true);
  const sleeps = /\b(setTimeout(?: as (\w+))?)\b[^;]*'node:timers\/promises'/.exec(text);
  const name = sleeps?.[2] ?? sleeps?.[1];
  if (name === undefined) return false;
  const visit = (node: ts.Node, isLoop: boolean): boolean => {
    if (isLoop && ts.isCallExpression(node) && node.expression.getText() === name) return true;
    const below = ts.isIterationStatement(node, false) ? true : ts.isFunctionLike(node) ? false : isLoop;
    return ts.forEachChild(node, (child) => visit(child, below)) === true;
  };
  return visit(source, false);
}

describe('loops that wait', () => {
  it('are in one file of the engine and one of clients, but for those that say why', () => {
    const found = ['src/backend', 'src/client', 'src/cli'].flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
        .map((path) => `${room}/${path}`)
        .filter((path) => path.endsWith('.ts') && pausesInLoop(readFileSync(join(root, path), 'utf8'))),
    );
    assert.deepEqual(found.sort(), Object.keys(allowed).sort());
  });

  it('are found', () => {
    const sleep = "import { setTimeout as sleep } from 'node:timers/promises';\n";
    assert.ok(pausesInLoop(`${sleep}while (isOpen()) { await sleep(5); }`));
    assert.ok(!pausesInLoop(`${sleep}await sleep(5); while (isOpen()) { close(); }`));
  });
});
