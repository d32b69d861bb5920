/** The filler of the tools' volume, with an engine that hangs or fails; real ones are in test/engine/drivers/containers. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ToolsVolume } from '../../../../../../src/backend/drivers/containers/tools/tools-volume';
import { failure } from '../../../../../support/errors';
import { useStandIn, type Answer } from '../../../../../support/programs/stand-in-daemon';
import { until } from '../../../../../support/wait';

const nothing = () => undefined;
const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const filler = { Id: 'filler', Created: new Date().toISOString() };
const ok = (body: unknown): (() => Answer) => {
  return () => ({ status: 200, body });
};
const broken = (): Answer => ({ status: 500, body: { message: 'runc: no cgroup' } });

describe('containers/tools/tools-volume', () => {
  // Only Podman starts it.
  const standIn = useStandIn('Libpod/4.3.1 (linux)');
  let tools: ToolsVolume;
  beforeEach(() => {
    const { answers, endpoint } = standIn();
    answers.set('/json', ok({ Id: 'sha256:image', Architecture: 'amd64' }));
    answers.set('/volumes/create', ok({ Name: 'volume' }));
    answers.set('/containers/create', ok(filler));
    answers.set('/start', ok(undefined));
    answers.set('/wait', ok({ StatusCode: 0 }));
    answers.set('DELETE /containers/filler', () => ({ status: 204 }));
    tools = new ToolsVolume(endpoint, { image: () => 'berth-tools:1', log: quiet, fillTimeoutMs: 300 });
  });
  const removals = () => standIn().asked.filter((line) => line === 'DELETE /containers/filler').length;

  for (const step of ['/start', '/wait', '/archive']) {
    it(`ends with what was tried when the engine hangs: ${step}`, async () => {
      standIn().answers.set(step, () => undefined);
      const began = Date.now();
      const { code, message, hint } = await failure(tools.ensure(), 'runtime_unavailable');
      assert.equal(code, 'runtime_unavailable');
      assert.match(message, /did not fill the volume berth-tools-1-\w+ within 0\.6 s/);
      assert.match(hint ?? '', /Restart/);
      assert.ok(Date.now() - began < 10_000);
      assert.equal(removals(), 1);
    });

    it(`says what the engine said when it fails: ${step}`, async () => {
      standIn().answers.set(step, broken);
      const { detail } = await failure(tools.ensure());
      assert.match(detail ?? '', /runc: no cgroup/);
      assert.equal(removals(), 1);
    });
  }

  it('has the first error when the filler can not be removed either', async () => {
    standIn().answers.set('/start', broken);
    standIn().answers.set('DELETE /containers/filler', () => ({
      status: 500,
      body: { message: 'cannot remove' },
    }));
    assert.match((await failure(tools.ensure())).detail ?? '', /runc: no cgroup/);
  });

  it('removes a filler that comes when nobody waits for it any more', async () => {
    standIn().answers.set('/containers/create', () => sleep(600).then(ok(filler)));
    const { message } = await failure(tools.ensure(), 'runtime_unavailable');
    assert.match(message, /did not fill the volume/);
    assert.equal(removals(), 0);
    await until('the removal of the filler', () => removals() === 1);
  });

  it('is tried again after a failure', async () => {
    standIn().answers.set('/start', broken);
    await failure(tools.ensure());
    await failure(tools.ensure());
    assert.equal(removals(), 2);
  });
});
