import assert from 'node:assert/strict';
import { standIn } from '../../support/vscode/stand-in';
import type { Check, EngineInfo, Image } from '../../../src/api';
import { workspaceStates } from '../../../src/api/rules/lifecycle';
import { doctorHtml, type PageState } from '../../../src/commands/engine/doctor/page';
import { storageFacts } from '../../../src/commands/storage/facts';
import { storageHtml } from '../../../src/commands/storage/page';
import { createSteps } from '../../../src/commands/workspace/create/create-steps';
import { verbWords } from '../../../src/commands/workspace/lifecycle/verb-words';
import { panelFacts } from '../../../src/commands/workspace/panel/facts';
import { panelHtml } from '../../../src/commands/workspace/panel/page';
import { seriesOf } from '../../../src/commands/workspace/panel/series';
import { Cancelled } from '../../../src/ui/runner';
import { pseudo, untranslated } from '../../support/pseudo-locale';
import { useUnlinked } from '../../support/vscode/unlinked';
import { volume, workspace } from '../providers/fixtures';

const addresses = { styles: ['base.css'], scripts: ['page.js'], source: 'self', nonce: 'nonce' };

/** What is read on a page, and said of it. */
function textsOfHtml(html: string): string[] {
  const body = html.slice(html.indexOf('<title>'));
  const said = [...body.matchAll(/(?:aria-label|title|placeholder)="([^"]*)"/g)].map(([, text = '']) => text);
  return [...body.split(/<[^>]*>/), ...said].map((text) => text.trim()).filter((text) => text !== '');
}

/** All strings of what a page is sent, but ids. */
function stringsOf(value: unknown, key = ''): string[] {
  if (typeof value === 'string') return /^(?:id|command|name|path|source)$/.test(key) ? [] : [value];
  if (Array.isArray(value)) return value.flatMap((each) => stringsOf(each, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([inner, each]) => stringsOf(each, inner));
}

/** What is typed so in every language. */
const examples = new Set(['https://example.org/team/project.git', 'data:/mnt/data, models:/models:ro']);

/** They are read with their file, in the language of the window, which is English here. */
const verbTitles = new Set(Object.values(verbWords).map(({ button }) => button));

describe('pages and steps in another language, from right to left and twice as long', () => {
  const unlinked = useUnlinked();
  beforeEach(() => {
    standIn.reset();
    standIn.translated = pseudo;
  });
  afterEach(() => standIn.reset());
  const assertTranslated = (texts: readonly string[], atLeast: number): void => {
    assert.ok(texts.length >= atLeast, texts.join(' | '));
    assert.deepEqual(texts.filter(untranslated), []);
  };

  it('the pages themselves are translated', () => {
    assertTranslated(textsOfHtml(storageHtml(addresses)), 4);
    assertTranslated(textsOfHtml(panelHtml('demo', addresses)), 4);
  });

  it('what the doctor says beside what the engine found is translated', () => {
    const outcomes = ['ok', 'warning', 'failed', 'skipped'] as const;
    const checks = outcomes.map((outcome): Check & { remedies: [] } => ({
      ...{ name: outcome, title: pseudo('title'), outcome, message: pseudo('message'), remedies: [] },
    }));
    const info = {
      ...{ version: '1', pid: 1, nodeVersion: '20', home: '/home', rssBytes: 5e7, setAside: ['/home/x'] },
      portRange: { first: 2200, last: 2299 },
    } as unknown as EngineInfo;
    const states: PageState[] = [
      { kind: 'found', found: { checks, info } },
      { kind: 'checking', last: undefined },
      {
        kind: 'failed',
        error: { code: 'internal', message: pseudo('no') },
        remedies: [],
      } as unknown as PageState,
    ];
    for (const state of states) assertTranslated(textsOfHtml(doctorHtml(state, addresses)), 3);
  });

  it('what the page of storage is sent is translated', () => {
    const image: Image = {
      ...{ id: 'sha256:1', tags: ['debian:12'], sizeBytes: 1e9, createdAt: '2026-01-01T00:00:00Z' },
      usedBy: ['demo'],
    };
    const facts = storageFacts({
      workspaces: [workspace('demo', { state: 'archived' })],
      volumes: [
        volume('workspace-demo', { role: 'home', workspace: 'demo', usedBytes: 5000, usedIsAtLeast: true }),
        volume('data', { kind: 'disk', sizeMiB: 20 }),
        volume('pgdata', { role: 'foreign', managed: false }),
      ],
      images: { list: [image, { ...image, usedBy: [] }] },
      disk: { path: '/', freeBytes: 1e9, totalBytes: 1e11, others: ['demo'] },
      ...{ showsForeign: true, whole: new Set() },
    });
    assertTranslated(stringsOf(facts), 15);
  });

  for (const state of workspaceStates) {
    it(`what the panel of a workspace that is ${state} is sent is translated`, () => {
      const shown = workspace('demo', {
        state,
        protected: true,
        spec: { ...workspace('demo').spec, docker: true },
      });
      const strings = stringsOf(panelFacts(shown, (name) => volume(name, { usedBytes: 5000 })));
      assertTranslated(
        strings.filter((text) => !verbTitles.has(text)),
        5,
      );
    });
  }

  it('what is drawn of the last minutes is translated', () => {
    assertTranslated(stringsOf(seriesOf([], { cpus: 2, memoryMiB: 512 }, 0)), 3);
  });

  it('each step of the wizard is translated, for containers and microVMs', async () => {
    const { store } = unlinked();
    const driver = (runtime: string, available: boolean) => ({
      ...{ runtime, available, product: pseudo('product'), message: pseudo('why') },
      features: { networks: ['on', 'off', 'host-loopback'] },
    });
    const info = {
      defaultImage: 'workspace:latest',
      ...{ drivers: [driver('container', true), driver('microvm', false)], cpus: 2, memoryMiB: 2048 },
    } as unknown as EngineInfo;
    const steps = createSteps(store, { info, images: [] });
    for (const runtime of ['container', 'microvm'] as const) {
      for (const step of steps) {
        const place = { title: pseudo('Create'), step: 1, totalSteps: 2, canGoBack: true };
        const draft = { name: 'demo', runtime, image: '', cloneUrl: '', limits: {}, docker: false, more: {} };
        await assert.rejects(step.show(draft, place), Cancelled);
      }
    }
    assert.equal(standIn.inputs.length, 2 * steps.length);
    assertTranslated(
      standIn.inputs.flatMap(({ texts }) => texts).filter((text) => !examples.has(text)),
      60,
    );
  });
});
