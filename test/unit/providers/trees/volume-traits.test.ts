import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type { Holder, Volume } from '../../../../src/api';
import { traitsOf, volumeItem } from '../../../../src/providers/trees/volume-item';
import { generated } from '../../../../src/ui/contributions/manifest';
import { volume } from '../fixtures';

const owner = { installation: 'other', home: '/home/other/.berth' };
const holder = (state: Holder['state']): Holder => ({ runtime: 'r', state, readOnly: false });

describe('what is offered for a volume', () => {
  beforeEach(() => standIn.reset());

  const cases: [string, Volume, boolean, string[]][] = [
    [
      'the home of a workspace',
      volume('workspace-demo', { role: 'home', workspace: 'demo', holders: [holder('running')] }),
      true,
      ['volume.measure'],
    ],
    ['a named one', volume('data'), false, ['volume.delete', 'volume.measure']],
    ['a named one in use', volume('data', { holders: [holder('stopped')] }), false, ['volume.measure']],
    [
      'a home that lost its workspace',
      volume('workspace-old', { role: 'home' }),
      false,
      ['volume.delete', 'volume.measure', 'workspace.adopt'],
    ],
    [
      'the home of another tool',
      volume('sandkasten-ws-u1', { role: 'session', managed: false }),
      false,
      ['volume.adopt', 'volume.delete', 'volume.measure', 'workspace.adopt'],
    ],
    [
      'another volume of another tool',
      volume('pgdata', { role: 'foreign', managed: false }),
      false,
      ['volume.adopt', 'volume.delete', 'volume.measure'],
    ],
    ['one of another installation', volume('data', { managed: false, owner }), false, ['volume.takeOver']],
    [
      'one that only a container of another installation has',
      volume('pgdata', { role: 'foreign', managed: false, holders: [{ ...holder('stopped'), owner }] }),
      false,
      ['volume.measure', 'volume.takeOver'],
    ],
    [
      'a disk',
      volume('disk', { kind: 'disk', sizeMiB: 10 }),
      false,
      ['volume.delete', 'volume.measure', 'volume.resize'],
    ],
    [
      'a disk in use',
      volume('disk', { kind: 'disk', sizeMiB: 10, holders: [holder('paused')] }),
      false,
      ['volume.measure'],
    ],
    [
      'a disk file of the user',
      volume('x.img', { kind: 'disk', managed: false, sizeMiB: 10 }),
      false,
      ['volume.delete', 'volume.measure', 'volume.resize'],
    ],
  ];
  const conditional = [
    'workspace.adopt',
    'volume.adopt',
    'volume.takeOver',
    'volume.delete',
    'volume.measure',
    'volume.resize',
  ];

  for (const [what, each, isOwned, commands] of cases) {
    it(`${what}: ${commands.join(', ')}`, () => {
      const { contextValue = '' } = volumeItem({ type: 'volume', name: each.name }, each, isOwned);
      assert.deepEqual(
        offered(contextValue)
          .filter((id) => conditional.includes(id))
          .sort(),
        commands,
      );
      assert.deepEqual(contextValue.split('+').slice(3), traitsOf(each, isOwned));
    });
  }

  /** The commands of the menu of rows with that value, by the generated conditions. */
  function offered(contextValue: string): string[] {
    const { menus } = generated().contributes as {
      menus: Record<string, { command: string; when: string }[]>;
    };
    const entries = menus['view/item/context'] ?? [];
    return entries
      .filter(({ when }) => /^view == berth\.volumes && viewItem =~ /.test(when))
      .filter(({ when }) => new RegExp(/=~ \/(.*)\/$/.exec(when)?.[1] ?? 'nothing').test(contextValue))
      .map(({ command }) => command.replace('berth.', ''));
  }
});
