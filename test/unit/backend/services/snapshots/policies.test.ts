import assert from 'node:assert/strict';
import { automaticReasons } from '../../../../../src/api/snapshots/schemas';
import { SnapshotPolicies, type PoliciesDeps } from '../../../../../src/backend/services/snapshots/policies';
import { ForkBases } from '../../../../../src/backend/services/workspaces/fork/bases';

describe('services/snapshots/policies', () => {
  const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1, hour)).toISOString();
  const [a, b, namesake] = [
    { name: 'a', createdAt: at(0) },
    { name: 'b', createdAt: at(0) },
    { name: 'a', createdAt: at(9) },
  ];

  it('thin what a workspace has wanted of a volume that others share, and nothing that forks begin with', async () => {
    const makers = [a, b, a, namesake, a, b, a, undefined];
    const known = makers.map((by, index) => ({ id: `s${index}`, reason: 'stop', createdAt: at(index), by }));
    const bases = new ForkBases();
    const deps = {
      bases,
      records: { of: () => known },
      registry: { all: () => [] },
      snapshots: {
        delete: (_: string, id: string) =>
          Promise.resolve(
            known.splice(
              known.findIndex((each) => each.id === id),
              1,
            ),
          ),
      },
    };
    const policies = new SnapshotPolicies(deps as unknown as PoliciesDeps);
    const release = bases.hold(['s2']);
    const thin = () => policies.thinAutomatic('data', { keepLast: 1 }, automaticReasons, a);
    await thin();
    assert.deepEqual(
      known.map(({ id }) => id),
      ['s1', 's2', 's3', 's5', 's6', 's7'],
    );
    release();
    await thin();
    assert.deepEqual(
      known.map(({ id }) => id),
      ['s1', 's3', 's5', 's6', 's7'],
    );
  });
});
