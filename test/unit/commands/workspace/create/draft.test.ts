import assert from 'node:assert/strict';
import {
  freeName,
  cloneProblem,
  isCpuCount,
  nameProblem,
  parseMemory,
  toRequest,
  type WorkspaceDraft,
} from '../../../../../src/commands/workspace/create/draft';

const nothing = { workspaces: new Set<string>(), volumes: new Set<string>() };

describe('the description of a workspace to be', () => {
  it('takes names of lowercase letters, digits and inner hyphens', () => {
    for (const name of ['a', '7', 'my-project', 'a'.repeat(63)]) {
      assert.equal(nameProblem(name, nothing), undefined, name);
    }
  });

  it('says what is wrong with a name', () => {
    assert.equal(nameProblem('', nothing), 'empty');
    assert.equal(nameProblem('a'.repeat(64), nothing), 'long');
    assert.equal(nameProblem('My', nothing), 'characters');
    assert.equal(nameProblem('a b', nothing), 'characters');
    assert.equal(nameProblem('-a', nothing), 'hyphen');
    assert.equal(nameProblem('a-', nothing), 'hyphen');
  });

  it('refuses a name that a workspace or its volume has', () => {
    const taken = { workspaces: new Set(['demo']), volumes: new Set(['workspace-old']) };
    assert.equal(nameProblem('demo', taken), 'workspace');
    assert.equal(nameProblem('old', taken), 'volume');
    assert.equal(nameProblem('new', taken), undefined);
  });

  it('proposes a free name', () => {
    const taken = new Set(['workspace', 'workspace-2']);
    assert.equal(
      freeName('workspace', (name) => !taken.has(name)),
      'workspace-3',
    );
    assert.equal(
      freeName('other', (name) => !taken.has(name)),
      'other',
    );
  });

  it('proposes a name of at most 63 characters, with its suffix, however long that is which it begins with', () => {
    const isGood = (name: string) => nameProblem(name, nothing) === undefined;
    for (let length = 55; length <= 63; length++) {
      const long = 'a'.repeat(length);
      const first = freeName(long, isGood, '-fork');
      assert.match(first, /^a+-fork$/);
      assert.equal(first.length, Math.min(63, length + 5));
      const second = freeName(long, (name) => isGood(name) && name !== first, '-fork');
      assert.match(second, /^a+-fork-2$/);
      assert.ok(second.length <= 63);
    }
    assert.equal(freeName(`${'a'.repeat(57)}-bbbbb`, isGood, '-fork'), `${'a'.repeat(57)}-fork`);
  });

  it('ends also where no name is free', () => {
    assert.match(
      freeName('a', () => false, '-fork'),
      /^a-fork-\d+$/,
    );
  });

  it('asks the one rule about addresses, and takes none at all', () => {
    assert.equal(cloneProblem(''), undefined);
    assert.equal(cloneProblem('https://example.org/a.git'), undefined);
    assert.equal(cloneProblem('https://token@example.org/a.git'), 'name');
  });

  it('reads amounts of memory in MiB', () => {
    assert.equal(parseMemory('4096'), 4096);
    assert.equal(parseMemory('512 MiB'), 512);
    assert.equal(parseMemory('4G'), 4096);
    assert.equal(parseMemory(' 1.5 GiB '), 1536);
    for (const text of ['', 'much', '31', '-1', '4 KiB', '99999999']) {
      assert.equal(parseMemory(text), undefined, text);
    }
  });

  it('reads numbers of CPUs', () => {
    assert.ok(['', '1', '0.5', ' 2 '].every(isCpuCount));
    assert.ok(!['0', 'two', '-1', '2000'].some(isCpuCount));
  });

  it('asks for what differs from the defaults only', () => {
    const draft: WorkspaceDraft = {
      name: 'demo',
      runtime: 'container',
      image: '',
      cloneUrl: '',
      limits: {},
      docker: false,
    };
    assert.deepEqual(toRequest(draft), { name: 'demo', runtime: 'container' });
    assert.deepEqual(
      toRequest({ ...draft, image: 'debian:12', cloneUrl: '/srv/a', limits: { cpus: 2 }, docker: true }),
      {
        name: 'demo',
        runtime: 'container',
        image: 'debian:12',
        cloneUrl: '/srv/a',
        limits: { cpus: 2 },
        docker: true,
      },
    );
  });
});
