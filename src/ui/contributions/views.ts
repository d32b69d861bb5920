/** The views, what they say while they are empty, and the terminal. */
import { terminalProfileId, viewIds, type ContextKey } from '../ids';
import type { LinkState } from '../engine-link';

const icon = 'media/activity.svg';

export const viewsContainers = { activitybar: [{ id: 'berth', title: '%view.container%', icon }] };

const is = (key: ContextKey): string => key;

export const views = {
  berth: [
    { id: viewIds.workspaces, name: '%view.workspaces%', icon, contextualTitle: 'Berth' },
    { id: viewIds.volumes, name: '%view.volumes%', icon, contextualTitle: 'Berth' },
    {
      id: viewIds.changes,
      name: '%view.changes%',
      icon,
      contextualTitle: 'Berth',
      when: is('berth.hasChanges'),
    },
    { id: viewIds.found, name: '%view.found%', icon, contextualTitle: 'Berth', when: is('berth.hasFound') },
  ],
};

const isNot = (key: ContextKey): string => `!${key}`;
const engine = (state: LinkState['kind']): string => `${is('berth.engineState')} == ${state}`;
const welcome = (view: keyof typeof viewIds, text: string, ...conditions: string[]): object => ({
  view: viewIds[view],
  when: conditions.join(' && '),
  contents: `%welcome.${text}%`,
});

export const viewsWelcome = [
  welcome('workspaces', 'idle', engine('idle'), 'isWorkspaceTrusted'),
  welcome('workspaces', 'untrusted', engine('idle'), '!isWorkspaceTrusted'),
  welcome('workspaces', 'starting', engine('starting')),
  welcome('workspaces', 'stopped', engine('stopped')),
  welcome('workspaces', 'failed', engine('failed')),
  welcome(
    'workspaces',
    'noContainers',
    engine('ready'),
    isNot('berth.containersAvailable'),
    is('berth.microvmsAvailable'),
    isNot('berth.hasWorkspaces'),
  ),
  welcome(
    'workspaces',
    'noRuntime',
    engine('ready'),
    isNot('berth.containersAvailable'),
    isNot('berth.microvmsAvailable'),
    isNot('berth.hasWorkspaces'),
  ),
  welcome(
    'workspaces',
    'empty',
    engine('ready'),
    is('berth.containersAvailable'),
    isNot('berth.hasWorkspaces'),
  ),
  welcome(
    'volumes',
    'volumesEmpty',
    engine('ready'),
    is('berth.containersAvailable'),
    isNot('berth.hasVolumes'),
  ),
  welcome(
    'volumes',
    'volumesIdle',
    `${is('berth.engineState')} != ready || ${isNot('berth.containersAvailable')}`,
  ),
];

export const terminal = { profiles: [{ id: terminalProfileId, title: '%terminal.title%', icon: 'vm' }] };
