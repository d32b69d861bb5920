/** The pictures of the walkthrough show what there is. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useUnlinked } from '../../support/vscode/unlinked';
import { createSteps, type CreateChoices } from '../../../src/commands/workspace/create/create-steps';
import type { WorkspaceDraft } from '../../../src/commands/workspace/create/draft';

const folder = join(__dirname, '../../../../media/walkthrough');
const textsOf = (file: string): string[] =>
  [...readFileSync(join(folder, file), 'utf8').matchAll(/<text[^>]*>([^<]*)</g)].map(([, text = '']) => text);
const files = readdirSync(folder).filter((name) => name.endsWith('.svg'));

describe('the pictures of the walkthrough', () => {
  const unlinked = useUnlinked();

  it('count the steps of the wizard as it does', () => {
    const draft: WorkspaceDraft = {
      ...{ name: '', runtime: 'container', image: '' },
      ...{ cloneUrl: '', limits: {}, docker: false },
    };
    const choices = { info: { drivers: [] }, images: [] } as unknown as CreateChoices;
    const steps = createSteps(unlinked().store, choices).filter((step) => step.isSkipped?.(draft) !== true);
    assert.ok(textsOf('create.svg').includes(`Create Workspace (1/${steps.length})`), String(steps.length));
  });

  it('have sizes in the units of the views, and no state on a row that runs', () => {
    const texts = files.flatMap(textsOf);
    assert.ok(texts.length > 40, String(texts.length));
    assert.deepEqual(
      texts.filter((text) => /\d [kKMGT]B\b/.test(text) || text === 'running'),
      [],
    );
  });

  it('call a home by its workspace', () => {
    assert.deepEqual(
      textsOf('files.svg').filter((text) => text.startsWith('workspace-')),
      [],
    );
  });
});
