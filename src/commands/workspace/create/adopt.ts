import * as vscode from 'vscode';
import { asBerthError, type Adoptable, type Operation } from '../../../api';
import type { EngineClient } from '../../../client/engine-client';
import { isRow } from '../../../providers/trees/rows';
import type { Handler, Services } from '../../command';
import type { CommandId } from '../../../ui/contributions/commands';
import { confirm, confirmAdoption } from '../../input';
import { Cancelled } from '../../../ui/runner';
import { showInformationMessage } from '../../../ui/messages';
import { pickOne } from '../../../ui/pick';

const { t } = vscode.l10n;

/** Makes a workspace of a volume that another tool made, after saying what happens to its container. */
export const adoptVolume =
  ({ link, runner, views }: Pick<Services, 'link' | 'runner' | 'views'>): Handler =>
  async (target) => {
    const client = await link.client();
    const all = await client.call('adoptable.list', {});
    const clicked = isRow(target) && target.type === 'volume' ? target.name : undefined;
    const found = all.filter(({ volume }) => clicked === undefined || volume === clicked);
    if (found.length === 0) {
      await reportNone(clicked, target);
      return;
    }
    const chosen =
      (found.length === 1 && clicked !== undefined ? found[0] : undefined) ?? (await pick(found));
    await confirmAdoption(t('Use volume {0} as workspace {1}?', chosen.volume, chosen.name), {
      detail: consequences(chosen),
      act: t('Use Volume'),
      owner: chosen.owner,
    });
    const begun = await begin(client, chosen);
    await runner.run(t('Making workspace {0} of its volume', chosen.name), async (task) => {
      void views.revealWorkspace(chosen.name);
      await task.follow(begun);
    });
  };

/** A volume that no workspace was on can be taken over as it is. */
async function reportNone(clicked: string | undefined, target: unknown): Promise<void> {
  if (clicked === undefined) {
    void showInformationMessage(t('No volume of another tool can be used as a workspace.'));
    return;
  }
  const adopt = t('Adopt Volume…');
  const text = t(
    '{0} can’t become a workspace: its name is not that of a home volume. You can adopt it, and mount it in workspaces.',
    clicked,
  );
  if ((await showInformationMessage(text, adopt)) === adopt) {
    const command: CommandId = 'berth.volume.adopt';
    await vscode.commands.executeCommand(command, target);
  }
}

/** Asks once more when a container is replaced: the engine says what goes with it. Throws `Cancelled`. */
async function begin(client: EngineClient, { name, volume, owner }: Adoptable): Promise<Operation> {
  const body = { volume, ...(owner !== undefined && { takeOver: true }) };
  const adopting = (replaceContainer: boolean): Promise<Operation> =>
    client.call('adoptable.adopt', {
      params: { name },
      query: { wait: 0 },
      body: { ...body, replaceContainer },
    });
  try {
    return await adopting(false);
  } catch (error) {
    const { code, message } = asBerthError(error);
    if (code !== 'needs_confirmation') {
      throw error;
    }
    await confirm({
      message: t('Replace the container of {0}?', volume),
      detail: message,
      act: t('Replace'),
      harmless: { title: t('Keep') },
    });
    return adopting(true);
  }
}

async function pick(found: readonly Adoptable[]): Promise<Adoptable> {
  // Those of other installations last: what is taken from them, they lose.
  const sorted = [...found].sort((a, b) => Number(a.owner !== undefined) - Number(b.owner !== undefined));
  const items = sorted.map((each) => ({
    label: each.name,
    description: each.volume,
    detail: whose(each),
    each,
  }));
  const chosen = await pickOne(items, {
    placeHolder: t('Volume that becomes the home of a workspace'),
    matchOnDescription: true,
  });
  if (chosen === undefined) {
    throw new Cancelled();
  }
  return chosen.each;
}

function whose({ container, containerState, owner }: Adoptable): string {
  return [
    owner === undefined
      ? t('of another tool')
      : t('of another installation of Berth ({0})', owner.home ?? owner.installation),
    ...(container === undefined ? [] : [t('used by container {0} ({1})', container, containerState ?? '?')]),
  ].join(' · ');
}

function consequences({ container, owner }: Adoptable): string {
  return [
    t('The volume keeps its name and all its files.'),
    ...(container === undefined
      ? []
      : [t('Berth replaces its container {0}. First it shows what will be removed, and asks.', container)]),
    ...(owner === undefined
      ? []
      : [
          t(
            'It belongs to another installation of Berth ({0}), which will lose its workspace.',
            owner.home ?? owner.installation,
          ),
        ]),
  ].join('\n');
}
