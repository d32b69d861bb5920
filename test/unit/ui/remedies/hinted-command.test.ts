import assert from 'node:assert/strict';
import '../../../support/vscode/stand-in';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { protectedVolume } from '../../../../src/api/rules/holder';
import { hintedCommand, hintedCommands } from '../../../../src/ui/remedies/hinted-command';
import { hintInWindow } from '../../../../src/ui/remedies/hinted-remedy';

const root = join(__dirname, '../../../../..');

/** What has no button, and why. */
const without = new Map([
  ['delete', 'nobody who reads an error is to be one click away from that'],
  ['delete --forget', 'the commands offer that by themselves, and ask'],
  ['delete --keep-volumes', 'a window has no command for it'],
  ['delete --now', 'a window has no command that goes past the trash'],
  ['export --image', 'a window exports the whole image'],
  ['rebuild --image', 'it is one of several, named in a warning for who wants to go back'],
  ['start --accept-empty', 'the commands offer that by themselves, and ask'],
  ['volume delete', 'nobody who reads an error is to be one click away from that'],
  ['volume delete --now', 'a window has no command that goes past the trash'],
  ['stop', 'it ends what runs: who reads an error is not to be one click away from that'],
  ['port', 'the port is a row of the workspace, with what takes it back'],
  ['volume adopt', 'what somebody else made is to be taken over by whoever has read of it'],
  ['down', 'another window or machine may be using that engine'],
  ['list', 'the view beside the message shows it'],
  ['volume list', 'the view beside the message shows it'],
  ['image list', 'a command that takes an image lists them'],
  ['snapshot list', 'snapshots have no view in a window yet'],
  ['cp', 'files are dropped on the Volumes view'],
  ['export', 'a window has no command for it yet'],
  ['snapshot unprotect', 'snapshots are protected on the command line alone'],
  ['trash empty', 'it deletes'],
  ['info', 'the row and its tooltip show it'],
  ['snapshot restore', 'it is one of several, named in a warning for who wants to go back'],
]);

/** The commands in backquotes, in all texts of the engine and the client. */
function hintsOfSources(): string[] {
  return ['src/backend', 'src/client', 'src/api'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => readFileSync(join(root, folder, name), 'utf8').split('\n'))
      .filter((line) => !/^\s*(?:\*|\/[*/])/.test(line))
      .flatMap((line) => [...line.matchAll(/\\?`(berth [a-z][^`\\]*)\\?`/g)].map(([, text = '']) => text)),
  );
}

/** Flags for what a window asks by itself: its command is the same without them. */
const asked = new Set(['kind', 'name', 'off', 'take-over', 'yes']);

/** What a hint names, with the flags that make another command of it. */
function commandOf(hint: string): string {
  const verb = /^berth ((?:image |volume |snapshot |trash )?[a-z]+)/.exec(hint)?.[1] ?? '';
  const flags = [...hint.matchAll(/ --([a-z-]+)/g)].map(([, flag = '']) => flag);
  return [verb, ...flags.filter((flag) => !asked.has(flag)).map((flag) => `--${flag}`)].join(' ');
}

describe('ui/remedies/hinted-command', () => {
  it('has a button for whatever a hint names, or says why not', () => {
    const hints = [...new Set(hintsOfSources())];
    assert.ok(hints.length > 10, hints.join('\n'));
    for (const hint of hints) {
      const known = hintedCommand({
        code: 'internal',
        hint: `Try \`${hint.replaceAll(/\$\{[^}]*\}/g, 'demo')}\`.`,
      });
      assert.notEqual(known !== undefined, without.has(commandOf(hint)), hint);
    }
    const named = new Set(hints.map(commandOf));
    for (const flagged of without.keys()) assert.ok(!flagged.includes(' --') || named.has(flagged), flagged);
  });

  it('keeps the command line where a flag makes another command of it, but for those that a window has', () => {
    const titles = new Map([
      ['delete --forget', '“Forget Workspace…”'],
      ['start --accept-empty', '“Start with an Empty Volume…”'],
    ]);
    let flagged = 0;
    for (const hint of new Set(hintsOfSources())) {
      const command = commandOf(hint);
      for (const name of ['demo', 'a+b']) {
        const text = `\`${hint.replaceAll(/\$\{[^}]*\}/g, name)}\``;
        if (command.includes(' --')) {
          flagged += 1;
          assert.equal(hintInWindow({ hint: text }), titles.get(command) ?? text);
        } else if (hint.includes(' --')) {
          assert.match(hintInWindow({ hint: text }) ?? '', /^“.*…”$/, text);
        }
      }
    }
    assert.ok(flagged > 8);
  });

  it('keeps the command line for another machine', () => {
    const hint = 'End it there with `berth down`. If that machine is off, remove it.';
    const source = readFileSync(join(root, 'src/backend/engine-lock.ts'), 'utf8').replaceAll('\\`', '`');
    assert.ok(source.includes(hint.slice(0, 54)));
    assert.equal(hintInWindow({ hint }), hint);
    assert.equal(hintInWindow({ hint: 'Stop it with `berth down`.' }), 'Stop it with “Stop Engine”.');
  });

  it('hands on the name to whatever is about one, and nothing to the others', () => {
    for (const [verb, command] of hintedCommands) {
      const found = hintedCommand({ code: 'internal', hint: `\`berth ${verb} demo\`` });
      const isOfNone = /^(?:adopt|create|doctor|image |logs|trash |volume create)/.test(verb);
      assert.deepEqual(found, isOfNone ? { command } : { command, workspace: 'demo' });
    }
  });

  it('is what the error carries as data, unless the hint names what comes before it', () => {
    assert.deepEqual(hintedCommand({ code: 'in_use', hint: 'Create it again.', remedy: 'create' }), {
      command: 'berth.workspace.create',
    });
    const hint = 'Its log says more: `berth logs demo`. Then start it again.';
    assert.equal(
      hintedCommand({ code: 'internal', hint, remedy: 'start' })?.command,
      'berth.workspace.showLogs',
    );
  });

  it('is about the workspace that the hint names', () => {
    const hint = 'Free some space there: it goes on by itself then, or by `berth resume demo`.';
    const resume = { command: 'berth.workspace.resume', workspace: 'demo' };
    assert.deepEqual(hintedCommand({ code: 'no_space', hint }), resume);
    const image = { code: 'image_missing', hint: 'Try `berth image pull debian:12`.' } as const;
    assert.deepEqual(hintedCommand(image), { command: 'berth.image.pull' });
  });

  it('is about the whole name of a volume, which a workspace could not have', () => {
    for (const name of ['data', 'data_1', 'data.old-2', 'My-Data']) {
      const { hint = '' } = protectedVolume(name);
      assert.deepEqual(hintedCommand({ code: 'illegal_state', hint }), {
        command: 'berth.volume.unprotect',
        workspace: name,
      });
    }
    assert.deepEqual(hintedCommand({ code: 'illegal_state', hint: 'Try `berth volume unprotect a+b`.' }), {
      command: 'berth.volume.unprotect',
    });
  });

  it('falls back to what helps against most errors of a code', () => {
    assert.deepEqual(hintedCommand({ code: 'image_missing' }), { command: 'berth.image.build' });
    assert.deepEqual(hintedCommand({ code: 'runtime_unavailable', hint: 'Start Docker.' }), {
      command: 'berth.engine.doctor',
    });
    assert.equal(hintedCommand({ code: 'internal', hint: 'Mend `x`.' }), undefined);
  });
});
