import assert from 'node:assert/strict';
import { resolvedPath } from '../../../../src/commands/ssh/resolved-path';

describe('commands/ssh/resolved-path', () => {
  const env = { SSH_HOME: '/etc/mine', EMPTY: '' };
  const resolved = (text: string): string => resolvedPath(text, env, '/home/me');

  it('knows the home and the environment', () => {
    assert.equal(resolved('~/.ssh/work'), '/home/me/.ssh/work');
    assert.equal(resolved('~'), '/home/me');
    assert.equal(resolved('${userHome}/.ssh/work'), '/home/me/.ssh/work');
    assert.equal(resolved('${env:SSH_HOME}/config'), '/etc/mine/config');
    assert.equal(resolved('${env:NOWHERE}/config'), '/config');
  });

  it('leaves everything else as it is', () => {
    for (const text of ['/etc/ssh/mine', 'relative/config', '~other/config', '/a/~/b', '$HOME/x', '/$&/x']) {
      assert.equal(resolved(text), text);
    }
  });
});
