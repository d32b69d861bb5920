import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { WorkspacePatch } from '../../../../../src/api';
import { useDemo } from '../../../../support/engine/demo';
import type { TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import type { WorkspaceRecord } from '../../../../../src/backend/services/workspaces/record';
import { nextIdleStep } from '../../../../../src/backend/services/workspaces/watch/idle';

describe('what a workspace is marked with', () => {
  const { engine, start, workspace } = useDemo();
  let test: TestEngine;
  beforeEach(() => (test = engine()));
  const update = (patch: WorkspacePatch) => test.services.workspaces.update('demo', patch);

  it('is on record, and tells all clients: tags each once, sorted', async () => {
    await update({ tags: ['work', 'api', 'work'], favourite: true });
    const { tags, favourite } = test.payloads('workspace.changed').at(-1) ?? {};
    assert.deepEqual({ tags, favourite }, { tags: ['api', 'work'], favourite: true });
    await update({ tags: [], favourite: false });
    assert.deepEqual(
      Object.keys(workspace()).filter((key) => ['tags', 'favourite'].includes(key)),
      [],
    );
  });

  it('keeps a protected one from what takes something away, by whomever', async () => {
    await update({ protected: true });
    await failure(() => test.services.verbs.delete('demo'), 'illegal_state');
    await failure(() => test.services.verbs.delete('demo', { forget: true }), 'illegal_state');
    await failure(() => test.services.verbs.archive('demo'), 'illegal_state');
    const error = await failure(test.services.verbs.rebuild('demo', { confirm: true }), 'illegal_state');
    assert.equal(error.hint, 'Take the protection away first: `berth unprotect demo`.');
    assert.equal(workspace().state, 'running');
    await test.done(test.services.verbs.restart('demo'));
    await update({ protected: false });
    await test.done(test.services.verbs.archive('demo'));
  });

  it('does not end what is under way for a delete that is refused', async () => {
    await update({ protected: true });
    const gate = test.driver.hold('stop');
    const stop = test.services.verbs.stop('demo');
    await gate.entered;
    await failure(() => test.services.verbs.delete('demo'), 'illegal_state');
    gate.open();
    assert.equal((await test.done(stop)).status, 'succeeded');
  });

  it('keeps a volume that was protected while its workspace goes, and says so', async () => {
    const gate = test.driver.hold('remove');
    const deletion = test.services.verbs.delete('demo');
    await gate.entered;
    assert.equal((await test.services.volumes.update('workspace-demo', { protected: true })).protected, true);
    gate.open();
    const { status, error } = await test.done(deletion);
    assert.deepEqual([status, error?.code], ['failed', 'illegal_state']);
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
    assert.equal(workspace().state, 'error');
    await failure(() => test.services.verbs.delete('demo'), 'illegal_state');
    await test.done(test.services.verbs.delete('demo', { keepVolumes: true }));
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
  });

  it('deletes no volume that a damaged list may have protected, and says how it can be', async () => {
    await writeFile(test.state.protectedVolumes, 'damaged');
    await test.engine.close();
    test = await start({}, test.driver);
    const error = await failure(() => test.services.verbs.delete('demo'), 'illegal_state');
    assert.match(error.hint ?? '', /`berth volume unprotect workspace-demo`/);
    await failure(test.services.volumes.delete('workspace-demo', true), 'in_use');
    const { checks } = await test.services.doctor.report();
    const check = checks.find(({ name }) => name === 'protected-volumes');
    assert.match(`${check?.outcome}: ${check?.message}`, /^warning: .*protected-volumes\.json\.damaged-\d+/);
    // What is made now was in no list.
    await test.create('later');
    assert.equal((await test.done(test.services.verbs.delete('later'))).status, 'succeeded');
    await test.services.volumes.create({ name: 'made-now' });
    await test.services.volumes.delete('made-now', false);
    await test.services.volumes.update('workspace-demo', { protected: false });
    assert.equal((await test.done(test.services.verbs.delete('demo'))).status, 'succeeded');
  });

  it('does not say that one is protected which is being deleted', async () => {
    const gate = test.driver.hold('remove');
    const deletion = test.services.verbs.delete('demo');
    await gate.entered;
    await failure(update({ protected: true }), 'illegal_state');
    await update({ favourite: true, protected: false });
    gate.open();
    assert.equal((await test.done(deletion)).status, 'succeeded');
  });

  it('leaves a protected one where its idle policy would set it aside', async () => {
    await test.done(test.services.verbs.stop('demo'));
    await update({ idle: { archiveAfter: 1 } });
    const stepOf = () => nextIdleStep(workspace() as unknown as WorkspaceRecord)?.verb;
    assert.equal(stepOf(), 'archive');
    await update({ protected: true });
    assert.equal(stepOf(), undefined);
  });

  it('takes none that is temporary', async () => {
    const request = { name: 'short', temporary: true, protected: true };
    assert.equal((await failure(test.services.creator.create(request), 'bad_request')).field, 'protected');
  });
});
