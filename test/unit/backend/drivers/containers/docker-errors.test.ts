import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { isConnectionError, toBerthError } from '../../../../../src/backend/drivers/containers/docker-errors';

describe('drivers/containers/docker-errors', () => {
  it('takes a socket that is missing for an engine that does not answer, a folder that is missing not', async () => {
    const [ofSocket] = (await once(connect('/not/there.sock'), 'error')) as [Error];
    assert.equal(isConnectionError(ofSocket), true);
    const ofFolder: unknown = await readdir('/not/there').catch((error: unknown) => error);
    assert.equal(isConnectionError(ofFolder), false);
  });

  it('takes a container that ended before its command began for one that is stopped', () => {
    const said = 'Container f88cc03f9fe3 is not running: Exited (137) Less than a second ago';
    const error = Object.assign(new Error(said), { statusCode: 500, json: { message: said } });
    assert.equal(toBerthError(error, 'run a command').code, 'illegal_state');
  });

  it('makes no lines of names in an image, and no long ones', () => {
    const said = `failed to register layer: open /x\n✓ Pull\r\n${'n'.repeat(20_000)}: file name too long`;
    const error = Object.assign(new Error(said), { statusCode: 500, json: { message: said } });
    const { message } = toBerthError(error, 'pull x');
    assert.match(
      message,
      /^Could not pull x: failed to register layer: open \/x ✓ Pull n+ … n+: file name too long$/,
    );
    assert(message.length < 1100);
  });

  it('says of privileged containers that the engine refuses what to do instead', () => {
    const said =
      'privileged mode is incompatible with user namespaces. You must run the container in the host namespace';
    const error = Object.assign(new Error(said), { statusCode: 400, json: { message: said } });
    const { code, hint } = toBerthError(error, 'create workspace-demo');
    assert.deepEqual([code, hint?.includes('without Docker inside')], ['not_supported', true]);
  });
});
