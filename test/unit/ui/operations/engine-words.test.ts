import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pseudo, untranslated } from '../../../support/pseudo-locale';
import { standIn } from '../../../support/vscode/stand-in';
import { stepsOfCreate } from '../../../../src/backend/services/workspaces/start/start-steps';
import { engineWords } from '../../../../src/ui/operations/engine-words';

const root = join(__dirname, '../../../../..');
const backend = join(root, 'src/backend');

/** All titles of steps in the sources of the engine; what is filled in is a name. */
function titlesInSources(): string[] {
  const files = readdirSync(backend, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const written = /\bstep\(\s*'[\w-]+',\s*(?:'([^']+)'|`([^`]+)`)/g;
  return files.flatMap((file) =>
    [...readFileSync(join(backend, file), 'utf8').matchAll(written)].map(([, plain, template = '']) =>
      (plain ?? template).replace(/\$\{[^}]*\}/g, 'demo'),
    ),
  );
}

describe('ui/engine-words', () => {
  beforeEach(() => standIn.reset());
  afterEach(() => standIn.reset());

  it('have a word in the language of the window for every step of every operation', () => {
    standIn.translated = pseudo;
    const ofCreate = (['container', 'microvm'] as const).flatMap((runtime) => {
      const spec = { runtime, image: 'x:1', docker: true, idle: {}, cloneUrl: 'demo' };
      return stepsOfCreate(spec, true, true).map(({ title }) => title);
    });
    const titles = [...new Set([...ofCreate, ...titlesInSources()])];
    assert.ok(titles.length > 25, titles.join('\n'));
    assert.deepEqual(
      titles.filter((title) => engineWords(title) === title || untranslated(engineWords(title))),
      [],
    );
  });

  it('have a German word for what has no name in it', () => {
    const path = join(root, 'l10n/bundle.l10n.de.json');
    const german = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
    assert.deepEqual(
      titlesInSources().filter((title) => !title.includes('demo') && (german[title] ?? title) === title),
      [],
    );
  });

  it('leave names, and what another engine says, as they are', () => {
    assert.equal(engineWords('Boot'), 'Boot');
    assert.equal(engineWords('Delete volume data'), 'Delete volume data');
    assert.equal(engineWords('Clone git@host:team/project.git'), 'Clone git@host:team/project.git');
    assert.equal(engineWords('Knit a jumper'), 'Knit a jumper');
    assert.equal(engineWords('constructor'), 'constructor');
  });
});
