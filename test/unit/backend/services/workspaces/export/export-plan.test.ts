/** What is written is what can be read again: nothing of it is a secret, a path of this machine, or a value of before. */
import assert from 'node:assert/strict';
import type { WorkspaceSpec } from '../../../../../../src/api/workspaces/schemas';
import { manifestOf } from '../../../../../../src/backend/services/workspaces/export/export-plan';
import {
  manifestBytes,
  parseManifest,
  type Manifest,
} from '../../../../../../src/backend/services/workspaces/export/manifest';
import type { WorkspaceRecord } from '../../../../../../src/backend/services/workspaces/record';

const plain: WorkspaceSpec = {
  ...{ runtime: 'container', image: 'workspace:latest' },
  mounts: [{ kind: 'volume', source: 'data', target: '/data', readOnly: false }],
};

function exported(spec: Partial<WorkspaceSpec>, isIncluded = true, label = 'Demo'): Manifest {
  const at = '2026-01-01T00:00:00.000Z';
  const record: WorkspaceRecord = {
    ...{ name: 'demo', label, state: 'running', spec: { ...plain, ...spec }, sshPort: 2200, hostKey: '' },
    ...{ homeVolume: 'workspace-demo', createdVolumes: [], cloned: false, createdAt: at, lastUsedAt: at },
    warnings: [],
  };
  const bytes = new Map([['workspace-demo', 7]]);
  const sizes = new Map([['workspace-demo', 16_384]]);
  return manifestOf(record, { image: { isIncluded, bytes: 0 }, bytes, sizes, notes: [] });
}

describe('the manifest of an export', () => {
  it('is read as it is written, with the sizes of disks', () => {
    const manifest = exported({ cloneUrl: 'https://example.org/a.git', cloneBranch: 'main', cloneDepth: 1 });
    assert.deepEqual(parseManifest(manifestBytes(manifest)), manifest);
    assert.deepEqual(manifest.volumes, [
      { role: 'named', name: 'data', bytes: 0 },
      { role: 'home', name: 'workspace-demo', bytes: 7, sizeMiB: 16_384 },
    ]);
    assert.equal(manifest.workspace.spec.cloneBranch, 'main');
  });

  it('has no clone of an address that may have a secret, and says so', () => {
    const addresses = [
      ...['https://me:s3cret@example.org/a.git', 'https://s3cret@example.org/a.git'],
      ...['https://example.org/a.git?token=s3cret', 'ssh://me:s3cret@example.org/a.git'],
      ...['me:s3cret@example.org:a.git', 'ext::sh -c s3cret', '--upload-pack=s3cret'],
    ];
    for (const cloneUrl of addresses) {
      const manifest = exported({ cloneUrl, cloneBranch: 'main', cloneDepth: 1 });
      assert.doesNotMatch(manifestBytes(manifest).toString(), /s3cret|cloneBranch|cloneDepth/, cloneUrl);
      assert.match(manifest.leftOut.join(), /the address that it is cloned from/);
    }
    const { spec } = exported({ cloneUrl: 'https://example.org/a.git', cloneBranch: '--x' }).workspace;
    assert.deepEqual([spec.cloneUrl, spec.cloneBranch], ['https://example.org/a.git', undefined]);
  });

  it('is none where no import would take it, and names what is wrong', () => {
    const data = plain.mounts?.[0];
    assert.ok(data);
    const many = Object.fromEntries(Array.from({ length: 128 }, (_, at) => [`V${at}`, 'x'.repeat(10_000)]));
    const cases: [Manifest, RegExp][] = [
      [exported({ image: '/home/me/x.ext4', runtime: 'microvm' }, false), /"\/home\/me\/x.ext4" is a path/],
      [exported({ mounts: [{ ...data, target: '/proc' }] }), /\/proc/],
      [exported({}, true, 'two\nlines'), /\/workspace\/label/],
      [exported({ env: many }), /its settings take \d+ bytes, more than 1048576/],
    ];
    for (const [manifest, message] of cases) {
      assert.throws(() => manifestBytes(manifest), { code: 'not_supported', message });
    }
    assert.ok(manifestBytes(exported({ image: '/home/me/x.ext4', runtime: 'microvm' })));
  });
});
