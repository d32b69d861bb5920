import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { FileEntry, Image, Operation, Volume, Workspace } from '../../../src/api';
import { BerthError } from '../../../src/api/errors';
import { formatFailure } from '../../../src/cli/failure';
import { shellName } from '../../../src/cli/format/text';
import { formatStep } from '../../../src/cli/terminal/progress';
import { createStyle } from '../../../src/cli/terminal/style';
import { formatAdoptables } from '../../../src/cli/verbs/workspace/adopt';
import { explain } from '../../../src/cli/verbs/workspace/delete';
import { formatImages } from '../../../src/cli/verbs/image';
import { formatFound } from '../../../src/cli/verbs/find';
import { formatLong, formatShort } from '../../../src/cli/verbs/ls';
import { describeEvent, formatOperations } from '../../../src/cli/verbs/operations';
import { formatVolume, formatVolumes } from '../../../src/cli/volumes';
import { formatWorkspace, formatWorkspaces } from '../../../src/cli/workspaces';
import { Random } from '../../support/random';

const style = createStyle(false, true);
const look = { style, shownName: shellName };
const at = '2026-06-15T12:00:00.000Z';
const now = Date.parse(at);
const controls = [
  '\u001b[31m',
  '\u001b]0;title\u0007',
  '\u001b[2J',
  '\u001b[0m',
  '\n',
  '\r',
  '\t',
  '\b',
  '\u009b5n',
  '\u202e',
  '\u2028',
];
const letters = ['a', "'", '"', '$(x)', '\\', ' ', 'ü', '~', '#', '-', '!', '*', '`', '😀'];
const parts = [...controls, ...letters];

function generated(random: Random): string {
  return Array.from({ length: 1 + random.next(6) }, () => random.pick(parts)).join('');
}

function workspaceOf(text: string): Workspace {
  const mount = { kind: 'volume', source: text, target: `/${text}`, readOnly: false } as const;
  const problem = { code: 'x', message: text, step: 'start', hint: text, at } as const;
  return {
    ...{ name: 'demo', label: text, state: 'error', stateDetail: text, runtimeName: text, runtimeId: text },
    ...{ homeVolume: text, dockerVolume: text, sshAlias: 'berth-demo', sshPort: 2200, operations: [] },
    ...{ spec: { runtime: 'container', image: text, mounts: [mount], cloneUrl: text } },
    ...{ createdAt: at, lastUsedAt: at, warnings: [problem], problem },
    steps: [{ name: 'x', title: text, outcome: 'done', ms: 1 }],
  };
}

/** All that is shown of what a guest, an image or another tool may choose. */
function shownOf(text: string): string[] {
  const workspace = workspaceOf(text);
  const step = { name: 'x', title: text, outcome: 'failed', message: text } as const;
  const operation: Operation = {
    ...{ id: '7', kind: 'transfer', title: text, status: 'failed', cancellable: true, startedAt: at },
    ...{ steps: [step], warnings: [text], error: { code: 'internal', message: text } },
  };
  const volume: Volume = {
    ...{ name: text, kind: 'docker', role: 'named', managed: false, path: text, labels: { [text]: text } },
    holders: [{ workspace: text, runtime: text, state: 'running', readOnly: false }],
  };
  const image: Image = { id: text, tags: [text], sizeBytes: 1, createdAt: at, usedBy: [text] };
  const entry: FileEntry = {
    ...{
      name: text,
      type: 'symlink',
      size: 1,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeMs: 0,
      ctimeMs: 0,
      linkTarget: text,
    },
  };
  return [
    formatWorkspaces([workspace], now),
    formatWorkspace(workspace, now),
    formatVolumes([volume], now),
    formatVolume(volume, now),
    formatImages([image], now),
    formatAdoptables([
      { name: text, volume: text, container: text, containerState: text, image: text, origin: 'ws' },
    ]),
    explain([{ workspace, volumes: [volume] }], {}),
    formatOperations([operation], now),
    // What is indented is no line of its own: a message of several lines keeps them.
    formatStep(step, style).replaceAll('\n    ', ' '),
    formatShort([entry], look),
    formatLong([entry], look),
    // Lines of files have tabs.
    formatFound(text, { line: 1, text }, true).replaceAll('\t', ' '),
    formatFound(text, undefined, true),
    describeEvent({ id: 1, type: 'operation.changed', payload: operation }),
    formatFailure(
      new BerthError('internal', text.replaceAll('\n', ' '), { hint: text }),
      false,
      style,
    ).trimEnd(),
  ];
}

describe('cli: what others chose', () => {
  it('neither drives the terminal nor makes a line of its own, wherever it is shown', () => {
    const random = new Random(6);
    const lines = shownOf('a').map((each) => each.split('\n').length);
    for (let turn = 0; turn < 1_000; turn += 1) {
      const text = generated(random);
      shownOf(text).forEach((each, index) => {
        assert.doesNotMatch(
          each.replaceAll('\n', ''),
          /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u,
          JSON.stringify(each),
        );
        assert.equal(each.split('\n').length, lines[index], JSON.stringify(each));
      });
    }
  });

  it('is a file name that a shell reads back', () => {
    const random = new Random(7);
    const names = ['a', 'a b', "it's", '', '-', ...Array.from({ length: 1_000 }, () => generated(random))];
    const script = `printf '%s\\0' ${names.map(shellName).join(' ')}`;
    const read = execFileSync('bash', ['-c', script], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    assert.deepEqual(read.toString().split('\0').slice(0, -1), names);
  });

  it('is shown plainly where nothing is odd', () => {
    for (const name of ['a.txt', 'übung-1_b', '-x', 'a~', 'a=b', '日本', '😀']) {
      assert.equal(shellName(name), name);
    }
    assert.equal(shellName('a\u001b[31mb\n'), "'a'$'\\033''[31mb'$'\\n'");
  });
});
