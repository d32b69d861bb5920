import assert from 'node:assert/strict';
import {
  bundlesOf,
  containerOptions,
  resourcesOf,
} from '../../../../../../src/backend/drivers/containers/runtime/runtime-spec';
import type { RuntimePlan } from '../../../../../../src/backend/drivers/driver';

const plan: RuntimePlan = {
  name: 'workspace-demo',
  workspace: 'demo',
  image: 'img',
  env: { A: '1' },
  limits: {},
  docker: false,
  network: 'on',
  homeVolume: 'workspace-demo',
  dockerVolume: undefined,
  mounts: [],
  sshPort: 2201,
};
const context = { owned: { 'berth.installation': 'me' }, toolsVolume: 'berth-tools-1', nonce: 'n' };
const mountsOf = (changes: Partial<RuntimePlan>) =>
  containerOptions({ ...plan, ...changes }, context).HostConfig?.Mounts ?? [];

describe('what the engine is asked to create', () => {
  it('publishes SSH on loopback only, and overrides what the image would run', () => {
    const options = containerOptions(plan, context);
    assert.deepEqual(options.HostConfig?.PortBindings, {
      '22/tcp': [{ HostIp: '127.0.0.1', HostPort: '2201' }],
    });
    assert.equal(options.User, '0:0');
    assert.equal([options.Entrypoint].flat()[0], '/.berth/bin/tini');
    assert.deepEqual(options.Healthcheck?.Test, ['NONE']);
    assert.equal(options.HostConfig.Privileged, false);
    assert.match(options.HostConfig.Tmpfs?.['/run/berth'] ?? '', /mode=0711/);
    assert.ok(!JSON.stringify(options.Entrypoint).includes('\n'), 'process lists stay readable');
  });

  it('publishes nothing on another machine, and notes that the engine dials to it', () => {
    const ports = [{ host: 18080, guest: 8080 }];
    const options = containerOptions({ ...plan, ports }, { ...context, isElsewhere: true });
    assert.deepEqual([options.HostConfig?.PortBindings, options.ExposedPorts], [undefined, undefined]);
    assert.equal(options.HostConfig?.NetworkMode, undefined, 'it has a network');
    assert.equal(options.Labels?.['berth.reach'], 'engine');
    assert.equal(options.Labels['berth.ports'], '18080:8080');
    assert.equal(containerOptions(plan, context).Labels?.['berth.reach'], undefined);
  });

  it('publishes other ports beside it, several of them for one inside, and notes how it was built', () => {
    const ports = [
      { host: 18080, guest: 8080 },
      { host: 18081, guest: 8080 },
    ];
    const options = containerOptions({ ...plan, ports }, context);
    assert.deepEqual(options.HostConfig?.PortBindings, {
      '22/tcp': [{ HostIp: '127.0.0.1', HostPort: '2201' }],
      '8080/tcp': ports.map(({ host }) => ({ HostIp: '127.0.0.1', HostPort: String(host) })),
    });
    assert.deepEqual(options.ExposedPorts, { '22/tcp': {}, '8080/tcp': {} });
    assert.equal(options.Labels?.['berth.ports'], '18080:8080,18081:8080');
  });

  it('binds the folder of a volume that is one, and only then', () => {
    const mount = { kind: 'volume', source: 'shared', target: '/data', readOnly: true } as const;
    const mounts = mountsOf({
      mounts: [
        { ...mount, folder: '/v/shared' },
        { ...mount, target: '/other' },
      ],
    });
    assert.deepEqual(mounts[3], { Type: 'bind', Source: '/v/shared', Target: '/data', ReadOnly: true });
    assert.equal(mounts[4]?.Type, 'volume');
  });

  it('has such folders labelled under SELinux, and nothing else', () => {
    const mount = { kind: 'volume', source: 'shared', target: '/data', readOnly: true } as const;
    const mounts: RuntimePlan['mounts'] = [
      { ...mount, folder: '/v/shared' },
      { ...mount, folder: '/v/other', target: '/other', readOnly: false },
      { ...mount, source: 'named', target: '/named' },
      { kind: 'archive', source: '/x.tar', target: '/ctx', readOnly: false },
    ];
    const { HostConfig: host } = containerOptions({ ...plan, mounts }, { ...context, isLabelled: true });
    assert.deepEqual(host?.Binds, ['/v/shared:/data:ro,z', '/v/other:/other:rw,z']);
    assert.deepEqual(
      host.Mounts?.slice(3).map(({ Type, Source }) => [Type, Source]),
      [
        ['volume', 'named'],
        ['volume', 'workspace-demo.bundle-3'],
      ],
    );
    assert.equal(containerOptions({ ...plan, mounts }, context).HostConfig?.Binds, undefined);
  });

  it('mounts the home twice, the tools read-only, and labels what it makes', () => {
    const mounts = mountsOf({});
    assert.deepEqual(
      mounts.map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly]),
      [
        ['berth-tools-1', '/.berth', true],
        ['workspace-demo', '/home/workspace', false],
        ['workspace-demo', '/workspace', false],
      ],
    );
    assert.equal(mounts[1]?.VolumeOptions?.Labels['berth.role'], 'home');
    assert.equal(mounts[1].VolumeOptions.NoCopy, false, 'the home starts with what the image has');
    assert.equal(mounts[2]?.VolumeOptions?.NoCopy, true);
  });

  it('adds Docker, named volumes and bundles', () => {
    const mounts = mountsOf({
      docker: true,
      dockerVolume: 'workspace-demo-docker',
      mounts: [
        { kind: 'volume', source: 'data', target: '/data', readOnly: true },
        { kind: 'archive', source: '/x.tar', target: '/ctx', readOnly: false },
      ],
    });
    assert.deepEqual(
      mounts.slice(3).map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly]),
      [
        ['workspace-demo-docker', '/var/lib/docker', false],
        ['data', '/data', true],
        ['workspace-demo.bundle-1', '/ctx', false],
      ],
    );
    assert.equal(mounts[4]?.VolumeOptions?.Labels['berth.volume'], 'true');
    assert.equal(mounts[5]?.VolumeOptions?.Labels['berth.bundle'], 'true');
    assert.ok(containerOptions({ ...plan, docker: true }, context).HostConfig?.Privileged);
  });

  it('names bundles by their place among the mounts', () => {
    const mounts: RuntimePlan['mounts'] = [
      { kind: 'volume', source: 'v', target: '/v', readOnly: false },
      { kind: 'archive', source: '/a.tar', target: '/a', readOnly: true },
    ];
    assert.deepEqual(
      bundlesOf({ ...plan, mounts }).map(({ volume }) => volume),
      ['workspace-demo.bundle-1'],
    );
  });

  it('turns limits into the units of the engine, without swap', () => {
    assert.deepEqual(resourcesOf({}), {});
    assert.deepEqual(resourcesOf({ cpus: 1.5, memoryMiB: 64, pids: 100, shmMiB: 8 }), {
      NanoCpus: 1_500_000_000,
      Memory: 67_108_864,
      MemorySwap: 67_108_864,
      PidsLimit: 100,
    });
  });
});
