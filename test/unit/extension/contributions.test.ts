import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceStates } from '../../../src/api/rules/lifecycle';
import { contextKeys, settingUses, terminalProfileId, viewIds } from '../../../src/ui/ids';
import { commandRows } from '../../../src/ui/contributions/commands';
import { generated } from '../../../src/ui/contributions/manifest';

const root = join(__dirname, '../../../..');

interface Menu {
  command?: string;
  submenu?: string;
  when?: string;
  group?: string;
  alt?: string;
}

interface Manifest {
  activationEvents: string[];
  icon: string;
  keywords: string[];
  capabilities: {
    untrustedWorkspaces: { supported: string; restrictedConfigurations: string[] };
    virtualWorkspaces: boolean;
  };
  contributes: {
    commands: { command: string; title: string; category: string; icon: string }[];
    menus: Record<string, Menu[]>;
    submenus: { id: string; label: string }[];
    keybindings: { command: string; key: string; mac: string; when: string }[];
    configuration: {
      properties: Record<
        string,
        {
          markdownDescription?: string;
          description?: string;
          scope: string;
          ignoreSync?: boolean;
          default: unknown;
        }
      >;
    };
    views: { berth: { id: string; icon: string }[] };
    viewsContainers: { activitybar: { icon: string }[] };
    viewsWelcome: { view: string; when: string; contents: string }[];
    walkthroughs: { steps: { media: { svg: string }; completionEvents: string[]; description: string }[] }[];
    terminal: { profiles: { id: string }[] };
  };
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const nls = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;
const { contributes } = manifest;
const text = (key: string): string => nls[key.replaceAll('%', '')] ?? '';
const sorted = (list: Iterable<string>): string[] => [...new Set(list)].sort();
const allMenus = Object.values(contributes.menus).flat();
/** Of rows: what is there at once, and what is below entries of it. */
const onRows = ['view/item/context', ...contributes.submenus.map(({ id }) => id)].flatMap(
  (menu) => contributes.menus[menu] ?? [],
);

describe('package.json and the code name the same things', () => {
  it('what is generated is up to date', () => {
    const { activationEvents } = manifest;
    const json = (value: object): string => JSON.stringify(value, null, 2);
    assert.equal(
      json({ activationEvents, contributes }),
      json(generated()),
      'src/contributions says something else than package.json. Run `npm run contributions`, and commit both.',
    );
  });

  it('settings', () => {
    const properties = Object.keys(contributes.configuration.properties);
    assert.deepEqual(sorted(properties), sorted(Object.keys(settingUses).map((id) => `berth.${id}`)));
  });

  it('commands and settings that the README names', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8').replace(/\s+/g, ' ').replaceAll('**', '');
    const named = [...readme.matchAll(/[*"]Berth: ([^*"]+)[*"]|\*([A-Z][^*:]*…)\*/g)];
    const titles = contributes.commands.map(({ title }) => text(title));
    const names = named.map(([, full, short]) => full ?? short ?? '');
    assert(names.length > 5);
    assert.deepEqual(
      names.filter((name) => !titles.includes(name)),
      [],
    );
    const settings = Object.keys(contributes.configuration.properties);
    const mentioned = [...readme.matchAll(/`(berth\.[\w.]+)`/g)].map(([, id]) => id ?? '');
    assert.deepEqual(
      mentioned.filter((id) => !settings.includes(id)),
      [],
    );
  });

  it('views, terminal profiles and the file scheme', () => {
    assert.deepEqual(sorted(contributes.views.berth.map(({ id }) => id)), sorted(Object.values(viewIds)));
    assert.deepEqual(
      contributes.terminal.profiles.map(({ id }) => id),
      [terminalProfileId],
    );
    assert.deepEqual(manifest.activationEvents, ['onFileSystem:berth']);
  });

  it('context keys', () => {
    const conditions = [
      ...allMenus.map(({ when }) => when ?? ''),
      ...contributes.keybindings.map(({ when }) => when),
      ...contributes.viewsWelcome.map(({ when }) => when),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.flatMap((step) => step.completionEvents)),
    ];
    const views = new Set<string>(Object.values(viewIds));
    const named = conditions
      .filter((condition) => !condition.startsWith('onCommand:') && !condition.startsWith('onView:'))
      .flatMap((condition) => condition.match(/\bberth\.[\w.]+/g) ?? [])
      .filter((word) => !views.has(word));
    assert.deepEqual(sorted(named), sorted(contextKeys));
  });

  it('commands of menus, keys, links and steps', () => {
    const known = new Set(Object.keys(commandRows));
    const views = new Set(Object.values(viewIds).map((id) => `${id}.focus`));
    const linked = Object.values(nls).flatMap((each) =>
      [...each.matchAll(/\(command:(berth\.[\w.]+)\)/g)].map((match) => match[1] ?? ''),
    );
    const events = contributes.walkthroughs
      .flatMap(({ steps }) => steps.flatMap((step) => step.completionEvents))
      .filter((event) => event.startsWith('onCommand:'))
      .map((event) => event.slice('onCommand:'.length));
    const used = [
      ...allMenus.flatMap(({ command, alt }) => [command, alt]).filter((id) => id !== undefined),
      ...contributes.keybindings.map(({ command }) => command),
      ...linked,
      ...events,
    ];
    assert.deepEqual(
      used.filter((command) => !known.has(command) && !views.has(command)),
      [],
    );
  });

  it('translations: every key is there, and none is left over', () => {
    const used = sorted(
      [...readFileSync(join(root, 'package.json'), 'utf8').matchAll(/"%([\w.]+)%"/g)].map(
        (match) => match[1] ?? '',
      ),
    );
    assert.deepEqual(used, sorted(Object.keys(nls)));
  });
});

describe('what is contributed keeps to the rules', () => {
  it('every command has a title, an icon and the category', () => {
    for (const { command, title, category, icon } of contributes.commands) {
      assert.notEqual(text(title), '', command);
      assert.equal(category, 'Berth');
      assert.match(icon, /^\$\([a-z-]+\)$/);
    }
  });

  it('every title says in the palette what it is about, and is that of one command', () => {
    const titles = contributes.commands.map(({ title }) => text(title));
    const noun =
      /\b(Workspaces?|Volumes?|Files?|Folder|Ports?|Path|Engine|Image|Item|Items|Log|Views|Operation|Machine|Config|Storage|Snapshot|Trash|Docker|QEMU|Berth|Changes|Source)\b/;
    assert.deepEqual(
      titles.filter((title) => !noun.test(title)),
      [],
    );
    assert.equal(new Set(titles).size, titles.length);
  });

  it('has a button in the row of what waits for a rebuild or a restart', () => {
    for (const verb of ['rebuild', 'restart']) {
      const inline = contributes.menus['view/item/context']?.filter(
        ({ group, when }) => group?.startsWith('inline') && when?.endsWith(`viewItem == problem+${verb}`),
      );
      assert.deepEqual(
        inline?.map(({ command }) => command),
        [`berth.workspace.${verb}`],
      );
    }
  });

  it('at most 20 settings, each described, and those that name programs or paths out of reach of a folder', () => {
    const properties = Object.entries(contributes.configuration.properties);
    assert.ok(properties.length <= 20);
    for (const [id, { markdownDescription, scope }] of properties) {
      assert.notEqual(text(markdownDescription ?? ''), '', id);
      assert.ok(['application', 'window'].includes(scope), id);
    }
    const { restrictedConfigurations, supported } = manifest.capabilities.untrustedWorkspaces;
    assert.equal(supported, 'limited');
    for (const id of restrictedConfigurations) {
      assert.notEqual(contributes.configuration.properties[id]?.scope, 'window', id);
    }
    for (const id of ['berth.stateDirectory', 'berth.dockerHost', 'berth.ssh.includeConfig']) {
      assert.ok(restrictedConfigurations.includes(id), id);
    }
  });

  it('settings that act come from the user alone, and those about this machine are not synced', () => {
    for (const [id, use] of Object.entries(settingUses)) {
      const property = contributes.configuration.properties[`berth.${id}`];
      // The settings of a machine are the remote's in a remote window: whoever works there would decide.
      assert.equal(property?.scope, use === 'show' ? 'window' : 'application', id);
      assert.equal(property.ignoreSync ?? false, use === 'machine', id);
    }
  });

  it('at most two inline actions show on any row: a focused one keeps its port and idle time', () => {
    const inline = (contributes.menus['view/item/context'] ?? []).filter(({ group }) =>
      group?.startsWith('inline'),
    );
    const rows: Record<string, string[]> = {
      'berth.workspaces': [
        ...workspaceStates.map((state) => `workspace+${state}+container+unprotected+unfavourite`),
        ...['port', 'published', 'mount', 'root+fixed+locked', 'problem+rebuild', 'operation+cancellable'],
        ...['root', 'mounted+volume', 'mounted+other', 'entry+file+file', 'entry+folder+directory'],
      ],
      'berth.volumes': [
        'volume+docker+home+adoptable+ours+deletable+unprotected',
        'volume+disk+named',
        'entry+file+file',
        'entry+folder+directory',
      ],
    };
    for (const [view, values] of Object.entries(rows)) {
      for (const value of values) {
        const shown = inline.filter(({ when }) => isShown(when ?? '', view, value));
        assert.ok(shown.length <= 2, `${value}: ${shown.map(({ command }) => command).join(', ')}`);
      }
    }
  });

  it('keys copy, cut and paste files in both views, and Enter renames them on a Mac alone', () => {
    const keysOf = (id: string): string[] =>
      contributes.keybindings
        .filter(({ command }) => command === id)
        .map(({ key, mac, when }) => `${key} ${mac} ${when.replace(' && listFocus && !inputFocus', '')}`);
    for (const [id, key] of [
      ['berth.file.copy', 'ctrl+c cmd+c'],
      ['berth.file.cut', 'ctrl+x cmd+x'],
      ['berth.file.paste', 'ctrl+v cmd+v'],
      ['berth.view.rename', 'f2 f2'],
    ] as const) {
      assert.deepEqual(keysOf(id), [
        `${key} focusedView == berth.workspaces`,
        `${key} focusedView == berth.volumes`,
      ]);
    }
    assert.deepEqual(keysOf('berth.view.renameOrActivate'), [
      'enter enter focusedView == berth.workspaces && isMac',
      'enter enter focusedView == berth.volumes && isMac',
    ]);
  });

  it('search keys and menus of folders are ours in windows of volumes, where those of VS Code find nothing, and nowhere else', () => {
    const inExplorer = contributes.menus['explorer/context'] ?? [];
    for (const [id, key, mac] of [
      ['berth.volume.goToFile', 'ctrl+p', 'cmd+p'],
      ['berth.volume.findText', 'ctrl+shift+f', 'cmd+shift+f'],
    ] as const) {
      const when = 'virtualWorkspace == berth && !inQuickOpen';
      const keys = contributes.keybindings.filter(({ command }) => command === id);
      assert.deepEqual(keys, [{ command: id, key, mac, when }]);
      assert.deepEqual(
        inExplorer.filter(({ command }) => command === id).map((entry) => entry.when),
        ['resourceScheme == berth && explorerResourceIsFolder'],
      );
    }
  });

  it('every row of a workspace that leads somewhere has a menu', () => {
    for (const value of ['port', 'published', 'mount', 'root', 'mounted+volume']) {
      const shown = (contributes.menus['view/item/context'] ?? []).filter(
        ({ when, group }) => !group?.startsWith('inline') && isShown(when ?? '', 'berth.workspaces', value),
      );
      assert.ok(shown.length >= 2, `${value}: ${shown.map(({ command }) => command).join(', ')}`);
    }
  });

  it('the start and stop actions follow the state', () => {
    const commandsOf = (state: string, marks = '+unprotected+unfavourite'): string[] =>
      onRows
        .filter(({ when }) => isShown(when ?? '', 'berth.workspaces', `workspace+${state}+container${marks}`))
        .flatMap(({ command }) => command ?? []);
    assert.ok(commandsOf('stopped').includes('berth.workspace.start'));
    assert.ok(!commandsOf('stopped').includes('berth.workspace.stop'));
    assert.ok(commandsOf('running').includes('berth.workspace.stop'));
    assert.ok(!commandsOf('running').includes('berth.workspace.start'));
    assert.ok(commandsOf('archived').includes('berth.workspace.restore'));
    assert.ok(commandsOf('error').includes('berth.workspace.recover'));
    assert.ok(commandsOf('starting').includes('berth.workspace.delete'));
    const guarded = commandsOf('stopped', '+protected+unfavourite');
    for (const verb of ['delete', 'rebuild', 'archive', 'protect']) {
      assert.ok(commandsOf('stopped').includes(`berth.workspace.${verb}`), verb);
      assert.ok(!guarded.includes(`berth.workspace.${verb}`), verb);
    }
    assert.ok(guarded.includes('berth.workspace.unprotect'));
    const keep = 'berth.workspace.keep';
    assert.ok(commandsOf('running', '+unprotected+favourite+fork').includes(keep));
    assert.ok(
      !commandsOf('running').includes(keep) && !commandsOf('error', '+protected+fork').includes(keep),
    );
    assert.ok(commandsOf('running').includes('berth.workspace.fork'));
  });

  it('the menu of no row is higher than a window of 800 pixels, and no entry leads to an empty one', () => {
    const marks = ['+unprotected+unfavourite', '+protected+favourite', '+unprotected+unfavourite+fork'];
    for (const state of workspaceStates) {
      for (const value of marks.map((each) => `workspace+${state}+container${each}`)) {
        const shown = (menu: string) =>
          (contributes.menus[menu] ?? []).filter(
            ({ when, group }) =>
              !group?.startsWith('inline') && isShown(when ?? '', 'berth.workspaces', value),
          );
        const entries = shown('view/item/context');
        const groups = new Set(entries.map(({ group }) => group?.split('@')[0]));
        // As VS Code draws them: a line of 9 pixels between groups, and 4 around all.
        const pixels = entries.length * 26 + (groups.size - 1) * 9 + 8;
        assert.ok(pixels <= 650, `${value}: ${entries.length} entries, ${pixels} pixels`);
        for (const { submenu } of entries) {
          assert.ok(submenu === undefined || shown(submenu).length >= 2, value);
        }
      }
    }
    for (const { id, label } of contributes.submenus) {
      assert.notEqual(text(label), '', id);
      assert.ok((contributes.menus[id] ?? []).length > 0, id);
    }
  });

  it('archive has a group of its own, apart from pause and what else only changes the state', () => {
    const groupOf = (command: string) =>
      (contributes.menus['view/item/context'] ?? [])
        .find((entry) => entry.command === command && !entry.group?.startsWith('inline'))
        ?.group?.replace(/@.*/, '');
    const archive = groupOf('berth.workspace.archive');
    assert.equal(archive, groupOf('berth.workspace.restore'));
    for (const verb of ['start', 'stop', 'restart', 'pause', 'resume', 'delete']) {
      assert.notEqual(groupOf(`berth.workspace.${verb}`), archive, verb);
    }
  });

  it('what is mounted in a workspace is filled, and neither renamed nor deleted', () => {
    const commandsOf = (value: string): string[] =>
      onRows
        .filter(({ when }) => isShown(when ?? '', 'berth.workspaces', value))
        .flatMap(({ command }) => command ?? []);
    for (const value of ['root', 'mounted+volume']) {
      assert.ok(commandsOf(value).includes('berth.file.uploadFiles'), value);
      assert.ok(!commandsOf(value).includes('berth.file.delete'), value);
      assert.ok(!commandsOf(value).includes('berth.file.rename'), value);
    }
    assert.deepEqual(commandsOf('mounted+other'), []);
    assert.ok(commandsOf('entry+file+file').includes('berth.file.delete'));
  });

  it('pictures are where they are said to be', () => {
    const { walkthroughs, viewsContainers, views } = contributes;
    const steps = walkthroughs.flatMap((each) => each.steps);
    const pictures = [
      manifest.icon,
      ...viewsContainers.activitybar.map(({ icon }) => icon),
      ...views.berth.map(({ icon }) => icon),
      ...steps.map(({ media }) => media.svg),
    ];
    assert.ok(steps.length <= 6);
    assert.deepEqual(
      pictures.filter((path) => !existsSync(join(root, path))),
      [],
    );
  });

  it('a welcome text for every state of the engine', () => {
    for (const state of ['idle', 'starting', 'stopped', 'failed', 'ready']) {
      const found = contributes.viewsWelcome.filter(
        ({ view, when }) => view === viewIds.workspaces && when.includes(`berth.engineState == ${state}`),
      );
      assert.ok(found.length > 0, state);
    }
  });

  it('few keywords', () => {
    assert.ok(manifest.keywords.length <= 30);
  });
});

/** Evaluates the few forms of conditions that our item menus use. */
function isShown(when: string, view: string, viewItem: string): boolean {
  return when.split(' && ').every((part) => {
    const { name, regex } = /^(?<name>view|viewItem) =~ \/(?<regex>.*)\/$/.exec(part)?.groups ?? {};
    if (regex !== undefined) {
      return new RegExp(regex).test(name === 'view' ? view : viewItem);
    }
    const [key, value] = part.split(' == ');
    return key === 'view' ? value === view : key === 'viewItem' ? value === viewItem : true;
  });
}
