/** Whose a home is after its runtime was configured, by the script itself, with a `chown` that writes down what it gives. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { configureScript } from '../../../../../../src/backend/inside/configure-script';

const run = promisify(execFile);
const begin = 'h=/home/workspace\n';
const end = 'while IFS= read -r mount';

describe('inside/configure-script: the home', () => {
  let folder: string;
  let home: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-home-'));
    home = join(folder, 'home');
    await mkdir(home);
    await mkdir(join(folder, 'skel'));
    await mkdir(join(folder, 'bin'));
    await writeFile(join(folder, 'skel/.profile'), '');
    // Nobody has it: the owner is root's for the script, whoever runs this.
    await program('stat', 'echo 0:0');
    await program('chown', `echo "$@" >>${folder}/given; [ -z "$CUT" ] || exit 1`);
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function program(name: string, body: string): Promise<void> {
    const path = join(folder, 'bin', name);
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
  }

  /** Lines of what was given, in their order. */
  async function given(cut = ''): Promise<string[]> {
    const from = configureScript.indexOf(begin);
    const part = configureScript
      .slice(from + begin.length, configureScript.indexOf(end, from))
      .replaceAll('/etc/skel', `${folder}/skel`);
    const script = `set -e\nh=$1 s=$2\n${part}`;
    const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, CUT: cut };
    const ended = await run('sh', ['-c', script, 'sh', home, folder], { env }).catch(() => undefined);
    assert.equal(ended === undefined, cut !== '');
    const lines = await readFile(join(folder, 'given'), 'utf8').catch(() => '');
    await rm(join(folder, 'given'), { force: true });
    return lines.split('\n').filter((line) => line !== '');
  }

  it('is given with what the image put into a new one, itself last', async () => {
    await mkdir(join(home, 'of image'));
    await writeFile(join(home, 'of image/file'), '');
    await writeFile(join(folder, 'new-home'), '');
    const [contents = '', top, ...more] = await given();
    assert.match(contents, /^-h 1000:1000 /);
    assert.ok(contents.includes(`${home}/of image ${home}/of image/file`), contents);
    assert.ok(!contents.includes(`1000 ${home} `), contents);
    assert.equal(top, `1000:1000 ${home}`);
    assert.deepEqual(more, []);
  });

  it('is not given before its contents are: a run that was cut off is done again', async () => {
    await writeFile(join(home, 'file'), '');
    await writeFile(join(folder, 'new-home'), '');
    assert.deepEqual(await given('yes'), [`-h 1000:1000 ${home}/file`]);
    assert.equal((await given()).length, 2);
  });

  it('keeps owners in one that was there before', async () => {
    await writeFile(join(home, 'file'), '');
    assert.deepEqual(await given(), [`1000:1000 ${home}`]);
  });

  it('has the files that the image gives to new users when it is empty', async () => {
    assert.deepEqual(await given(), [`-h 1000:1000 ${home}/.profile`, `1000:1000 ${home}`]);
  });
});
