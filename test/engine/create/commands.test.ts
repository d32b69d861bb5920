/** Who runs a command and where, and what is said when it can't be started. */
import assert from 'node:assert/strict';
import type { ExecRequest } from '../../../src/api/workspaces/schemas';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { testTimeoutMs } from '../../support/runtimes/columns';

describe('commands in a workspace', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;
  before(async () => ({ name } = await harness().create()));

  async function run(argv: string[], more: Partial<ExecRequest>) {
    const { exitCode, ...outputs } = await harness().client.call('workspaces.exec', {
      params: { name },
      body: { argv, ...more },
    });
    const textOf = (output: string): string => Buffer.from(output, 'base64').toString();
    return { exitCode, stdout: textOf(outputs.stdout), stderr: textOf(outputs.stderr) };
  }

  it('run as a user by name or id, alone or with a group', async () => {
    const who = 'id -u; id -g; id -G; echo "$HOME|$USER"';
    const cases: Record<string, string> = {
      root: '0\n0\n0\n/root|root\n',
      '0': '0\n0\n0\n/root|root\n',
      '0:0': '0\n0\n0\n/root|root\n',
      'root:daemon': '0\n1\n1\n/root|root\n',
      'nobody:0': '65534\n0\n0\n/nonexistent|nobody\n',
      '65534': '65534\n65534\n65534\n/nonexistent|nobody\n',
      '4242:33': '4242\n33\n33\n/|\n',
      '4242': '4242\n0\n0\n/|\n',
    };
    for (const [user, expected] of Object.entries(cases)) {
      const { stdout, stderr } = await run(['sh', '-c', who], { user, cwd: '/' });
      assert.deepEqual([stdout, stderr], [expected, ''], user);
    }
  });

  it('say in our words why they did not begin, on standard error', async () => {
    const cases: [Partial<ExecRequest>, RegExp][] = [
      [{ cwd: '/no/such' }, /^berth: not started: there is no folder "\/no\/such" in the workspace\.\n/],
      [
        { cwd: '/etc/passwd' },
        /^berth: not started: there is no folder "\/etc\/passwd" in the workspace\.\n/,
      ],
      [{ user: 'stranger' }, /^berth: not started: there is no user "stranger" in the workspace\.\n/],
      [{ user: 'root:strangers' }, /^berth: not started: there is no group "strangers" in the workspace\.\n/],
    ];
    for (const [more, words] of cases) {
      const { exitCode, stdout, stderr } = await run(['true'], more);
      assert.deepEqual([exitCode, stdout], [126, ''], JSON.stringify(more));
      assert.match(stderr, words);
    }
  });

  it('keep an output of their own that looks like such a reason', async () => {
    const text = 'OCI runtime exec failed: is what they print\n';
    assert.deepEqual(await run(['printf', text], {}), { exitCode: 0, stdout: text, stderr: '' });
    const long = await run(['sh', '-c', `printf '${text.trim()}'; seq 5000; exit 126`], {});
    assert.equal(long.exitCode, 126);
    assert.match(long.stdout, /^OCI runtime exec failed: is what they print1\n2\n[^]*\n5000\n$/);
  });

  itLeavesNothing(harness);
});
