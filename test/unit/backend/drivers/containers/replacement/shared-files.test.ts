import assert from 'node:assert/strict';
import { hasOthers } from '../../../../../../src/backend/drivers/containers/replacement/shared-files';

describe('drivers/containers/replacement/shared-files', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/ash\nnobody:x:65534:65534::/:/sbin/nologin\n';
  const workspace = 'workspace:x:1000:1000:Berth workspace:/home/workspace:/bin/sh\n';
  const sshd = 'sshd:x:74:65534:sshd:/run/sshd:/sbin/nologin\n';
  const block = '# >>> berth: written anew at every start\nA=1\n# <<< berth\n';
  const cases: [string, string, string, string, boolean][] = [
    ['what Berth adds', '/etc/passwd', passwd, passwd + workspace + sshd, false],
    [
      'Berth in place of another one',
      '/etc/passwd',
      `workspace:x:7:7::/:/x\n${passwd}`,
      passwd + workspace,
      false,
    ],
    ['an image with the user', '/etc/passwd', passwd + workspace, passwd + workspace, false],
    ['an image without any', '/etc/passwd', '', `root:x:0:0:root:/root:/bin/sh\n${workspace}`, false],
    ['a user', '/etc/passwd', passwd, `${passwd}${workspace}deploy:x:1001:1001::/:/bin/sh\n`, true],
    ['a user that is gone', '/etc/passwd', passwd, 'root:x:0:0:root:/root:/bin/ash\n', true],
    ['a group of the user', '/etc/group', 'docker:x:9:\n', 'docker:x:9:workspace\nworkspace:x:1000:\n', true],
    ['a password', '/etc/shadow', 'root:*::0:::::\n', 'root:$6$x::0:::::\n', true],
    ["Berth's variables", '/etc/environment', '', block, false],
    ['a variable', '/etc/environment', '', `${block}B=2\n`, true],
    ['a variable in between', '/etc/environment', 'B=2\n', `B=2\n${block}`, false],
  ];
  for (const [what, path, before, now, isOthers] of cases) {
    it(`${isOthers ? 'counts' : 'counts not'} ${what}`, () => {
      assert.equal(hasOthers(path, before, now), isOthers);
    });
  }
});
