/** Takes the pictures of the README: three workspaces in a real VS Code, dark and light, with nothing of tests in sight. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { berthVsix } from '../../runner/package-extension';
import { ROOT } from '../../runner/setup';
import { berth } from '../cleanup';
import { launch, type Session } from '../support/launch';
import { openedFile, writePhotos, writeProject } from './project';

const folder = join(ROOT, 'media', 'screenshots');
const slow = 180_000;
const dropMiB = 4096;
/** So long is the panel in sight before its picture is taken. */
const measuredMs = 100_000;
/** Where the project lies in its workspace. */
const place = 'storefront:/home/workspace/shop';

const settings = {
  'window.title': 'Berth',
  'workbench.preferredDarkColorTheme': 'Default Dark Modern',
  'workbench.preferredLightColorTheme': 'Default Light Modern',
  'workbench.layoutControl.enabled': false,
  'window.menuBarVisibility': 'hidden',
  'editor.minimap.enabled': false,
  'editor.fontSize': 13,
  'berth.volumes.showForeign': false,
};

interface Made {
  name: string;
  options: readonly string[];
}

const workspaces: readonly Made[] = [
  {
    name: 'storefront',
    options: ['--publish', '8080', '--tag', 'shop', '--cpus', '2', '--memory', '2g'],
  },
  { name: 'kernel-lab', options: ['--runtime', 'microvm', '--memory', '512m'] },
  { name: 'payments-api', options: ['--tag', 'shop'] },
];

/** With the pointer out of the way. */
async function picture(session: Session, name: string): Promise<void> {
  await session.workbench.page.mouse.move(900, 560);
  await session.workbench.page.waitForTimeout(800);
  await shoot(session, name);
}

async function shoot({ workbench }: Session, name: string): Promise<void> {
  await workbench.page.screenshot({ path: join(folder, `${name}.png`) });
  console.log(`media/screenshots/${name}.png`);
}

/** Work that comes and goes, so that there is something to measure. */
const work =
  '(while :; do timeout 4 gzip -c /dev/urandom >/dev/null; (head -c 500m /dev/zero; sleep 6) | tail -c 1g >/dev/null; sleep 4; done) >/dev/null 2>&1 &';

/** From dark to light, or back. */
async function toggleTheme({ workbench }: Session): Promise<void> {
  await workbench.run('Preferences: Toggle between Light/Dark Themes');
  await workbench.page.waitForTimeout(1_000);
}

async function stage(session: Session, project: string): Promise<void> {
  for (const { name, options } of workspaces) {
    await berth(session, 'create', name, ...options);
  }
  await berth(session, 'cp', project, place);
  await berth(session, 'stop', 'payments-api');
  await berth(session, 'exec', 'storefront', '--', 'sh', '-c', work);
}

async function clear(session: Session): Promise<void> {
  for (const { name } of workspaces) {
    await berth(session, 'delete', name, '--yes').catch(() => undefined);
  }
}

async function takeWizard(session: Session): Promise<void> {
  const { workbench } = session;
  await workbench.run('Berth: Create Workspace…');
  await workbench.quickInput.waitForTitle('Create Workspace (1/');
  await workbench.quickInput.enter('mobile-app');
  await workbench.quickInput.waitForTitle('(2/');
  await picture(session, 'wizard');
  await workbench.page.keyboard.press('Escape');
}

async function takeOverview(session: Session, photos: string): Promise<void> {
  const { workbench } = session;
  const volumes = workbench.tree('Volumes');
  await workbench.tree('Workspaces').row('storefront').expand();
  await volumes.expand('storefront', 'shop', 'src');
  await volumes.row(openedFile).doubleClick();
  await workbench.editor.waitForTab(openedFile);
  await workbench.editor.area.locator('.view-line', { hasText: 'PORT = 8080' }).click();
  await workbench.notifications.toasts.first().waitFor({ state: 'hidden' });
  await picture(session, 'overview');
  await toggleTheme(session);
  await picture(session, 'overview-light');
  await toggleTheme(session);
  await volumes.row('shop').dropPaths(photos);
  await workbench.notifications.waitFor(/Uploading/);
  await workbench.page.waitForTimeout(1_500);
  await workbench
    .tree('Workspaces')
    .row('storefront')
    .showTooltip(workbench.page.getByText('Container name'));
  await shoot(session, 'transfer');
  await workbench.notifications.toasts.first().waitFor({ state: 'hidden', timeout: slow });
}

/** Once there are some minutes to look at. */
async function takePanel(session: Session): Promise<void> {
  const { workbench } = session;
  await workbench.editor.closeAll();
  const row = workbench.tree('Workspaces').row('storefront');
  await row.contextMenu('Show Workspace Panel');
  const page = workbench.page.frameLocator('iframe.webview').frameLocator('#active-frame');
  await page.locator('#log pre').waitFor({ timeout: slow });
  await workbench.page.waitForTimeout(measuredMs);
  await picture(session, 'panel');
  await toggleTheme(session);
  await picture(session, 'panel-light');
  await toggleTheme(session);
  await workbench.editor.closeAll();
}

async function takeStopped(session: Session): Promise<void> {
  const { workbench } = session;
  await workbench.tree('Volumes').row(openedFile).doubleClick();
  await workbench.editor.waitForTab(openedFile);
  await berth(session, 'stop', 'storefront');
  await workbench
    .tree('Workspaces')
    .row('storefront')
    .waitForDescription(/stopped/, slow);
  await toggleTheme(session);
  await picture(session, 'files');
}

async function main(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'berth-scene-'));
  const [project, photos, opened] = ['shop', 'photos', 'open'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  let session: Session | undefined;
  try {
    await writeProject(project);
    await writePhotos(photos, dropMiB);
    await mkdir(opened);
    await mkdir(folder, { recursive: true });
    session = await launch({ vsix: await berthVsix(), folder: opened, settings });
    await session.workbench.openSideBar('Berth');
    await session.workbench.page.getByText('A workspace is a named computer').waitFor({ timeout: slow });
    await session.workbench.resizeSideBar(370);
    try {
      await stage(session, project);
      await session.workbench.tree('Workspaces').row('kernel-lab').waitFor('visible', slow);
      await takeOverview(session, photos);
      await takeWizard(session);
      await takePanel(session);
      await takeStopped(session);
    } finally {
      await clear(session);
    }
  } finally {
    await session?.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
