import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeRecord } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-record';
import { ShareWatch } from '../../../../../../src/backend/drivers/microvms/virtiofs/watch';
import { lostShares } from '../../../../../../src/backend/drivers/microvms/runtimes/warnings';
import { useTempFolder } from '../../../../../support/temp';
import { until } from '../../../../../support/wait';

describe('the watch over daemons of shared folders', function () {
  this.timeout(20_000);
  const folder = useTempFolder();
  const socket = (serial: string) => join(folder(), `${serial}.sock`);
  let changes = 0;
  let end: () => void;
  let watch: ShareWatch;
  beforeEach(() => (changes = 0));
  afterEach(() => watch.close());

  function begin(...serials: string[]): void {
    const closed = new Promise<void>((resolve) => (end = resolve));
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    watch = new ShareWatch({
      ...{ name: 'workspace-w', serials, log, qmp: { isOpen: true, closed } },
      files: { shareSocket: socket, shareLog: (serial) => join(folder(), `${serial}.log`) },
      changed: () => (changes += 1),
    });
  }

  async function serve(serial: string) {
    const argv = ['-e', 'setTimeout(() => undefined, 60_000)', '--', `--socket-path=${socket(serial)}`];
    const daemon = spawn(process.execPath, argv, { stdio: 'ignore' });
    await once(daemon, 'spawn');
    return daemon;
  }

  it('sees the end of one, and keeps its last words', async () => {
    const [first, second] = [await serve('v0'), await serve('v1')];
    await writeFile(join(folder(), 'v0.log'), 'first words\nlast words\n');
    begin('v0', 'v1');
    first.kill('SIGKILL');
    await until('it is seen', () => watch.lost.size > 0, 10_000);
    assert.deepEqual([...watch.lost.keys()], ['v0']);
    assert.match(watch.lost.get('v0') ?? '', /last words/);
    assert.equal(changes, 1);
    second.kill('SIGKILL');
  });

  it('sees that one was gone before it began', async () => {
    begin('v0');
    await until('it is seen', () => watch.lost.has('v0'), 10_000);
  });

  it('says nothing of those that end with their machine', async () => {
    const daemon = await serve('v0');
    begin('v0');
    daemon.kill('SIGKILL');
    end();
    await once(daemon, 'exit');
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    assert.deepEqual([watch.lost.size, changes], [0, 0]);
  });
});

describe('what is said of shared folders that are lost', () => {
  const mount = (source: string, target: string) => {
    return { kind: 'volume' as const, source, target, readOnly: false, folder: '/f' };
  };
  const plan: RuntimeRecord['plan'] = {
    ...{ name: 'workspace-w', workspace: 'w', image: 'i', env: {}, limits: {}, docker: false },
    ...{ network: 'on', homeVolume: 'h', sshPort: 1, mounts: [mount('one', '/a'), mount('two', '/b')] },
  };

  it('names them, where they are, and what brings them back', () => {
    const problem = lostShares({ plan }, new Map([['v1', 'out of memory']])) ?? assert.fail();
    assert.equal(problem.code, 'share-lost');
    assert.match(problem.message, /two at \/b .*Its last output: out of memory$/);
    assert.doesNotMatch(problem.message, /one/);
    assert.match(problem.hint ?? '', /berth restart w/);
    assert.equal(lostShares({ plan }, new Map()), undefined);
  });
});
