import assert from 'node:assert/strict';
import { checkCredentials, credentialTarget } from '../../../../src/backend/inside/target';
import { parseMount } from '../../../../src/backend/services/workspaces/start/mount-syntax';
import { failure } from '../../../support/errors';

const home = '/home/workspace';
const ofMounts = (path: string) => parseMount(`data:/srv/${path}`, 'volumes.0');
const ofCredentials = (target: string) => checkCredentials([{ target: 'fine' }, { target }]);

describe('inside/target', () => {
  it('is absolute, or in the home', () => {
    for (const [target, path] of [
      ['.netrc', `${home}/.netrc`],
      ['~/.netrc', `${home}/.netrc`],
      ['.aws/', `${home}/.aws`],
      ['..config', `${home}/..config`],
      ['a/../b', `${home}/b`],
      ['/etc/x//y', '/etc/x/y'],
      ['it\'s "ä" $HOME', `${home}/it's "ä" $HOME`],
      [home, home],
      ['a'.repeat(255), `${home}/${'a'.repeat(255)}`],
    ] as const) {
      assert.equal(credentialTarget(target), path);
    }
  });

  it('is refused with its field where no file or folder has such a name, on one short line', async () => {
    for (const target of ['.', '..', './', 'a/..', 'a/.', '../..', '/', '/home', '~/.', '~/..', '/..']) {
      const { field, message } = await failure(() => ofCredentials(target), 'bad_request');
      assert.equal(field, 'credentialFiles.1.target', target);
      assert.match(message, /is no name for a file or folder/, target);
    }
  });

  it('has no line break, nothing unseen and no more than Linux takes, as a mount as well', async () => {
    const wrong = [
      'a\nb',
      'a\rb',
      'a\0b',
      'a\x1b[31mb',
      'a\u2028b',
      'a'.repeat(256),
      'ä'.repeat(128),
      'a/'.repeat(2100),
    ];
    for (const path of wrong) {
      for (const [take, where] of [
        [ofCredentials, 'credentialFiles.1.target'],
        [ofMounts, 'volumes.0'],
      ] as const) {
        const { field, message } = await failure(() => take(path), 'bad_request');
        assert.equal(field, where);
        assert.doesNotMatch(message, /\p{Cc}|\u2028/u);
        assert.ok(message.length < 200, message);
      }
    }
  });
});
