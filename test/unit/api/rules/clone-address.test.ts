import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { checkCloneAddress, cloneAddressProblem } from '../../../../src/api/rules/clone-address';
import { refused, taken } from './clone-addresses';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';

const repeated = [
  'a',
  '@',
  ':',
  '/',
  'https://',
  'a@',
  'a:',
  '%3a',
  '[',
  '-',
  'a-',
  'a://',
  "'",
  '?',
  'a:b@c:',
  'x@y:/',
];
const run = promisify(execFile);

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

interface SshAddress {
  address: string;
  user: string;
  host: string;
  port: string;
  path: string;
}

/** Each form of git's own grammar with each kind of part (`git help clone`, "GIT URLS"). */
function sshAddresses(): SshAddress[] {
  const users = ['', 'git', 'me@corp.com', 'CORP\\me', '-oProxyCommand=x', 'a b'];
  const hosts = ['example.org', '::1', 'a+b', '-x', 'bücher.example'];
  return users.flatMap((user) =>
    hosts.flatMap((host) =>
      ['', '22'].flatMap((port) => {
        const at = user === '' ? '' : `${user}@`;
        const url = `${at}${host.includes(':') ? `[${host}]` : host}${port === '' ? '' : `:${port}`}`;
        const scp =
          port === '' && !host.includes(':')
            ? `${at}${host}`
            : `${at}[${host}${port === '' ? '' : `:${port}`}]`;
        const addresses = [
          { address: `ssh://${url}/srv/a`, path: '/srv/a' },
          { address: `git+ssh://${url}/~me/a`, path: '~me/a' },
          ...(host.includes(':') && port !== ''
            ? []
            : ['a.git', '/srv/a@b', '~me/a'].map((path) => ({ address: `${scp}:${path}`, path }))),
        ];
        return addresses.map((each) => ({ ...each, user, host, port }));
      }),
    ),
  );
}

describe('the address of a repository', () => {
  const folder = useTempFolder();

  it('is one that git reads as an address or a path', () => {
    for (const address of taken) {
      assert.equal(cloneAddressProblem(address), undefined, address);
    }
  });

  it('holds no secret, no option, no program, nothing unseen', () => {
    for (const [address, problem] of refused) {
      assert.equal(cloneAddressProblem(address), problem, address);
    }
  });

  it('is refused in words that name the safe way and not the secret', async () => {
    for (const [address] of refused.filter(([text]) => text.includes('hunter2'))) {
      const error = await failure(() => checkCloneAddress(address));
      assert.equal(error.code, 'bad_request');
      assert.equal(error.field, 'cloneUrl');
      assert.doesNotMatch(`${error.message} ${error.hint ?? ''}`, /hunter2/);
      assert.match(error.hint ?? '', /SSH address.*--credential/i);
    }
  });

  it('is judged in no time, whatever it is', () => {
    for (const part of repeated) {
      const address = part.repeat(Math.floor(2048 / part.length));
      const since = performance.now();
      cloneAddressProblem(address);
      assert.ok(performance.now() - since < 200, part);
    }
  });

  it('reaches ssh as git reads it, with no option and no other machine', async function () {
    this.timeout(30_000);
    // It asks for a repository, and heeds none that belongs to another user.
    await run('git', ['init', '--quiet', '--bare', folder()]);
    let count = 0;
    for (const { address, user, host, port, path } of sshAddresses()) {
      if (cloneAddressProblem(address) !== undefined) {
        continue;
      }
      count += 1;
      const { stdout } = await run('git', ['fetch-pack', '--diag-url', address], { cwd: folder() });
      const read = new Map(
        stdout
          .trim()
          .split('\n')
          .map((line) => splitOnce(line.replace('Diag: ', ''))),
      );
      assert.equal(read.get('protocol'), 'ssh', address);
      assert.equal(read.get('userandhost'), user === '' ? host : `${user}@${host}`, address);
      assert.equal(read.get('port'), port === '' ? 'NONE' : port, address);
      assert.equal(read.get('path'), path, address);
    }
    assert.ok(count > 50, `${count} addresses were taken`);
  });
});
