import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { processOf } from '../../../../src/backend/drivers/containers/runtime/exec';
import {
  comparable,
  describeRow,
  execRows,
  prepareRows,
  rowRunner,
  seenByRunner,
  type ExecCall,
  type ExecRow,
  type ExecSeen,
  withUser,
} from '../../../support/exec-table';
import { runProgram } from '../../../support/programs';
import { Bench } from './support';

const listed = (env: ExecRow['env']): string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`);

describe('commands in a container, by a table', function () {
  this.timeout(180_000);
  let bench: Bench;
  let container: string;
  before(async () => {
    bench = await Bench.open();
    container = (await bench.running({ env: { COLOUR: 'red' } }, { env: { COLOUR: 'red' } })).name;
  });
  after(() => bench.dispose());

  /** All in one process of the container: an exec of each would take the time of a whole suite. */
  async function run(calls: readonly ExecCall[]): Promise<ExecSeen[]> {
    const argv = ['exec', '-i', container, 'python3', '-c', rowRunner];
    const input = JSON.stringify(calls);
    const { code, stdout, stderr } = await runProgram('docker', argv, { input, timeoutMs: 150_000 });
    assert.equal(code, 0, stderr);
    return seenByRunner(stdout);
  }

  /** What docker executes, and what we have it execute. */
  const asDocker = (row: ExecRow): ExecCall => ({ ...row, env: listed(withUser(row)) });
  function asOurs(row: ExecRow): ExecCall {
    const { argv, env } = processOf(randomUUID(), row);
    return { ...row, argv, env };
  }

  async function byDocker(row: ExecRow): Promise<ExecSeen> {
    const { argv, cwd, user, input } = row;
    const env = withUser(row);
    const options = ['-i', '-u', user, '-w', cwd, ...listed(env).flatMap((pair) => ['-e', pair])];
    return runProgram('docker', ['exec', ...options, container, ...argv], { input, timeoutMs: 60_000 });
  }

  function compare(
    rows: readonly ExecRow[],
    found: readonly ExecSeen[],
    expected: readonly ExecSeen[],
  ): void {
    const wrong = rows.filter((_row, index) => {
      const [ours, theirs] = [found[index], expected[index]].map((seen) => seen && comparable(seen));
      return ours === undefined || !isDeepStrictEqual(ours, theirs);
    });
    const first = rows.indexOf(wrong[0]!);
    if (wrong.length > 0) {
      const about = `${wrong.length} of ${rows.length} differ:\n${wrong.map(describeRow).join('\n')}`;
      assert.deepEqual(found[first], expected[first], about);
      assert.fail(about);
    }
  }

  before('the programs of the rows', async () => {
    const made = await bench.exec(container, { argv: ['sh', '-c', prepareRows], user: 'root' });
    assert.deepEqual([made.code, made.stderr], [0, '']);
  });

  it('get what docker exec would give them, whatever they are', async () => {
    const rows = execRows(4711, 120);
    const seen = await run([...rows.map(asOurs), ...rows.map(asDocker)]);
    compare(rows, seen.slice(0, rows.length), seen.slice(rows.length));
  });

  it('do so through the whole way as well', async () => {
    // What no program of this machine can be told is beyond the oracle.
    const rows = execRows(815, 20).filter(({ argv }) => argv.every(({ length }) => length < 100_000));
    for (const row of rows.slice(0, 12)) {
      const { input, ...plan } = row;
      compare([row], [await bench.exec(container, plan, input)], [await byDocker(row)]);
    }
    const tooLong = await bench.exec(container, { argv: ['printf', '%.1s', 'x'.repeat(131_072)] });
    assert.notEqual(tooLong.code, 0);
  });

  it('are run by the shell of the image when they do not say by what', async () => {
    const row = { env: {}, cwd: '/opt/plain', user: 'workspace', input: '' };
    const rows = [
      ['./no-interpreter', 'a b'],
      ['sh', './no-interpreter', 'a b'],
    ].map((argv) => ({ ...row, argv }));
    const [found, expected] = await run([asOurs(rows[0]!), asDocker(rows[1]!)]);
    assert.deepEqual(found, expected);
    assert.equal(found?.code, 0);
  });

  it('are no text that may not be executed', async () => {
    const row = { env: {}, cwd: '/etc', user: 'workspace', input: '', argv: ['./passwd'] };
    const [found, expected] = await run([asOurs(row), asDocker(row)]);
    assert.deepEqual([found?.code, found?.stdout, expected?.code], [126, '', 126]);
  });
});
