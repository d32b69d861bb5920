import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  modeOf,
  readCredentials,
  readScripts,
} from '../../../../../../src/backend/services/workspaces/start/injected-files';
import { useTempFolder } from '../../../../../support/temp';

describe('services/workspaces/start/injected-files', () => {
  const folder = useTempFolder();
  const path = (name: string) => join(folder(), name);

  it('keeps modes, but for what others may write, and keys for their user alone', () => {
    const key = Buffer.from('-----BEGIN OPENSSH PRIVATE KEY-----\n');
    const cases: [string, Buffer | string, number, number][] = [
      ['deploy', key, 0o644, 0o600],
      ['rsa.txt', '-----BEGIN RSA PRIVATE KEY-----', 0o664, 0o600],
      ['id_ed25519', 'x', 0o640, 0o600],
      ['server.key', 'x', 0o400, 0o400],
      ['cert.pem', 'x', 0o777, 0o700],
      ['id_ed25519.pub', 'ssh-ed25519 AAAA', 0o644, 0o644],
      ['config', 'Host *', 0o600, 0o600],
      ['hook', '#!/bin/sh', 0o4775, 0o755],
      ['cert.crt', '-----BEGIN CERTIFICATE-----', 0o666, 0o644],
    ];
    for (const [name, content, own, mode] of cases) {
      assert.equal(modeOf(name, Buffer.from(content), own), mode, name);
    }
  });

  it('puts no more in than the file system that they go through has room for, and says it once', async () => {
    await mkdir(path('many'));
    for (const [name, mebibytes] of [
      ['a', 15],
      ['b', 15],
      ['c', 16],
      ['d', 17],
      ['e', 1],
    ] as const) {
      await writeFile(path(`many/${name}`), '');
      await truncate(path(`many/${name}`), mebibytes * 1024 ** 2);
    }
    const files = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
      source: path(`many/${name}`),
      target: `/${name}`,
    }));
    const { found, problems } = await readCredentials(files);
    assert.deepEqual(
      found.map(({ target }) => target),
      ['/a', '/e'],
    );
    assert.equal(problems.length, 2);
    assert.match(problems[0] ?? '', /many\/d was not put in: it has \d+ bytes/);
    assert.match(problems[1] ?? '', /all together have more than 24 MiB: .*many\/b and 1 more$/);
  });

  it('puts a file into the folder that it is given one, and names a target that is refused today', async () => {
    await writeFile(path('f'), 'x');
    const targets = ['conf/', '/home/workspace', '.', 'a\nb'];
    const { found, problems } = await readCredentials(
      targets.map((target) => ({ source: path('f'), target })),
    );
    assert.deepEqual(
      found.map(({ target }) => target),
      ['/home/workspace/conf/f', '/home/workspace/f'],
    );
    assert.equal(problems.length, 2);
    for (const problem of problems) {
      assert.match(problem, /^Credential .* was not put in: The target .* (is no name|holds a line break)/);
      assert.doesNotMatch(problem, /\n/);
    }
  });

  it('puts files where they were asked for: absolute, in the home, with ~', async () => {
    await writeFile(path('a'), 'A');
    const { found, problems } = await readCredentials([
      { source: path('a'), target: '/etc/a' },
      { source: path('a'), target: '.config/a' },
      { source: path('a'), target: '~/b' },
      { source: path('a'), target: './x/../c' },
    ]);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      found.map(({ target }) => target),
      ['/etc/a', '/home/workspace/.config/a', '/home/workspace/b', '/home/workspace/c'],
    );
    assert.equal(found[0]?.content.toString(), 'A');
  });

  it('takes a folder with all that is below it, following links', async () => {
    await mkdir(path('ssh/deep'), { recursive: true });
    await writeFile(path('ssh/id_rsa'), 'x');
    await writeFile(path('ssh/deep/known_hosts'), 'y');
    await chmod(path('ssh/deep/known_hosts'), 0o600);
    await writeFile(path('outside'), 'z');
    await chmod(path('outside'), 0o755);
    await symlink('../outside', path('ssh/link'));
    const { found } = await readCredentials([{ source: path('ssh'), target: '.ssh' }]);
    assert.deepEqual(found.map(({ target, mode }) => `${target} ${mode.toString(8)}`).sort(), [
      '/home/workspace/.ssh/deep/known_hosts 600',
      '/home/workspace/.ssh/id_rsa 600',
      '/home/workspace/.ssh/link 755',
    ]);
  });

  it('tells each that is missing, too large or no file, and takes the others', async () => {
    await mkdir(path('ssh'));
    await writeFile(path('ssh/good'), 'x');
    await symlink('nowhere', path('ssh/dangling'));
    execFileSync('mkfifo', [path('fifo')]);
    await writeFile(path('huge'), '');
    await truncate(path('huge'), 17 * 1024 * 1024);
    const { found, problems } = await readCredentials([
      { source: path('missing'), target: 'a' },
      { source: path('fifo'), target: 'b' },
      { source: path('huge'), target: 'c' },
      { source: path('ssh'), target: '.ssh' },
    ]);
    assert.equal(problems.length, 4);
    for (const [index, what] of [
      /missing.*ENOENT/,
      /fifo.*regular/,
      /huge.*more than/,
      /ssh.*ENOENT/,
    ].entries()) {
      assert.match(problems[index] ?? '', what);
    }
    assert.deepEqual(
      found.map(({ target }) => target),
      ['/home/workspace/.ssh/good'],
    );
  });

  it('takes a folder whose links lead back into it, without them', async () => {
    await mkdir(path('config/inner'), { recursive: true });
    await writeFile(path('config/inner/file'), 'x');
    await symlink('..', path('config/inner/up'));
    await symlink('loop', path('config/loop'));
    await symlink('inner', path('config/other'));
    const { found, problems } = await readCredentials([{ source: path('config'), target: '/c' }]);
    assert.deepEqual(found.map(({ target }) => target).sort(), ['/c/inner/file', '/c/other/file']);
    assert.deepEqual(
      problems.map((problem) => /config\/(\S+) was/.exec(problem)?.[1]),
      ['inner/up', 'loop', 'other/up'],
    );
  });

  it('goes on in a folder in which one file can not be read', async () => {
    await mkdir(path('ssh'));
    await writeFile(path('ssh/a'), 'x');
    execFileSync('mkfifo', [path('ssh/b')]);
    await writeFile(path('ssh/c'), 'x');
    const { found, problems } = await readCredentials([{ source: path('ssh'), target: '/s' }]);
    assert.deepEqual(found.map(({ target }) => target).sort(), ['/s/a', '/s/c']);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /ssh\/b was not put in/);
  });

  it('reads scripts in order; a folder stands for its *.sh, sorted', async () => {
    await mkdir(path('scripts'));
    await writeFile(path('scripts/20-b.sh'), 'echo b');
    await writeFile(path('scripts/10-a.sh'), '#!/bin/bash\necho a');
    await writeFile(path('scripts/readme.md'), 'no');
    await writeFile(path('my setup;rm'), 'echo');
    const { found, problems } = await readScripts([path('my setup;rm'), path('scripts'), path('missing.sh')]);
    assert.deepEqual(
      found.map(({ argv }) => argv.join(' ')),
      [
        '/bin/sh /tmp/.berth/post-start/00-my_setup_rm',
        '/tmp/.berth/post-start/01-10-a.sh',
        '/bin/sh /tmp/.berth/post-start/02-20-b.sh',
      ],
    );
    assert(found.every(({ file }) => file.mode === 0o755));
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /missing\.sh was not run: ENOENT/);
  });
});
