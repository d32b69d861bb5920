import assert from 'node:assert/strict';
import type { Mount, WorkspaceSpec } from '../../../../../../src/api/workspaces/schemas';
import { isName } from '../../../../../../src/api/rules/names';
import { forkPlanOf, freeForkNames } from '../../../../../../src/backend/services/workspaces/fork/fork-spec';

const mount = (kind: Mount['kind'], source: string, readOnly: boolean): Mount => ({
  ...{ kind, source, readOnly },
  target: `/${source.replaceAll('/', '-')}`,
});

describe('services: what forks have of their source', () => {
  const spec: WorkspaceSpec = {
    ...{ runtime: 'container', image: 'a:1', docker: true, env: { A: '1' }, secretNames: ['S'] },
    ports: [
      { host: 8000, guest: 80 },
      { host: 2300, guest: 81, chosen: true },
    ],
    mounts: [
      mount('volume', 'data', false),
      mount('volume', 'shared', true),
      mount('disk', '/home/me/raw.ext4', false),
      mount('archive', '/home/me/in.tar', true),
    ],
  };

  it('copies of what it writes to, and else what it has; ports are their own', () => {
    const plan = forkPlanOf(spec, 'b:2', 'fork');
    assert.deepEqual(plan.copies, [{ from: 'data', to: 'fork-data' }]);
    assert.deepEqual(
      plan.spec.mounts?.map(({ source, readOnly }) => [source, readOnly]),
      [
        ['fork-data', false],
        ['shared', true],
        ['/home/me/raw.ext4', true],
        ['/home/me/in.tar', true],
      ],
    );
    assert.deepEqual(plan.ports, [{ guest: 80 }, { guest: 81 }]);
    const { image, env, secretNames, ports } = plan.spec;
    assert.deepEqual([image, env, secretNames, ports], ['b:2', { A: '1' }, ['S'], undefined]);
    assert.equal(plan.notes.length, 2);
    assert.match(plan.notes.join('\n'), /raw\.ext4 is read-only in forks.*\n.*Docker inside are not copied/);
  });

  it('one copy of a volume that is mounted twice', () => {
    const twice = [mount('volume', 'data', false), { ...mount('volume', 'data', false), target: '/other' }];
    const plan = forkPlanOf({ ...spec, mounts: twice }, 'a:1', 'fork');
    assert.equal(plan.copies.length, 1);
    assert.deepEqual([...new Set(plan.spec.mounts?.map(({ source }) => source))], ['fork-data']);
  });

  it('names of volumes that Berth can make, each another one, whatever the volumes are called', () => {
    const sources = [
      'Data',
      'data',
      'my_data.v1',
      'my-data-v1',
      `${'x'.repeat(250)}1`,
      `${'x'.repeat(250)}2`,
      '_',
    ];
    for (const fork of ['f', 'a'.repeat(63)]) {
      const mounts = sources.map((source) => mount('volume', source, false));
      const { copies } = forkPlanOf({ ...spec, mounts }, 'a:1', fork);
      const names = copies.map(({ to }) => to);
      assert.deepEqual(
        names.filter((name) => !isName(name)),
        [],
      );
      assert.equal(new Set(names).size, sources.length, names.join('\n'));
    }
  });

  it('names that are free, and at most as long as a name can be', () => {
    const taken = new Set(['api-fork', 'api-fork-3']);
    assert.deepEqual(
      freeForkNames('api', 3, (name) => taken.has(name)),
      ['api-fork-2', 'api-fork-4', 'api-fork-5'],
    );
    for (const source of ['a'.repeat(63), `${'a'.repeat(57)}-b`, `${'a'.repeat(55)}--bcd`]) {
      const names = freeForkNames(source, 32, () => false);
      assert.deepEqual(
        names.filter((name) => !isName(name)),
        [],
      );
      assert.equal(new Set(names).size, 32);
    }
  });
});
