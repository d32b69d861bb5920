import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  execEnvironment,
  loginEnvironment,
  multilineEnvironment,
  parseEnvironment,
  plainEnvironment,
  quoteForShell,
  quoteForSshd,
  sessionEnvironment,
} from '../../../../src/backend/inside/session-environment';
import { sshdConfig } from '../../../../src/backend/inside/sshd-config';

const nasty = [
  '',
  ' ',
  `it's`,
  '"',
  '\\',
  '$(id) `id` $HOME',
  'ü ✓',
  '# no comment',
  '%h %%',
  'a\nb',
  '-n',
  '=x=',
];

describe('the environment of a session', () => {
  it('has the image below the given, less what the login knows better, and our programs last in PATH', () => {
    const env = sessionEnvironment(
      { PATH: '/opt/bin', HOME: '/root', USER: 'root', LANG: 'C', 'not-a-name': 'x', SHELL: '/x' },
      { LANG: 'de', SHELL: '/bin/fish' },
    );
    assert.deepEqual(env, {
      PATH: '/opt/bin:/.berth/fallback:/.berth/busybox',
      LANG: 'de',
      SHELL: '/bin/fish',
    });
    assert.match(sessionEnvironment({}, {}).PATH ?? '', /^\/usr\/local\/sbin:.*:\/bin:\/\.berth/);
  });

  it('is read from the list that the engine keeps', () => {
    assert.deepEqual(parseEnvironment(null), {});
    assert.deepEqual(parseEnvironment(['A=1', 'B=x=y', 'C=', 'broken', '=x']), { A: '1', B: 'x=y', C: '' });
  });

  it('is quoted so that a real shell reads it back', () => {
    const script = nasty.map((value) => `printf '%s\\0' ${quoteForShell(value)}`).join('\n');
    const read = execFileSync('/bin/sh', ['-c', script]).toString().split('\0').slice(0, -1);
    assert.deepEqual(read, nasty);
  });

  it('reaches commands but for the names that came with them', () => {
    const lines = execEnvironment(Object.fromEntries(nasty.map((value, index) => [`V${index}`, value])));
    const script = `berth_set() { [ "$1" = V3 ] || export "$1=$2"; }\n${lines}\nenv -0`;
    const env = execFileSync('/bin/sh', ['-c', script], { env: { PATH: process.env.PATH, V3: 'given' } });
    const read = parseEnvironment(env.toString().split('\0'));
    nasty.forEach((value, index) => assert.equal(read[`V${index}`], index === 3 ? 'given' : value));
  });

  it('has the values that sshd can not carry in a file for shells', () => {
    const env = { ONE: 'a', TWO: 'b\nc' };
    assert.equal(multilineEnvironment(env), "export TWO='b\nc'\n");
    assert.equal(multilineEnvironment({ ONE: 'a' }), '');
  });

  it('comes before the PATH that a login shell has set, in every shell, and has nothing twice', () => {
    const own = "/opt/it's own/bin:/usr/bin:/bin";
    const script = `${loginEnvironment({ PATH: own, TWO: 'b\nc' })}printf '%s|%s' "$PATH" "$TWO"`;
    const shells = [['bash'], ['dash'], ['busybox', 'sh'], ['bash', '--posix', '-u', '-e']];
    for (const [path, seen] of [
      ['/usr/local/bin:/usr/bin:/bin:/usr/games', `${own}:/usr/local/bin:/usr/games`],
      [`/mine:${own}:/last`, `/mine:${own}:/last`],
      [own, own],
      ['/a*:/usr/bin', `${own}:/a*`],
    ] as const) {
      for (const [program = '', ...argv] of shells) {
        const setting = `PATH=${quoteForShell(path)}\n${script}`;
        const output = execFileSync(program, [...argv, '-c', setting], { encoding: 'utf8' });
        assert.equal(output, `${seen}|b\nc`, `${program} ${path}`);
      }
    }
  });

  it('shows in /etc/environment only what the container was built with: the rest may be secret', () => {
    const built = { SPEC: 'a b', SIMPLE: '/x:y', CHANGED: 'old', LINES: 'a\nb' };
    const given = { SPEC: 'a b', SIMPLE: '/x:y', CHANGED: 'new', LINES: 'a\nb', SECRET: 's' };
    assert.equal(plainEnvironment(built, given), 'SPEC="a b"\nSIMPLE=/x:y\n');
  });

  it('goes into one SetEnv line, quoted as a whole', () => {
    assert.equal(quoteForSshd('A=say "hi" \\ $x'), '"A=say \\"hi\\" \\\\ $x"');
    const lines = sshdConfig({ A: '1', B: 'x "y"', C: 'a\nb' }).split('\n');
    const set = lines.filter((line) => line.startsWith('SetEnv'));
    assert.deepEqual(set, ['SetEnv "LANG=C.UTF-8" "A=1" "B=x \\"y\\"" "BASH_ENV=/run/berth/multiline.sh"']);
    assert.ok(!sshdConfig({ LC_ALL: 'C' }).includes('LANG'));
    assert.match(sshdConfig({ LANG: 'de' }), /^SetEnv "LANG=de"$/m);
    const own = sshdConfig({ C: 'a\nb', BASH_ENV: '/mine' });
    assert.match(own, /SetEnv "LANG=C.UTF-8" "BASH_ENV=\/mine"$/m);
  });

  it('allows keys only, and forwarding', () => {
    const config = sshdConfig({});
    for (const line of [
      'PasswordAuthentication no',
      'UsePAM no',
      'AllowTcpForwarding yes',
      'Subsystem sftp internal-sftp',
    ]) {
      assert.ok(config.split('\n').includes(line), line);
    }
  });
});
