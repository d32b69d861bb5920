import assert from 'node:assert/strict';
import { HeldReport } from '../../../../../../src/backend/drivers/containers/runtime/not-started';

const chdir =
  'OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd ("/no") set in config.json failed: ';

describe('containers: why a command did not begin', () => {
  const wordsOf = (report: string): string => {
    const held = new HeldReport({ user: 'nobody:staff', cwd: '/no' });
    for (const part of [report.slice(0, 40), report.slice(40)]) {
      assert.equal(held.take(Buffer.from(part)).length, 0, 'nothing goes on before it is known');
    }
    const said = held.words().toString();
    assert.equal(held.isExplained, !report.includes('of a later version'), report);
    assert.ok(said.endsWith(`\nThe container engine says: ${report.trim()}\n`), said);
    return said.slice('berth: not started: '.length, said.indexOf('\n'));
  };

  it('is said in our words first', () => {
    const cases: Record<string, string> = {
      [`${chdir}no such file or directory: unknown\r\n`]: 'there is no folder "/no" in the workspace.',
      [`${chdir}not a directory: unknown\r\n`]: 'there is no folder "/no" in the workspace.',
      [`${chdir}permission denied: unknown\r\n`]: 'the user "nobody" may not enter the folder "/no".',
      'unable to find user nobody: no matching entries in passwd file\r\n':
        'there is no user "nobody" in the workspace.',
      'unable to find group staff: no matching entries in group file\r\n':
        'there is no group "staff" in the workspace.',
      'OCI runtime exec failed: something of a later version\r\n': 'the container engine could not run it.',
    };
    for (const [report, words] of Object.entries(cases)) {
      assert.equal(wordsOf(report), words);
    }
  });

  it('keeps back no output of a program that begins in another way, and no long one', () => {
    const plain = new HeldReport({ user: 'root' });
    assert.equal(plain.take(Buffer.from('hello')).toString(), 'hello');
    assert.equal(plain.take(Buffer.from('OCI runtime exec failed')).toString(), 'OCI runtime exec failed');
    assert.equal(plain.isEmpty, true);
    const long = new HeldReport({ user: 'root' });
    const begun = 'OCI runtime exec failed: is what it prints';
    assert.equal(long.take(Buffer.from(begun)).length, 0);
    assert.equal(long.take(Buffer.alloc(9000, 'x')).toString(), begun + 'x'.repeat(9000));
    assert.equal(long.take(Buffer.from('more')).toString(), 'more');
  });
});
