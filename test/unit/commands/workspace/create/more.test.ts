import assert from 'node:assert/strict';
import { standIn } from '../../../../support/vscode/stand-in';
import { toRequest, type WorkspaceDraft } from '../../../../../src/commands/workspace/create/draft';
import {
  parsePorts,
  parseVariables,
  parseVolumes,
  portsText,
  variablesText,
} from '../../../../../src/commands/workspace/create/more';
import { moreWords } from '../../../../../src/commands/workspace/create/more-steps';

const draft: WorkspaceDraft = {
  ...{ name: 'demo', runtime: 'container', image: '', cloneUrl: '', limits: {}, docker: false },
};

describe('what few give a new workspace', () => {
  beforeEach(() => standIn.reset());

  it('reads ports, each once', () => {
    const ports = [{ guest: 8080 }, { host: 13000, guest: 3000 }];
    assert.deepEqual(parsePorts(' 8080, 13000:3000 '), ports);
    assert.equal(portsText(ports), '8080, 13000:3000');
    assert.deepEqual(parsePorts(''), []);
    for (const text of ['a', '70000', '80 80', '1:2:3']) assert.equal(parsePorts(text), undefined, text);
  });

  it('reads variables, with values in quotes where they have spaces', () => {
    const env = { A: '1', GREETING: 'good morning', B: '', SAID: 'a "b"' };
    assert.deepEqual(parseVariables(`A=1 GREETING="good morning" B= SAID='a "b"'`), env);
    assert.deepEqual(parseVariables(variablesText(env)), env);
    for (const text of ['A', '1A=b', '=b', 'A=1 b', '"A=b']) {
      assert.equal(parseVariables(text), undefined, text);
    }
  });

  it('reads volumes with their paths inside', () => {
    assert.deepEqual(parseVolumes('data:/mnt/data, m:/models:ro'), ['data:/mnt/data', 'm:/models:ro']);
    for (const text of ['data', 'data:mnt', ':/mnt', 'data:/mnt:rx']) {
      assert.equal(parseVolumes(text), undefined, text);
    }
  });

  it('asks for nothing of it that was left as it is', () => {
    const plain = { name: 'demo', runtime: 'container' };
    assert.deepEqual(toRequest(draft), plain);
    assert.deepEqual(toRequest({ ...draft, more: { ports: [], env: {}, volumes: [] } }), plain);
    const more = {
      ports: [{ guest: 80 }],
      volumes: ['d:/d'],
      network: 'off' as const,
      idle: { pauseAfter: 30 },
    };
    assert.deepEqual(toRequest({ ...draft, more }), { ...plain, ...more });
  });

  it('says in the summary what was chosen, or what there is to choose', () => {
    assert.equal(moreWords(draft), 'ports, variables, volumes, network, idle');
    const more = {
      ports: [{ guest: 80 }],
      env: { A: '1' },
      network: 'off' as const,
      idle: { stopAfter: 120 },
    };
    assert.equal(moreWords({ ...draft, more }), 'ports 80 · A · network off · stopped after 120 minutes');
  });
});
