import assert from 'node:assert/strict';
import { BerthError } from '../../../../../../src/api/errors';
import { toBerthError } from '../../../../../../src/backend/drivers/containers/engine/docker-errors';
import { buildFailed } from '../../../../../../src/backend/drivers/containers/images/image-build';

describe('backend/drivers/containers/images/image-build', () => {
  it('says of a build that failed its last lines, and what the container engine said as details', () => {
    const said = "The command '/bin/sh -c apt-get update' returned a non-zero code: 100";
    const thrown = toBerthError(new Error(said), 'build tools:latest');
    const error = buildFailed(thrown, ['Step 2/9', 'E: no network']);
    assert.ok(error instanceof BerthError);
    assert.equal(error.code, 'internal');
    assert.match(error.message, /^Could not build tools:latest: .*\nStep 2\/9\nE: no network$/);
    assert.match(error.hint ?? '', /a container with a network/);
    assert.equal(error.detail, said);
  });

  it('leaves what is known as it is', () => {
    for (const error of [toBerthError(new Error('no space left on device'), 'build x'), new Error('odd')]) {
      assert.equal(buildFailed(error, ['a line']), error);
    }
  });
});
