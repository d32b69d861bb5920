import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type { Workspace } from '../../../../src/api';
import { workspaceTooltip } from '../../../../src/providers/trees/workspace-tooltip';
import { workspace } from '../fixtures';

const mebibyte = 1024 ** 2;

describe('the memory in the tooltip of a workspace', () => {
  beforeEach(() => standIn.reset());

  const memoryOf = (spec: Partial<Workspace['spec']>, limitMiB: number): string => {
    const { spec: usual } = workspace('demo');
    const stats = {
      cpuPercent: 0,
      memoryBytes: 300 * mebibyte,
      memoryLimitBytes: limitMiB * mebibyte,
      pids: 1,
      networkRxBytes: 0,
      networkTxBytes: 0,
      at: '',
    };
    const text = workspaceTooltip(workspace('demo', { spec: { ...usual, ...spec } }), undefined, stats).value;
    return /\| Memory \|[^|]*?(\d[^|]*?) \|/.exec(text.replaceAll('\\', ''))?.[1] ?? text;
  };

  it('has no limit where the container has none, whatever memory the machine has', () => {
    assert.equal(memoryOf({}, 24_106), '300 MiB, no limit');
    assert.equal(memoryOf({ limits: { cpus: 2 } }, 24_106), '300 MiB, no limit');
  });

  it('is compared with the limit that was set, and with the size of a microVM', () => {
    assert.equal(memoryOf({ limits: { memoryMiB: 2048 } }, 2048), '300 MiB of 2 GiB');
    assert.equal(memoryOf({ runtime: 'microvm' }, 1024), '300 MiB of 1 GiB');
  });
});
