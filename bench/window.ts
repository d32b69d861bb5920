/** A real VS Code that shows 200 workspaces and 100 volumes: the longest task of its renderer while one scrolls and while rows change. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../src/client/launch';
import { berthVersion } from '../src/api/version';
import { berthVsix } from '../test/runner/package-extension';
import { eventually } from '../test/ui/support/eventually';
import { launch, type Session } from '../test/ui/support/launch';
import type { Tree } from '../test/ui/support/tree';
import { enginePath, isQuick, main, median, withHome, type Row } from './lib';
import { recordNames, seedWorkspaces } from './support/records';
import { longestTask } from './support/renderer';
import { createVolumes, removeVolumes } from './support/volumes';

const workspaceCount = 200;
const volumeCount = 100;
const changedCount = 50;
const rounds = isQuick ? 2 : 7;
const budget = { atMost: 100, of: 'value' } as const;
/** One turn of the wheel, and how many reach the end of the longest list. */
const wheel = { pixels: 240, turns: 20, pauseMs: 16 };
const settleMs = 1_500;

/** The rows of a tree, down to the end and up again. */
async function scroll({ workbench: { page } }: Session, tree: Tree): Promise<void> {
  await tree.rows.first().hover();
  for (const direction of [1, -1]) {
    for (let turn = 0; turn < wheel.turns; turn += 1) {
      await page.mouse.wheel(0, direction * wheel.pixels);
      await page.waitForTimeout(wheel.pauseMs);
    }
  }
  await page.waitForTimeout(settleMs);
}

async function medianOf(session: Session, work: (round: number) => Promise<void>): Promise<number> {
  const { browser, workbench } = session;
  const times: number[] = [];
  // The first round draws what later ones draw again, as the first one of a person does: it counts like the others.
  for (let round = 0; round < rounds; round += 1) {
    times.push(await longestTask(browser, workbench.page, () => work(round)));
  }
  return median(times);
}

/** Gives workspaces other labels, all at once, and waits until the first one shows its new label. */
async function changeRows(session: Session, home: string): Promise<number> {
  const client = await connect({ enginePath, version: berthVersion, home });
  const names = recordNames(workspaceCount).slice(0, changedCount);
  try {
    return await medianOf(session, async (round) => {
      const label = (name: string) => `${name} in round ${round}`;
      await Promise.all(
        names.map((name) =>
          client.call('workspaces.update', { params: { name }, body: { label: label(name) } }),
        ),
      );
      await session.workbench
        .tree('Workspaces')
        .row(label(names[0] ?? ''))
        .waitFor();
      await session.workbench.page.waitForTimeout(settleMs);
    });
  } finally {
    client.dispose();
  }
}

function fillFolder(folder: string): void {
  mkdirSync(folder);
  for (let index = 0; index < workspaceCount; index += 1) {
    writeFileSync(join(folder, `file-${index}.txt`), '');
  }
}

async function measureWindow(session: Session, home: string): Promise<Row[]> {
  const { workbench } = session;
  await workbench.openSideBar('Berth');
  const [workspaces, volumes] = [workbench.tree('Workspaces'), workbench.tree('Volumes')];
  await workspaces.row('bench-0').waitFor('visible', 90_000);
  await eventually('the volumes', () => volumes.rows.nth(5).waitFor());
  const scrolled = await medianOf(session, () => scroll(session, workspaces));
  const volumesScrolled = await medianOf(session, () => scroll(session, volumes));
  const changed = await changeRows(session, home);
  // Last, when nothing of the start of the window is left to do.
  await workbench.openSideBar('Explorer');
  await workbench.explorer().row('file-0.txt').waitFor();
  const plain = await medianOf(session, () => scroll(session, workbench.explorer()));
  const baseline = { what: `the Explorer, ${workspaceCount} files, scrolled`, value: plain };
  const row = (what: string, value: number): Row => ({ what, value, unit: 'ms', baseline, budget });
  return [
    row(`${workspaceCount} workspaces, scrolled`, scrolled),
    row(`${volumeCount} volumes and more, scrolled`, volumesScrolled),
    row(`${changedCount} of ${workspaceCount} workspaces change at once`, changed),
  ];
}

async function measure(): Promise<Row[]> {
  return withHome(async (folder) => {
    const home = join(folder, '.berth');
    const opened = join(folder, 'opened');
    mkdirSync(home, { mode: 0o700 });
    seedWorkspaces(home, workspaceCount);
    fillFolder(opened);
    const volumes = await createVolumes(volumeCount);
    try {
      const session = await launch({
        vsix: await berthVsix(),
        folder: opened,
        env: { HOME: folder, BERTH_HOME: home },
      });
      try {
        return await measureWindow(session, home);
      } finally {
        await session.stop();
      }
    } finally {
      await removeVolumes(volumes);
    }
  });
}

main('Window: longest task of the renderer', measure);
