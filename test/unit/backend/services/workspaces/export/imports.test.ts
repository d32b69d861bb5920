/** Imports of files that somebody else has made: they get what is free and nobody's, and say what that is. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { VolumeCreate } from '../../../../../../src/api/volumes/schemas';
import type { ImportQuery, ImportResult } from '../../../../../../src/api/workspaces/export';
import { BundleWriter } from '../../../../../../src/backend/services/workspaces/export/bundle-writer';
import {
  copiesOf,
  diskSizeFor,
  fitHome,
  makeNamed,
} from '../../../../../../src/backend/services/workspaces/export/import-volumes';
import type { Manifest } from '../../../../../../src/backend/services/workspaces/export/manifest';
import type { TarSource } from '../../../../../../src/backend/tar/flow';
import type { Unpacked } from '../../../../../../src/backend/files/volume-files';
import { useEngine, type TestEngine } from '../../../../../support/engine/engine';
import { failure } from '../../../../../support/errors';
import { FakeFiles } from '../../../../../support/fakes/fake-files';
import { FakeVolumes } from '../../../../../support/fakes/fake-volumes';
import { fakeFeatures } from '../../../../../support/fakes/fake-features';

/** They take all of a tar, and remember what is removed. */
class TakingFiles extends FakeFiles {
  readonly removed: string[] = [];

  override async putTar(_folder?: string, source?: TarSource): Promise<Unpacked> {
    while ((await source?.next()) !== undefined);
    return super.putTar();
  }

  override remove(path: string): Promise<void> {
    this.removed.push(path);
    return super.remove(path);
  }
}

function manifestWith(
  names: readonly string[],
  ports: Manifest['workspace']['spec']['ports'] = [],
): Manifest {
  const mounts = names.map((source) => ({
    ...({ kind: 'volume', source, target: `/${source}`, readOnly: false } as const),
  }));
  return {
    ...{ format: 'berth-workspace', version: 1, createdAt: '2026-01-01T00:00:00.000Z' },
    workspace: {
      ...{ name: 'demo', label: 'demo', cloned: false },
      spec: {
        ...{ runtime: 'container', image: 'workspace:latest', ports },
        ...(mounts.length > 0 && { mounts }),
      },
    },
    image: { isIncluded: false, bytes: 0 },
    volumes: [
      ...names.map((name) => ({ role: 'named' as const, name, bytes: 1 })),
      { role: 'home', name: 'workspace-demo', bytes: 1 },
    ],
    leftOut: [],
  };
}

async function fileOf(manifest: Manifest): Promise<Buffer> {
  const parts: Buffer[] = [];
  const writer = new BundleWriter((bytes) => Promise.resolve(void parts.push(bytes)));
  await writer.manifest(manifest);
  for (const index of manifest.volumes.keys()) {
    await writer.content(`volumes/${index}`, (take) => take(Buffer.from('tar')));
  }
  await writer.end();
  return Buffer.concat(parts);
}

describe('services: imports', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => (test = await start()));

  async function taken(
    manifest: Manifest,
    query: ImportQuery = {},
    signal = new AbortController().signal,
  ): Promise<ImportResult> {
    const { contents } = test.driver.volumes;
    const names = manifest.volumes.map(({ name }) => name);
    [...names, ...names.map((name) => `demo-${name}`)].forEach((name) =>
      contents.set(name, new TakingFiles(name)),
    );
    return test.services.imports.import(Readable.from([await fileOf(manifest)]), query, signal);
  }

  it('make no volume of a name that a workspace will have, and name all that they make', async () => {
    const result = await taken(manifestWith(['workspace-dev', 'sandkasten-ws-x', 'data']));
    const made = ['demo-workspace-dev', 'demo-sandkasten-ws-x', 'data'];
    assert.deepEqual(result.volumes, made);
    assert.deepEqual(test.driver.volumes.names, [...made, 'workspace-demo'].sort());
    assert.deepEqual(
      result.renamed.map(({ from }) => from),
      ['workspace-dev', 'sandkasten-ws-x'],
    );
    const none = { findVolume: () => Promise.resolve(undefined) };
    const long = `workspace-${'x'.repeat(63)}-docker`;
    const [copy] = await copiesOf(manifestWith([long]), 'demo', none);
    assert.notEqual(copy?.to, long);
    // `workspace-data` would be the home of a workspace "data".
    await failure(() => copiesOf(manifestWith(['workspace-x']), 'workspace', none), 'exists');
    const two = await copiesOf(manifestWith(['workspace-x', 'demo-workspace-x']), 'demo', none);
    assert.equal(new Set(two.map(({ to }) => to)).size, 2);
  });

  it('open other ports than a file names, unless it is trusted, and name all that are open', async () => {
    const { first, last } = test.services.settings.portRange;
    const ports = [
      { host: last, guest: 80 },
      { host: last - 1, guest: 80 },
      { host: last - 2, guest: 81, chosen: true },
    ];
    const result = await taken(manifestWith([], ports));
    assert.deepEqual(result.ports, [
      { from: last, guest: 80 },
      { from: last - 1, guest: 80 },
    ]);
    assert.deepEqual(
      result.published.map(({ guest }) => guest),
      [80, 81],
    );
    assert.ok(result.published.every(({ host }) => host >= first && host < last - 2));
    await test.done(test.services.verbs.delete('demo'));
    const trusted = await taken(manifestWith([], ports.slice(0, 1)), { trust: true });
    assert.deepEqual([trusted.ports, trusted.published], [[], [{ host: last, guest: 80 }]]);
  });

  it('leave a home as it is that somebody has made meanwhile', async () => {
    const gate = test.driver.hold('volumes.create');
    const running = taken(manifestWith(['data']));
    running.catch(() => undefined);
    await gate.entered;
    test.driver.volumes.add('workspace-demo');
    const files = await test.driver.volumes.files('workspace-demo');
    assert(files instanceof TakingFiles);
    files.contents.set('/precious', Buffer.from('x'));
    gate.open();
    await failure(() => running, 'exists');
    assert.deepEqual(files.removed, []);
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
  });

  it('leave nothing when nobody waits any more', async () => {
    const gate = test.driver.hold('create');
    const gone = new AbortController();
    const running = taken(manifestWith(['data']), {}, gone.signal);
    running.catch(() => undefined);
    await gate.entered;
    gone.abort();
    gate.open();
    await failure(() => running, 'cancelled');
    assert.deepEqual(test.driver.volumes.names, []);
    await failure(() => test.services.workspaces.get('demo'), 'not_found');
  });

  it('make disks that have room for what comes', async () => {
    const gibibyte = 1024 ** 3;
    const cases: [Parameters<typeof diskSizeFor>[0], number][] = [
      [{ bytes: 0 }, 1024],
      [{ bytes: 0, sizeMiB: 4096 }, 4096],
      [{ bytes: 20 * gibibyte, sizeMiB: 16_384 }, 25_856],
      [{ bytes: Number.MAX_SAFE_INTEGER }, 1_048_576],
    ];
    assert.deepEqual(
      cases.map(([exported]) => diskSizeFor(exported)),
      cases.map(([, size]) => size),
    );
    const specs: VolumeCreate[] = [];
    const resized: [string, number][] = [];
    class Disks extends FakeVolumes {
      override create(spec: VolumeCreate): ReturnType<FakeVolumes['create']> {
        specs.push(spec);
        return super.create(spec);
      }
      override resize(name: string, sizeMiB: number): ReturnType<FakeVolumes['resize']> {
        resized.push([name, sizeMiB]);
        return super.resize(name, sizeMiB);
      }
    }
    const volumes = new Disks(() => Promise.resolve());
    const driver = { volumes, features: { ...fakeFeatures, volumeKinds: ['disk' as const] } };
    const free = { findVolume: () => Promise.resolve(undefined) };
    const large = { role: 'home' as const, name: 'x', bytes: 20 * gibibyte };
    await makeNamed(free, driver, 'data', large);
    await makeNamed(free, { volumes, features: fakeFeatures }, 'plain', large);
    assert.deepEqual(specs, [{ name: 'data', sizeMiB: 25_856 }, { name: 'plain' }]);
    volumes.known.set('workspace-demo', { ...volumes.add('workspace-demo'), kind: 'disk', sizeMiB: 16_384 });
    await fitHome(driver, 'workspace-demo', { ...large, bytes: gibibyte });
    await fitHome(driver, 'plain', large);
    assert.deepEqual(resized, []);
    await fitHome(driver, 'workspace-demo', large);
    assert.deepEqual(resized, [['workspace-demo', 25_856]]);
  });
});
