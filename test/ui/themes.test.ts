import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { berth } from './cleanup';
import { eventually } from './support/eventually';
import { useSession } from './use-session';
import { changeMachineSettings } from './support/settings';

const slow = 90_000;

const themes = {
  'Default Dark Modern': 'vs-dark',
  'Default Light Modern': 'vs',
  'Default High Contrast': 'hc-black',
  'Default High Contrast Light': 'hc-light',
};

/**
 * Each text of a page with its contrast to what is behind it, as WCAG 2.2 counts it ("contrast ratio"): from 1 to 21.
 * A description is drawn with an opacity of its own.
 */
const contrasts = (choose: string): string => `(() => {
  const colorOf = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { rgb: text.startsWith('color(') ? [r, g, b].map((c) => c * 255) : [r, g, b], a };
  };
  const over = (top, opacity, below) => top.map((each, index) => each * opacity + below[index] * (1 - opacity));
  // A webview lets the editor shine through.
  const editor = () => {
    const hex = getComputedStyle(document.documentElement).getPropertyValue('--vscode-editor-background').trim();
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  };
  const behind = (element) => {
    if (element === null) return editor();
    const { rgb, a } = colorOf(getComputedStyle(element).backgroundColor);
    if (a === 1) return rgb;
    return over(rgb, a, behind(element.parentElement));
  };
  const opacityOf = (element) =>
    element === null ? 1 : Number(getComputedStyle(element).opacity) * opacityOf(element.parentElement);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((each) => each / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return (${choose}).map((element) => {
    const back = behind(element);
    const { rgb, a } = colorOf(getComputedStyle(element).color);
    const [dark, light] = [over(rgb, a * opacityOf(element), back), back].map(luminance).sort((x, y) => x - y);
    return { text: element.textContent, contrast: (light + 0.05) / (dark + 0.05) };
  });
})()`;

const rowTexts = contrasts(
  `[...document.querySelectorAll('.sidebar .monaco-list-row :is(.label-name, .label-description)')]`,
);

/** What can be seen and has a text of its own; what is switched off needs no contrast. */
const pageTexts = contrasts(`[...document.querySelectorAll('main *')].filter((element) =>
  element.checkVisibility() && !element.closest('svg, :disabled, [aria-disabled=true], [aria-hidden=true]') &&
  [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== ''))`);

interface Contrast {
  text: string;
  contrast: number;
}

const dotsPixels = 12;

/** How many pixels of a text in the description of a row are cut off at its right; infinitely many when it is not there. */
const cutOff = (label: string, text: string): string => `(() => {
  const named = (row) => row.querySelector('.label-name')?.textContent === ${JSON.stringify(label)};
  const row = [...document.querySelectorAll('.sidebar .monaco-list-row')].find(named);
  const walker = document.createTreeWalker(row.querySelector('.label-description'), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const at = node.textContent.indexOf(${JSON.stringify(text)});
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + ${text.length});
    const cutting = (element) => getComputedStyle(element).overflowX === 'hidden' ? element : cutting(element.parentElement);
    const edge = cutting(node.parentElement);
    // Three dots take the place of what is left of the edge.
    const dots = edge.scrollWidth > edge.clientWidth ? ${dotsPixels} : 0;
    return range.getBoundingClientRect().right - (edge.getBoundingClientRect().right - dots);
  }
  return Infinity;
})()`;

describe('rows in every theme and in a narrow side bar', function () {
  this.timeout(240_000);
  const tag = randomBytes(2).toString('hex');
  const runs = `up-${tag}`;
  const stopped = `off-${tag}`;

  const ui = useSession({ workspaces: [runs, stopped], prepare: () => ({}) });

  before(async () => {
    await berth(ui.session, 'create', runs, '--tag', 'work', '--publish', '8000');
    await berth(ui.session, 'create', stopped, '--no-start');
    await row(stopped).waitForDescription(/stopped/, slow);
    await row(runs).waitForDescription(/^:2\d{3}/, slow);
    await berth(ui.session, 'snapshot', 'create', `workspace-${runs}`, '--name', 'before-upgrade');
    // Its ports, its files and its home.
    await row(runs).expand();
    await row('Port 8000').waitFor('visible', slow);
    // The row of the workspace would show its buttons as long as it is the chosen one.
    await row('Home').click();
  });

  const row = (label: string) => ui.workbench.tree('Workspaces').row(label);

  async function show(theme: string): Promise<void> {
    await changeMachineSettings(ui.session, { 'workbench.colorTheme': theme });
    await ui.workbench.page
      .locator(`.monaco-workbench.${themes[theme as keyof typeof themes]}`)
      .waitFor({ timeout: slow });
  }

  for (const [theme, kind] of Object.entries(themes)) {
    it(`can be read in ${theme}`, async () => {
      await show(theme);
      const { page } = ui.workbench;
      await page.mouse.move(900, 560);
      await eventually('enough contrast', async () => {
        const texts = await page.evaluate<Contrast[]>(rowTexts);
        assert.ok(texts.length >= 12, 'the rows show');
        assert.deepEqual(
          texts.filter(({ contrast }) => contrast < 4.5),
          [],
        );
      });
      await ui.workbench.screenshot(`themes-${kind}`);
    });
  }

  it('say state and port in a side bar of 200 pixels, in every theme', async () => {
    await ui.workbench.resizeSideBar(200);
    for (const [theme, kind] of Object.entries(themes)) {
      await show(theme);
      for (const [label, pattern] of [
        [runs, /:2\d{3}/],
        [stopped, /stopped/],
      ] as const) {
        const said = pattern.exec(await row(label).description())?.[0] ?? '';
        const cut = await ui.workbench.page.evaluate<number>(cutOff(label, said));
        assert.ok(cut <= 0, `${said} of ${label} is cut off by ${cut} pixels in ${theme}`);
      }
      await ui.workbench.screenshot(`themes-narrow-${kind}`);
    }
  });

  const page = () => ui.workbench.page.frameLocator('iframe.webview').frameLocator('#active-frame');
  const pages = {
    panel: {
      open: () => row(runs).contextMenu('Show Workspace Panel'),
      part: () => page().locator('#log pre'),
    },
    storage: {
      open: () => ui.workbench.run('Berth: Show Storage'),
      part: () => page().getByRole('button', { name: /^workspace:latest, / }),
    },
    doctor: {
      open: () => ui.workbench.run('Berth: Check This Machine (Doctor)'),
      part: () => page().locator('main li').first(),
    },
  };

  for (const [name, { open, part }] of Object.entries(pages)) {
    it(`leave the ${name} page room, which can be read in every theme, wide and narrow`, async () => {
      const { workbench } = ui;
      await open();
      await part().waitFor({ timeout: slow });
      const shown = await part().elementHandle();
      const frame = (await shown.ownerFrame()) ?? assert.fail('the page is gone');
      for (const [theme, kind] of Object.entries(themes)) {
        await show(theme);
        for (const pixels of [200, 850]) {
          await workbench.resizeSideBar(pixels);
          await eventually(`the ${name} page beside ${pixels} pixels to fit and to be read`, async () => {
            const beyond = await frame.evaluate<number>(
              'document.documentElement.scrollWidth - document.documentElement.clientWidth',
            );
            assert.ok(beyond <= 0, `${beyond} pixels are out of sight`);
            const texts = await frame.evaluate<Contrast[]>(pageTexts);
            assert.ok(texts.length >= 4, 'the page shows');
            assert.deepEqual(
              texts.filter(({ contrast }) => contrast < 4.5),
              [],
            );
          });
          await workbench.screenshot(`themes-${name}-${pixels}-${kind}`);
        }
      }
      await workbench.resizeSideBar(300);
      await workbench.editor.closeAll();
    });
  }
});
