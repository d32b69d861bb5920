import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import {
  isConnectionError,
  toBerthError,
} from '../../../../../../src/backend/drivers/containers/engine/docker-errors';

describe('drivers/containers/engine/docker-errors', () => {
  it('takes a socket that is missing for an engine that does not answer, a folder that is missing not', async () => {
    const [ofSocket] = (await once(connect('/not/there.sock'), 'error')) as [Error];
    assert.equal(isConnectionError(ofSocket), true);
    const ofFolder: unknown = await readdir('/not/there').catch((error: unknown) => error);
    assert.equal(isConnectionError(ofFolder), false);
  });

  it('sends nobody to the disk of the container engine when a file of this machine has no room', async () => {
    const full: unknown = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
    const own = toBerthError(full, 'save the image');
    assert.deepEqual([own.code, own.hint?.includes('docker')], ['no_space', false]);
    const said = 'write /var/lib/docker/tmp: no space left on device';
    const ofEngine = Object.assign(new Error(said), { statusCode: 500, json: { message: said } });
    assert.match(toBerthError(ofEngine, 'pull x').hint ?? '', /docker image prune/);
  });

  it('names the file of this machine that may not be written', () => {
    const refused = Object.assign(new Error("EPERM: operation not permitted, open '/mnt/x.tar'"), {
      ...{ code: 'EPERM', syscall: 'open', path: '/mnt/x.tar' },
    });
    const { code, message, hint } = toBerthError(refused, 'save the image');
    assert.equal(code, 'forbidden');
    assert.match(`${message} ${hint}`, /\/mnt\/x\.tar.*rights/);
  });

  it('takes a container that ended before its command began for one that is stopped', () => {
    const said = 'Container f88cc03f9fe3 is not running: Exited (137) Less than a second ago';
    const error = Object.assign(new Error(said), { statusCode: 500, json: { message: said } });
    assert.equal(toBerthError(error, 'run a command').code, 'illegal_state');
  });

  it('never says in a message of its own what a system or the container engine said', () => {
    const words = 'dial tcp 10.0.0.1:443: gobbledegook';
    const answer = (statusCode: number) =>
      Object.assign(new Error(words), { statusCode, json: { message: words } });
    const ofSystem = (code: string, syscall = 'connect') =>
      Object.assign(new Error(`${code}: ${words}`), { code, syscall });
    const all = [
      ...[400, 401, 403, 404, 409, 418, 500, 503].map(answer),
      ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND'].map((code) => ofSystem(code)),
      ...['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS'].map((code) => ofSystem(code, 'write')),
      new Error(words),
    ];
    for (const error of all) {
      const { message, detail } = toBerthError(error, 'start x');
      assert.match(
        message,
        /^(Could not start x: [^:]+|The container engine does not answer \(start x\))\.$/,
      );
      assert.match(detail ?? '', /gobbledegook$/);
    }
  });

  it('names the port that is taken', () => {
    const taken = (said: string) =>
      toBerthError(Object.assign(new Error(said), { statusCode: 500, json: { message: said } }), 'start x')
        .message;
    assert.equal(
      taken('Bind for 0.0.0.0:8080 failed: port is already allocated'),
      'Could not start x: port 8080 is taken.',
    );
    assert.equal(taken('address already in use'), 'Could not start x: a port is taken.');
  });

  it('says in its own words what happened, and keeps those of the engine for who asks', () => {
    const said = 'Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host';
    const error = Object.assign(new Error(said), { statusCode: 500, json: { message: said } });
    const { code, message, hint, detail } = toBerthError(error, 'pull x');
    assert.equal(code, 'runtime_unavailable');
    assert.equal(message, 'Could not pull x: the registry can not be reached.');
    assert.equal(detail, said);
    assert.equal(hint, 'Check the network and the name of the image.');
  });

  it('blames the registry only where one was asked', () => {
    const said = 'failed to mount local volume: mount :/x:/y: connection refused';
    const error = Object.assign(new Error(said), { statusCode: 500, json: { message: said } });
    const { message, detail } = toBerthError(error, 'start workspace-demo');
    assert.equal(
      message,
      'Could not start workspace-demo: the container engine can not reach another machine.',
    );
    assert.equal(detail, said);
  });

  it('makes no lines of names in an image, and no long ones', () => {
    const said = `failed to register layer: open /x\n✓ Pull\r\n${'n'.repeat(20_000)}: file name too long`;
    const error = Object.assign(new Error(said), { statusCode: 500, json: { message: said } });
    const { detail = '' } = toBerthError(error, 'pull x');
    assert.match(detail, /^failed to register layer: open \/x ✓ Pull n+ … n+: file name too long$/);
    assert(detail.length < 1100);
  });

  it('names the status of an answer that says nothing, such as a redirect', () => {
    const error = Object.assign(new Error('(HTTP code 301) unexpected - '), { statusCode: 301 });
    const { message, detail } = toBerthError(error, 'list volumes');
    assert.equal(message, 'Could not list volumes: the container engine refused it (301).');
    assert.equal(detail, 'the engine answered 301 without a reason.');
  });

  it('says of privileged containers that the engine refuses what to do instead', () => {
    const said =
      'privileged mode is incompatible with user namespaces. You must run the container in the host namespace';
    const error = Object.assign(new Error(said), { statusCode: 400, json: { message: said } });
    const { code, hint } = toBerthError(error, 'create workspace-demo');
    assert.deepEqual([code, hint?.includes('without Docker inside')], ['not_supported', true]);
  });
});
