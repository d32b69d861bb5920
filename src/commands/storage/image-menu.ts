/** What can be done with an image, as a list to choose from. */
import * as vscode from 'vscode';
import type { Image, RuntimeKind } from '../../api';
import { runtimeKinds } from '../../api/rules/runtimes';
import { isName } from '../../api/rules/names';
import { formatBytes } from '../../ui/sizes';
import { choice } from '../../ui/settings';
import { confirm, reportDone } from '../input';
import type { Services } from '../command';
import { createByWizard } from '../workspace/create/create';
import { imageTitle } from './facts';
import { pickOne } from '../../ui/pick';

const { t } = vscode.l10n;

export type ImageServices = Pick<Services, 'link' | 'runner' | 'store' | 'views'>;

interface Entry extends vscode.QuickPickItem {
  run: () => PromiseLike<unknown>;
}

/** Shows what can be done, and does it. Throws `Cancelled` when a removal is not confirmed. */
export async function showImageMenu(services: ImageServices, image: Image): Promise<void> {
  const chosen = await pickOne(entriesOf(services, image), {
    title: imageTitle(image),
    placeHolder: t('{0}. What should be done with it?', formatBytes(image.sizeBytes)),
  });
  await chosen?.run();
}

function entriesOf(services: ImageServices, image: Image): Entry[] {
  const [tag] = image.tags;
  const name = tag ?? image.id;
  const entry = (icon: string, label: string, run: Entry['run']): Entry => ({
    label,
    iconPath: new vscode.ThemeIcon(icon),
    run,
  });
  return [
    ...(tag === undefined
      ? []
      : [entry('add', t('Create Workspace from It…'), () => createFromImage(services, tag))]),
    // The trash may be among them.
    ...image.usedBy
      .filter(isName)
      .map((workspace) =>
        entry('vm', t('Show Workspace {0}', workspace), () => services.views.revealWorkspace(workspace)),
      ),
    ...(tag === undefined
      ? []
      : [
          entry('cloud-download', t('Pull It Again'), () =>
            vscode.commands.executeCommand('berth.image.pull', tag),
          ),
        ]),
    entry('copy', t('Copy Name'), () => vscode.env.clipboard.writeText(name)),
    ...(image.usedBy.length > 0
      ? []
      : [entry('trash', t('Remove Image…'), () => removeImage(services, name, image.sizeBytes))]),
  ];
}

function createFromImage(services: ImageServices, image: string): Promise<void> {
  const runtime = choice<RuntimeKind>('defaultRuntime', runtimeKinds);
  return createByWizard(services, { name: '', runtime, image, cloneUrl: '', limits: {}, docker: false });
}

async function removeImage({ runner }: ImageServices, image: string, sizeBytes: number): Promise<void> {
  await confirm({
    message: t('Remove the image {0}?', image),
    detail: t(
      'It frees up to {0}. No workspace uses it. To have it again, it must be pulled or built.',
      formatBytes(sizeBytes),
    ),
    act: t('Remove'),
    harmless: { title: t('Keep It') },
  });
  const outcome = await runner.run(t('Removing {0}', image), ({ client, signal }) =>
    client.call('images.remove', { body: { image }, signal }),
  );
  if (outcome.kind === 'done') {
    await reportDone(t('Removed {0}.', image));
  }
}
