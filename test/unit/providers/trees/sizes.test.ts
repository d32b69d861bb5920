import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type * as vscode from 'vscode';
import { volumeDescription, volumeItem, volumeTooltip } from '../../../../src/providers/trees/volume-item';
import { mountItem } from '../../../../src/providers/trees/workspace-item';
import { workspaceTooltip } from '../../../../src/providers/trees/workspace-tooltip';
import { Store } from '../../../../src/ui/store';
import { volume, workspace } from '../fixtures';

describe('the size of a volume of which some files could not be read', () => {
  const some = { usedBytes: 1_500_000, usedIsAtLeast: true };
  const text = (tooltip: vscode.MarkdownString): string => tooltip.value.replaceAll('\\', '');
  beforeEach(() => standIn.reset());

  it('is a lower bound in its row, for eyes and screen readers', () => {
    const home = volume('data', some);
    assert.equal(volumeDescription(home), 'Docker volume · at least 1.4 MiB');
    const { accessibilityInformation } = volumeItem({ type: 'volume', name: 'data' }, home, false);
    assert.match(accessibilityInformation?.label ?? '', /at least 1\.4 MiB/);
    assert.match(
      volumeDescription(volume('data', { ...some, kind: 'disk', sizeMiB: 1024 })),
      /at least 1\.4 MiB of 1\.0 GiB/,
    );
  });

  it('is one below its workspace, in its own tooltip, and in that of the workspace', () => {
    const store = new Store();
    const home = volume('workspace-demo', some);
    store.take({ type: 'volume.changed', payload: home });
    const row = {
      type: 'mount',
      workspace: 'demo',
      volume: 'workspace-demo',
      target: '/data',
      readOnly: false,
    } as const;
    assert.equal(mountItem(row, store).description, '/data · at least 1.4 MiB');
    assert.match(text(volumeTooltip(home)), /\| Size \| at least 1\.4 MiB \|/);
    assert.match(
      text(workspaceTooltip(workspace('demo'), home, undefined)),
      /workspace-demo \(at least 1\.4 MiB\)/,
    );
    store.dispose();
  });
});

describe('a volume of another machine', () => {
  beforeEach(() => standIn.reset());

  it('says so in its row and in its tooltip', () => {
    const data = volume('data', { target: 'box' });
    assert.equal(volumeDescription(data), 'Docker volume · on box');
    assert.match(volumeTooltip(data).value, /\| Machine \| box \|/);
  });
});
