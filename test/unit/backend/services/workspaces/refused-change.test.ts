/** A change of a workspace that is refused, or can't be kept, changes nothing: not what is out of sight either. */
import assert from 'node:assert/strict';
import { mkdir, rename, rm } from 'node:fs/promises';
import { BerthError } from '../../../../../src/api/errors';
import type { Limits } from '../../../../../src/api/workspaces/schemas';
import type { PlannedPort } from '../../../../../src/backend/drivers/driver';
import { SecretStore } from '../../../../../src/backend/store/secrets';
import { useDemo } from '../../../../support/engine/demo';
import { failure } from '../../../../support/errors';

describe('services/workspaces, a refused change', () => {
  const { engine, workspace } = useDemo();
  const change = { secrets: { OLD: '2', NEW: '3' }, limits: { cpus: 3 } };
  let limits: Limits;
  let ports: readonly PlannedPort[];

  beforeEach(async () => {
    const { driver, services } = engine();
    const [setLimits, setPorts] = [driver.setLimits.bind(driver), driver.setPorts.bind(driver)];
    driver.setLimits = async (name, wanted) => {
      const answer = await setLimits(name, wanted);
      limits = wanted;
      return answer;
    };
    driver.setPorts = async (name, wanted) => {
      const answer = await setPorts(name, wanted);
      ports = wanted;
      return answer;
    };
    await services.workspaces.update('demo', {
      ...{ secrets: { OLD: '1' }, limits: { cpus: 2 }, ports: [{ guest: 80 }] },
    });
  });

  async function inForce() {
    const { services, driver } = engine();
    await services.access.exec('demo', { argv: ['env'] }, new AbortController().signal);
    const { OLD, NEW } = driver.execs.at(-1)?.env ?? {};
    return { OLD, NEW, limits, ports };
  }

  async function changesNothing(act: () => Promise<unknown>): Promise<void> {
    const { spec } = workspace();
    const before = await inForce();
    assert.deepEqual([before.OLD, before.NEW, before.limits], ['1', undefined, { cpus: 2 }]);
    await act();
    assert.deepEqual(await inForce(), before);
    assert.deepEqual(workspace().spec, spec);
  }

  it('for a port that is taken', async () => {
    await engine().create('other', { ports: [{ guest: 80 }] });
    const { host = 0 } = engine().services.workspaces.get('other').spec.ports?.[0] ?? {};
    const { workspaces } = engine().services;
    await changesNothing(() =>
      failure(workspaces.update('demo', { ...change, ports: [{ guest: 80, host }] }), 'in_use'),
    );
  });

  it('for limits that are too much', async () => {
    const { services, driver } = engine();
    driver.fail('setLimits', new BerthError('bad_request', 'too much'));
    await changesNothing(() =>
      failure(services.workspaces.update('demo', { ...change, ports: [{ guest: 81 }] }), 'bad_request'),
    );
  });

  it('for a record that can not be written', async () => {
    const { services, state } = engine();
    const record = state.workspaceRecord('demo');
    await changesNothing(async () => {
      await rename(record, `${record}.kept`);
      await mkdir(record);
      await assert.rejects(services.workspaces.update('demo', { ...change, ports: [{ guest: 81 }] }));
      await rm(record, { recursive: true });
      await rename(`${record}.kept`, record);
    });
  });

  it('is not half in force after an engine that was killed: a secret that no record names is in no login', async () => {
    await new SecretStore(engine().state).put('demo', { NEW: '3' });
    assert.equal((await inForce()).NEW, undefined);
  });
});
