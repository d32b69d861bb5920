import * as vscode from 'vscode';
import type { VolumeCreate, VolumeKind } from '../../api';
import type { Handler, Services } from '../command';
import { ask } from '../input';
import { Cancelled } from '../../ui/runner';
import { isName } from '../../api/rules/names';
import { parseDiskSize } from '../../api/rules/sizes';
import { typedNumber } from '../../ui/sizes';
import { pickOne } from '../../ui/pick';

const { t } = vscode.l10n;
const defaultSize = '1 GiB';

/** Creates a named volume, to be shared between workspaces or filled beforehand. */
export const createVolume =
  ({ link, runner, store, views }: Pick<Services, 'link' | 'runner' | 'store' | 'views'>): Handler =>
  async (target) => {
    const { drivers } = await (await link.client()).call('engine.info', {});
    const problem = (name: string): string | undefined => {
      if (!isName(name)) {
        return t('Lowercase letters, digits and hyphens, 1 to 63 characters, no hyphen at the ends.');
      }
      return store.volume(name) === undefined ? undefined : t('There is a volume “{0}” already.', name);
    };
    const name =
      typeof target === 'string'
        ? target
        : await ask({ title: t('Create Volume'), prompt: t('Name of the volume'), validate: problem });
    const usable = drivers.flatMap(({ available, features }) =>
      available ? (features?.volumeKinds ?? []) : [],
    );
    // Who gives the name is a program, and wants no questions.
    const body: VolumeCreate = { name, ...(typeof target !== 'string' && (await askKind(usable))) };
    const outcome = await runner.run(t('Creating volume {0}', name), async ({ client, signal }) => {
      const payload = await client.call('volumes.create', { body, signal });
      store.take({ type: 'volume.changed', payload });
    });
    if (outcome.kind === 'done') {
      await views.revealVolume(name, { focus: false });
    }
  };

/** Where there is a choice at all. */
async function askKind(kinds: readonly VolumeKind[]): Promise<Pick<VolumeCreate, 'kind' | 'sizeMiB'>> {
  if (kinds.length < 2) {
    return {};
  }
  const items = kinds.map((kind) => ({ ...kindWords[kind](), value: kind }));
  const chosen = await pickOne(items, {
    title: t('Create Volume'),
    placeHolder: t('Type of volume'),
    ignoreFocusOut: true,
  });
  if (chosen === undefined) {
    throw new Cancelled();
  }
  return { kind: chosen.value, ...(chosen.value === 'disk' && { sizeMiB: await askSize() }) };
}

const kindWords: Record<VolumeKind, () => vscode.QuickPickItem> = {
  docker: () => ({
    label: t('Docker volume'),
    detail: t('For containers; several can use it at once. It grows with its files.'),
    iconPath: new vscode.ThemeIcon('package'),
  }),
  disk: () => ({
    label: t('Disk'),
    detail: t('For microVMs; one at a time. It has a fixed size, which you can increase.'),
    iconPath: new vscode.ThemeIcon('vm'),
  }),
  directory: () => ({
    label: t('Shared folder'),
    detail: t('For several microVMs at once, where virtiofsd is installed.'),
    iconPath: new vscode.ThemeIcon('folder'),
  }),
};

async function askSize(): Promise<number> {
  const size = await ask({
    title: t('Create Volume'),
    prompt: t('Size of the disk, e.g. 20 GiB. Unused space takes no room.'),
    value: defaultSize,
    validate: (text) =>
      parseDiskSize(typedNumber(text)) === undefined ? t('A size, e.g. 512 MiB or 20 GiB.') : undefined,
  });
  return parseDiskSize(typedNumber(size)) ?? 0;
}
