import assert from 'node:assert/strict';
import { refuseUnsupported } from '../../../../../src/backend/drivers/contract/support';
import type { DriverFeatures } from '../../../../../src/api/engine/features';
import { FakeDriver } from '../../../../support/fakes/fake-driver';

const { features } = new FakeDriver();
const container = { kind: 'container', features } as const;
const microvm = {
  kind: 'microvm',
  features: {
    ...features,
    networks: ['on', 'off', 'host-loopback'],
    mounts: ['volume', 'disk', 'archive'],
    maxMounts: 2,
    portsWithoutNetwork: true,
  } satisfies DriverFeatures,
} as const;
const mount = (kind: 'volume' | 'disk' | 'archive', source = 'data') => ({
  ...{ kind, source, target: `/${source}`, readOnly: false },
});

describe('drivers/contract/support', () => {
  it('refuses nothing that the features have', () => {
    refuseUnsupported({}, container);
    refuseUnsupported(
      { network: 'off', mounts: [mount('volume'), mount('archive')], docker: true },
      container,
    );
    refuseUnsupported({ network: 'off', ports: [{}], mounts: [mount('disk'), mount('volume')] }, microvm);
  });

  const cases: [string, Parameters<typeof refuseUnsupported>[0], string][] = [
    ['a network that it has not', { network: 'host-loopback' }, 'network'],
    ['ports without a network', { network: 'off', ports: [{ guest: 80 }] }, 'ports'],
    ['a disk of the user', { mounts: [mount('volume'), mount('disk', 'own.ext4')] }, 'volumes.1'],
  ];
  for (const [what, wanted, field] of cases) {
    it(`names the field of ${what}, and who can`, () => {
      const refuse = (others = [container, microvm]) => refuseUnsupported(wanted, container, others);
      assert.throws(() => refuse(), { code: 'not_supported', field, hint: /--runtime microvm/ });
      assert.throws(() => refuse([]), { code: 'not_supported', field, hint: /^(?!.*--runtime).+/ });
    });
  }

  it('counts volumes, and offers no other driver that can not either', () => {
    const mounts = [mount('disk', 'a'), mount('disk', 'b'), mount('disk', 'c')];
    assert.throws(() => refuseUnsupported({ mounts }, microvm, [container, microvm]), {
      ...{ code: 'not_supported', field: 'volumes', hint: 'Put more into one volume.' },
    });
  });

  it('refuses Docker where there is none', () => {
    const { docker: _docker, ...without } = features;
    assert.throws(() => refuseUnsupported({ docker: true }, { kind: 'container', features: without }), {
      ...{ code: 'not_supported', field: 'docker' },
    });
  });
});
