/** The part of package.json that is generated: what the extension contributes to VS Code, and when it is started. */
import { fileScheme, viewIds } from '../ids';
import { anyWorkspace, forksMenu, type CommandRow, type Placement } from './command-row';
import { commandRows } from './commands';
import { configuration } from './settings';
import { terminal, views, viewsContainers, viewsWelcome } from './views';
import { walkthroughs } from './walkthrough';

type Entry = readonly [id: string, row: CommandRow];

const command = ([id, { icon, enablement }]: Entry): object => ({
  command: id,
  title: `%command.${id.replace(/^berth\./, '')}.title%`,
  category: 'Berth',
  icon: `$(${icon})`,
  ...(enablement !== undefined && { enablement }),
});

const inPalette = ([id, { palette }]: Entry): object[] =>
  palette === undefined ? [] : [{ command: id, when: palette === 'never' ? 'false' : palette }];

const inMenu =
  (wanted: Placement['menu']) =>
  ([id, { menus = [] }]: Entry): object[] =>
    menus
      .filter(({ menu }) => menu === wanted)
      .map(({ group, when, alt }) => ({ command: id, when, group, ...(alt !== undefined && { alt }) }));

/** A key finds no row under a pointer: the command gets the view whose selected rows it takes. */
const keybindings = ([id, { keys }]: Entry): object[] => {
  if (keys === undefined) {
    return [];
  }
  const { key, mac, views, when } = keys;
  return views === 'window'
    ? [{ command: id, key, mac, when: `virtualWorkspace == ${fileScheme} && !inQuickOpen` }]
    : views.map((view) => ({
        command: id,
        key,
        mac,
        when: [
          `focusedView == ${viewIds[view]}`,
          'listFocus',
          '!inputFocus',
          ...(when === undefined ? [] : [when]),
        ].join(' && '),
        args: `selection:${view}`,
      }));
};

/** How VS Code names a file or folder of a volume, without and with an authority (see `volume-uri.ts`). */
const resourceLabelFormatters = [
  { label: '${path}', stripPathStartingSeparator: true },
  { authority: '?*', label: '${authority}${path}' },
].map(({ authority, ...formatting }) => ({
  scheme: fileScheme,
  ...(authority !== undefined && { authority }),
  formatting: { ...formatting, separator: '/', workspaceSuffix: 'Berth' },
}));

/** What `npm run contributions` writes into package.json, in place of what is there under these names. */
export function generated(): { activationEvents: string[]; contributes: object } {
  const entries: Entry[] = Object.entries(commandRows);
  const contributes = {
    commands: entries.map(command),
    menus: {
      commandPalette: entries.flatMap(inPalette),
      'view/title': entries.flatMap(inMenu('view/title')),
      'view/item/context': [
        ...entries.flatMap(inMenu('view/item/context')),
        { submenu: forksMenu, when: anyWorkspace, group: '4a_fork@1' },
      ],
      [forksMenu]: entries.flatMap(inMenu(forksMenu)),
      'explorer/context': entries.flatMap(inMenu('explorer/context')),
    },
    submenus: [{ id: forksMenu, label: '%submenu.workspace.forks.label%' }],
    keybindings: entries.flatMap(keybindings),
    configuration,
    viewsContainers,
    views,
    viewsWelcome,
    walkthroughs,
    terminal,
    resourceLabelFormatters,
  };
  return { activationEvents: [`onFileSystem:${fileScheme}`], contributes };
}
