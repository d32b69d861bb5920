import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { asBerthError } from '../../../../src/api/errors';
import { isRunning, identityOf } from '../../../../src/backend/machine/process-identity';
import { endInWords, run, runWell, start, startDetached } from '../../../../src/backend/machine/run';
import { until } from '../../../support/wait';

const what = 'try it';
const soon = { what, timeoutMs: 10_000 };

describe('a program that is run to its end', () => {
  it('gets its arguments and its input as they are, and answers what it wrote', async () => {
    const script = 'printf "%s|" "$@"; cat; echo heard >&2';
    const args = ['-c', script, 'sh', 'a b', '$(id)', "'", ''];
    const end = await run('sh', args, { ...soon, input: 'a\nsecret\n' });
    assert.deepEqual(end, { code: 0, signal: null, stdout: "a b|$(id)|'||a\nsecret\n", stderr: 'heard\n' });
  });

  it('that is not there is named, with how to get it', async () => {
    const ended = run('no-such-program', [], { ...soon, install: 'Install the package of it.' });
    await assert.rejects(ended, (error) => {
      const { code, message, hint } = asBerthError(error);
      assert.equal(code, 'not_supported');
      assert.equal(message, 'There is no program "no-such-program" on this machine.');
      return hint === 'Install the package of it.';
    });
  });

  it('that is in no folder of PATH is missing, also where one of them is closed to who looks', async () => {
    const path = process.env.PATH ?? '';
    const folder = await mkdtemp(join(tmpdir(), 'berth-path-'));
    // Root may look into everything: what may not be run is refused in the same way.
    await writeFile(join(folder, 'not-to-be-run'), '', { mode: 0o600 });
    process.env.PATH = `${folder}:${path}`;
    try {
      await assert.rejects(run('not-to-be-run', [], soon), { code: 'not_supported' });
      await assert.rejects(run(join(folder, 'not-to-be-run'), [], soon), { code: 'internal' });
    } finally {
      process.env.PATH = path;
      await rm(folder, { recursive: true });
    }
  });

  it('has a code that its caller judges, or an error with its last words', async () => {
    const args = ['-c', 'echo no room >&2; exit 3'];
    assert.equal((await run('sh', args, soon)).code, 3);
    await assert.rejects(runWell('sh', args, soon), {
      code: 'internal',
      message: 'Could not try it: sh ended with code 3: no room.',
    });
    const killed = await run('sh', ['-c', 'kill -9 $$'], soon);
    assert.equal(endInWords(killed), 'was ended by SIGKILL');
  });

  it('is ended with all it started when its time is over, also one that does not want to', async () => {
    // The inner one keeps the pipe: waiting for the outer one alone would take a minute.
    const script =
      'trap "" TERM; sh -c \'trap "" TERM; echo $$; sleep 60 & wait; sleep 60\' & wait; sleep 60';
    let said = '';
    const before = performance.now();
    const ended = run('sh', ['-c', script], { what, timeoutMs: 300, onOutput: (part) => (said += part) });
    await assert.rejects(ended, {
      code: 'timeout',
      message: 'Could not try it: sh did not end in 0.3 s.',
    });
    assert(performance.now() - before < 10_000);
    await until('the inner one is gone', () => Promise.resolve(!isRunning(identityOf(Number(said)))));
  });

  it('is ended when it is cancelled, and not started after that', async () => {
    const cancel = new AbortController();
    const ended = run('sleep', ['60'], { ...soon, signal: cancel.signal });
    setTimeout(() => cancel.abort(), 100);
    await assert.rejects(ended, { code: 'cancelled', message: 'Cancelled: try it.' });
    await assert.rejects(run('sleep', ['60'], { ...soon, signal: cancel.signal }), { code: 'cancelled' });
  });

  it('can neither fill the memory nor be cut without a word', async () => {
    const endless = run('sh', ['-c', 'while :; do echo a lot of it; done'], { ...soon, maxBytes: 10_000 });
    await assert.rejects(endless, {
      code: 'internal',
      message: 'Could not try it: sh said more than 10000 bytes.',
    });
    const lines: string[] = [];
    const args = [
      '-c',
      'i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo "line $i" >&2; done; printf end >&2',
    ];
    const { stderr } = await run('sh', args, { ...soon, onErrorLine: (line) => lines.push(line) });
    assert(stderr.length <= 4_000 && stderr.endsWith('line 5000\nend'));
    assert.deepEqual([lines.length, lines[0], lines.at(-1)], [5001, 'line 1', 'end']);
  });

  it('gets a stream as it comes', async () => {
    const lines = new PassThrough();
    let output = '';
    const onOutput = (text: string): void => {
      output += text;
      if (output === 'one\n') lines.end('two\n');
    };
    const end = run('cat', [], { ...soon, input: lines, onOutput });
    lines.write('one\n');
    assert.equal((await end).code, 0);
    assert.equal(output, 'one\ntwo\n');
  });

  it('may leave its input unread', async () => {
    const end = await run('true', [], { ...soon, input: Buffer.alloc(8 * 1024 * 1024) });
    assert.equal(end.code, 0);
  });

  it('is read by characters, wherever a pipe cuts them', async () => {
    const script = "printf '\\303'; sleep 0.1; printf '\\244\\n'";
    assert.equal((await run('sh', ['-c', script], soon)).stdout, 'ä\n');
  });
});

describe('a child that lives', () => {
  it('is spoken to by its streams, and says how it ended', async () => {
    const child = await start('sh', ['-c', 'read word; echo "got $word"; echo bye >&2; exit 2']);
    child.stdin.write('this\n');
    assert.equal(await text(child.stdout), 'got this\n');
    assert.equal(endInWords(await child.end), 'ended with code 2: bye');
  });

  it('is ended by its signal, and one that was cancelled before as well', async () => {
    const cancel = new AbortController();
    const child = await start('sleep', ['60'], { signal: cancel.signal });
    child.stdout.resume();
    cancel.abort();
    assert.equal((await child.end).signal, 'SIGTERM');
    const late = await start('sleep', ['60'], { signal: cancel.signal });
    late.stdout.resume();
    assert.equal((await late.end).signal, 'SIGTERM');
  });

  it('that outlives the engine has no pipe of it', async () => {
    const detached = await startDetached('sleep', ['60'], { output: 2 });
    assert.equal(detached.ended(), undefined);
    process.kill(detached.pid, 'SIGKILL');
    await detached.end;
    assert.equal(detached.ended(), 'was ended by SIGKILL');
    await assert.rejects(startDetached('no-such-program', [], { output: 2 }), { code: 'not_supported' });
  });
});
