import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makePair } from '../../../../src/backend/ssh/key-pair';
import { SshKeys } from '../../../../src/backend/ssh/keys';
import { StateDirectory } from '../../../../src/backend/store/state-directory';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';

const run = promisify(execFile);

describe('ssh/keys', () => {
  const folder = useTempFolder();
  let state: StateDirectory;
  let keys: SshKeys;

  beforeEach(async () => {
    state = new StateDirectory(folder());
    await state.ensure();
    keys = new SshKeys(state);
  });

  it('makes keys that the real ssh-keygen reads, private ones for the owner alone', async () => {
    const pair = await keys.clientKey();
    const { stdout } = await run('ssh-keygen', ['-l', '-f', state.clientKey]);
    assert.match(stdout, /^256 SHA256:.* berth \(ED25519\)/);
    const derived = await run('ssh-keygen', ['-y', '-f', state.clientKey]);
    assert(derived.stdout.startsWith(pair.publicKey));
    assert.match(pair.publicKey, /^ssh-ed25519 [A-Za-z0-9+/=]+$/);
    assert.equal((await stat(state.clientKey)).mode & 0o777, 0o600);
    assert((await readFile(`${state.clientKey}.pub`, 'utf8')).startsWith(pair.publicKey));
  });

  it('makes each once, also when asked many times at once', async () => {
    const pairs = await Promise.all(Array.from({ length: 8 }, () => keys.hostKey('demo')));
    assert.equal(new Set(pairs.map((pair) => pair.privateKey)).size, 1);
    assert.deepEqual(await new SshKeys(state).hostKey('demo'), pairs[0]);
    assert.notEqual((await keys.hostKey('other')).publicKey, pairs[0]?.publicKey);
    assert.notEqual((await keys.clientKey()).publicKey, pairs[0]?.publicKey);
  });

  it('keeps the key when its public half is lost or edited', async () => {
    const pair = await keys.hostKey('demo');
    const path = join(state.hostKeys, 'demo');
    await writeFile(`${path}.pub`, 'ssh-rsa nonsense\n');
    assert.deepEqual(await keys.hostKey('demo'), pair);
    await rm(`${path}.pub`);
    assert.deepEqual(await keys.hostKey('demo'), pair);
  });

  it('makes the client key where there is none, and leaves one that is there', async () => {
    await keys.makeClientKey();
    const pair = await keys.clientKey();
    await keys.makeClientKey();
    assert.deepEqual(await keys.clientKey(), pair);
    await writeFile(state.clientKey, 'not a key');
    await keys.makeClientKey();
    assert.equal(await readFile(state.clientKey, 'utf8'), 'not a key');
  });

  it('says so when a key is damaged, and does not replace it', async () => {
    await keys.clientKey();
    await writeFile(state.clientKey, 'not a key');
    const error = await failure(keys.clientKey(), 'internal');
    assert(error.message.includes(state.clientKey));
    assert.equal(await readFile(state.clientKey, 'utf8'), 'not a key');
  });

  it('throws away the pairs that nobody could read', async () => {
    const good = makePair('berth');
    const blob = Buffer.from(good.public.split(' ')[1]!, 'base64');
    const short = Buffer.concat([blob.subarray(0, 15), Buffer.from([0, 0, 0, 31]), blob.subarray(20)]);
    const bad = { ...good, public: `ssh-ed25519 ${short.toString('base64')} berth` };
    const pairs = [bad, { ...good, private: 'nonsense' }, good];
    assert.equal(
      makePair('berth', () => pairs.shift()!),
      good,
    );
    await failure(() => makePair('berth', () => bad), 'internal');
  });

  it('forgets the host key of a workspace with nothing left', async () => {
    const pair = await keys.hostKey('demo');
    await keys.forgetHostKey('demo');
    await keys.forgetHostKey('demo');
    assert.deepEqual(await readdir(state.hostKeys), []);
    assert.notEqual((await keys.hostKey('demo')).publicKey, pair.publicKey);
  });
});
