import assert from 'node:assert/strict';
import {
  checkCloneAddress,
  cloneAddressProblem,
  redactAddresses,
  type CloneAddressProblem,
} from '../../../../src/api/rules/clone-address';
import { failure } from '../../../support/errors';

const taken = [
  'https://example.org/a.git',
  'http://127.0.0.1:8080/team/project',
  'https://example.org/~me/a%20b.git',
  'https://bücher.example/a.git',
  'https://[::1]:8443/a.git',
  'ssh://git@example.org:22/a.git',
  'ssh://example.org/a',
  'git+ssh://git@example.org/a',
  'git://example.org/a.git',
  'git@example.org:team/a.git',
  'git@example.org:/srv/a@v1.git',
  'git@[2001:db8::1]:a.git',
  'work:team/a.git',
  'my.name+ci@example.org:a.git',
  'file:///srv/a.git',
  '/srv/a.git',
  '/srv/-a',
  `https://example.org/${'a'.repeat(2028)}`,
];

const refused: [string, CloneAddressProblem][] = [
  ['https://me:hunter2@example.org/a.git', 'secret'],
  ['https://hunter2@example.org/a.git', 'secret'],
  ['https://hunter2:@example.org/a.git', 'secret'],
  ['https://:hunter2@example.org/a.git', 'secret'],
  ['https://me%3Ahunter2@example.org/a.git', 'secret'],
  ['https://a@b:hunter2@example.org/a.git', 'secret'],
  ['https://@example.org/a.git', 'secret'],
  ['http://x-access-token:hunter2@example.org/a.git', 'secret'],
  ['git://hunter2@example.org/a.git', 'secret'],
  ['ssh://me:hunter2@example.org/a.git', 'secret'],
  ['ssh://me%3ahunter2@example.org/a.git', 'secret'],
  ['ftp://me:hunter2@example.org/a.git', 'secret'],
  ['HTTPS://hunter2@example.org/a.git', 'secret'],
  ['me:hunter2@example.org:a.git', 'secret'],
  ['https:/hunter2@example.org/a.git', 'secret'],
  ['https://example.org/a.git?access_token=hunter2', 'query'],
  ['https://example.org/a.git?', 'query'],
  ['https://example.org/a.git#hunter2', 'query'],
  ['https://example.org?private_token=hunter2', 'query'],
  ['https://example.org/a\nb', 'characters'],
  ['https://example.org/a\r\nHost: b', 'characters'],
  ['https://example.org/a%0ab', 'characters'],
  ['https://example.org/a%00', 'characters'],
  ['https://x y', 'characters'],
  [' https://example.org/a', 'characters'],
  ['https://example.org/\u202egit.a', 'characters'],
  ['https://example.org/a\u001b[2J', 'characters'],
  ['--upload-pack=touch /tmp/x', 'characters'],
  ['--upload-pack=x', 'option'],
  ['-oProxyCommand=x', 'option'],
  ['ext::sh', 'helper'],
  ['fd::7', 'helper'],
  ['::x', 'helper'],
  ['https::https://example.org/a', 'helper'],
  ['ssh://-oProxyCommand=x/a', 'unknown'],
  ['ssh://git@-oProxyCommand=x/a', 'unknown'],
  ['ssh://-oProxyCommand=x@host/a', 'unknown'],
  ['git@-oProxyCommand=x:a', 'unknown'],
  ['git@host:-a', 'unknown'],
  ['ssh://host/-a', 'unknown'],
  ['C:/srv/a', 'unknown'],
  ['c:\\srv\\a', 'unknown'],
  ['https:/example.org/a', 'unknown'],
  ['https://', 'unknown'],
  ['https://example.org', 'unknown'],
  ['https://example.org/', 'unknown'],
  ['https://example.org:99999999/a', 'unknown'],
  ['javascript://x/a', 'unknown'],
  ['file://host/a', 'unknown'],
  ['file:a', 'unknown'],
  ['../a', 'unknown'],
  ['~/a', 'unknown'],
  ['example', 'unknown'],
  ['', 'unknown'],
  [`https://example.org/${'a'.repeat(2029)}`, 'long'],
];

describe('the address of a repository', () => {
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
      assert.match(error.hint ?? '', /SSH address.*--credential/);
    }
  });

  it('is judged in no time, whatever it is', () => {
    for (const part of ['a', '@', ':', '/', 'https://', 'a@', 'a:', '%3a', '[', '-', 'a-', 'a://']) {
      const address = part.repeat(Math.floor(2048 / part.length));
      const since = performance.now();
      cloneAddressProblem(address);
      redactAddresses(address);
      assert.ok(performance.now() - since < 200, part);
    }
  });

  it('shows nothing secret where an older version has taken it', () => {
    for (const [address] of refused.filter(([text]) => text.includes('hunter2'))) {
      const text = `Clone ${address} failed: "${address}" (${address})`;
      assert.doesNotMatch(redactAddresses(text), /hunter2/, address);
    }
    assert.equal(
      redactAddresses("fatal: unable to access 'https://me:hunter2@host/a.git/?token=hunter2': no"),
      "fatal: unable to access 'https://***@host/a.git/?***': no",
    );
  });

  it('is shown as it is when there is nothing to hide', () => {
    for (const address of taken) {
      assert.equal(redactAddresses(`Clone ${address} now`), `Clone ${address} now`);
    }
    for (const text of ['12:30:45 user@host:~$ ls', 'Is it? See a#b, me@example.org.', 'workspace:latest']) {
      assert.equal(redactAddresses(text), text);
    }
  });
});
