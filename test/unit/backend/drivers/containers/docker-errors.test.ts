import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { isConnectionError } from '../../../../../src/backend/drivers/containers/docker-errors';

describe('drivers/containers/docker-errors', () => {
  it('takes a socket that is missing for an engine that does not answer, a folder that is missing not', async () => {
    const [ofSocket] = (await once(connect('/not/there.sock'), 'error')) as [Error];
    assert.equal(isConnectionError(ofSocket), true);
    const ofFolder: unknown = await readdir('/not/there').catch((error: unknown) => error);
    assert.equal(isConnectionError(ofFolder), false);
  });
});
