import assert from 'node:assert/strict';
import { ownAgent, toRequest } from '../../../../../src/cli/verbs/workspace/create';
import { policyOf } from '../../../../../src/cli/verbs/cp';
import { invoke } from '../../harness';

describe('cli/verbs/workspace/create', () => {
  it('sends only what was given', () => {
    assert.deepEqual(toRequest('demo', { start: true }, '/cwd', {}), { name: 'demo' });
  });

  it('lends the agent of the terminal, if there is one', () => {
    assert.equal(ownAgent({ SSH_AUTH_SOCK: '/run/agent' }, '/cwd'), '/run/agent');
    assert.equal(ownAgent({ SSH_AUTH_SOCK: 'agent' }, '/cwd'), '/cwd/agent');
    assert.throws(() => ownAgent({}, '/cwd'), /There is no SSH agent here: SSH_AUTH_SOCK is not set/);
    assert.throws(() => ownAgent({ SSH_AUTH_SOCK: '' }, '/cwd'), /There is no SSH agent here/);
  });

  it('sends all that was given, local paths absolute', () => {
    const request = toRequest(
      'demo',
      {
        image: 'debian:12',
        clone: 'https://example.com/x.git',
        env: { A: 'b' },
        docker: true,
        cpus: 1.5,
        memory: 512,
        pids: 100,
        shm: 64,
        volume: ['cache:/cache', './x.tar:/x:ro'],
        publish: [{ guest: 80 }],
        engine: 'container',
        label: 'Demo',
        credential: ['/etc/token:t'],
        postStart: ['setup.sh', '/abs'],
        failOnError: true,
        idlePause: 10,
        idleStop: 0,
        network: 'off',
        start: false,
      },
      '/cwd',
      { TOKEN: 'hunter2' },
    );
    assert.deepEqual(request, {
      name: 'demo',
      label: 'Demo',
      runtime: 'container',
      image: 'debian:12',
      cloneUrl: 'https://example.com/x.git',
      env: { A: 'b' },
      docker: true,
      limits: { cpus: 1.5, memoryMiB: 512, pids: 100, shmMiB: 64 },
      volumes: ['cache:/cache', '/cwd/x.tar:/x:ro'],
      ports: [{ guest: 80 }],
      credentialFiles: [{ source: '/etc/token', target: 't' }],
      secrets: { TOKEN: 'hunter2' },
      postStart: { scripts: ['/cwd/setup.sh', '/abs'], failOnError: true },
      idle: { pauseAfter: 10, stopAfter: 0 },
      network: 'off',
      start: false,
    });
  });

  it('refuses an address with a token in it, with the safe way, before an engine is asked', async () => {
    const { code, stderr } = await invoke('create', 'demo', '--clone', 'https://hunter2@host/x.git');
    assert.equal(code, 2);
    assert.match(stderr, /may be a token[^]*hint:[^]*--credential/);
    assert.doesNotMatch(stderr, /hunter2/);
  });

  it('says how a branch is named, where one is written behind an address', async () => {
    const { code, stderr } = await invoke('create', 'demo', '--clone', 'https://host/x.git#feature');
    assert.equal(code, 2);
    assert.match(stderr, /hint: Leave it out\. A branch is `--branch NAME`/);
  });

  it('refuses a secret in an argument without repeating it', async () => {
    const { code, stderr } = await invoke('create', 'demo', '--secret', 'TOKEN=hunter2');
    assert.equal(code, 2);
    assert.doesNotMatch(stderr, /hunter2/);
  });

  it('can read one secret at most from standard input', async () => {
    const { code, stderr } = await invoke('create', 'demo', '--secret', 'BERTH_A', '--secret', 'BERTH_B');
    assert.equal(code, 2);
    assert.match(stderr, /BERTH_A, BERTH_B/);
  });
});

describe('cli/verbs/cp', () => {
  it('knows one policy at a time', () => {
    assert.equal(policyOf({}), 'fail');
    assert.equal(policyOf({ force: true }), 'overwrite');
    assert.equal(policyOf({ skip: true }), 'skip');
    assert.equal(policyOf({ keepBoth: true }), 'rename');
    assert.throws(() => policyOf({ force: true, skip: true }), /only one/);
  });
});
