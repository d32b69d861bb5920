/**
 * Commands as `docker exec` would run them, drawn from a grammar: which program, by which name, with which arguments and
 * variables, where, and as whom. The same rows are for both kinds of runtimes, whose image is the same.
 */
import { Random } from './random';

export interface ExecRow {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  user: string;
  input: string;
}

/** A row as a process: what the program itself gets. */
export interface ExecCall {
  argv: readonly string[];
  env: readonly string[];
  cwd: string;
  user: string;
  input: string;
}

export interface ExecSeen {
  code: number;
  stdout: string;
  stderr: string;
}

/** Where the programs of the rows lie; `prepareRows` makes them. */
const folders = [
  '/opt/plain',
  `/opt/it's "a" $HOME`,
  '/opt/two\nlines',
  '/opt/-n',
  '/opt/*',
  '/opt/größe',
  `/opt/${'long'.repeat(60)}`,
];
const users = ['workspace', 'workspace', 'workspace', 'root', 'nobody'];

/** Says all that a process has from who started it. */
const probe = `#!/usr/bin/perl
$/ = undef;
my $input = <STDIN>;
my %status = map { /^(\\S+):\\s*(.*)/ ? ($1, $2) : () } do { local $/ = "\\n"; open(F, '/proc/self/status'); <F> };
print join("\\0", 'argv', @ARGV, 'cwd', readlink('/proc/self/cwd') || $!, 'umask', umask,
  (map { ($_, $status{$_}) } qw(Uid Gid Groups SigBlk SigIgn)),
  'input', length($input), unpack('%32C*', $input), 'env', map { "$_=$ENV{$_}" } sort keys %ENV);
`;

/** Makes the programs and folders of all rows: a script for root. */
export const prepareRows = `
set -e
umask 022
${folders.map((folder) => `set -- "$@" ${quoted(folder)}`).join('\n')}
for folder; do
  mkdir -p -- "$folder/folder" && cd -- "$folder"
  printf %s ${quoted(probe)} >./probe && cp ./probe './a probe' && cp ./probe ./--help && chmod 755 ./*probe ./--help
  cp ./probe ./unreadable && chmod 711 ./unreadable
  cp /bin/cat './its own cat' && cp ./probe ./not-executable && chmod 644 ./not-executable
  ln -s nowhere ./dangling && ln -s probe ./linked
  printf 'readlink "/proc/$$/exe"; echo "$0 $#"' >./no-interpreter && chmod 755 ./no-interpreter
  printf '#!/no/such/interpreter' >./bad-interpreter && chmod 755 ./bad-interpreter
done
mkdir -m 700 /opt/closed
`;

const plainWords = [
  '',
  ' ',
  'word',
  '-n',
  '--',
  '-c',
  '*',
  '~',
  '$HOME',
  '`id`',
  '$(id)',
  '\\',
  '\\n',
  '\t',
  '%s',
];
const words = [
  ...plainWords,
  ...[
    `'`,
    '"',
    `'"\\`,
    'a\nb',
    '\n',
    'a\n',
    '\r',
    'größe',
    '\u{1f600}',
    '\ufffd',
    '#',
    '!',
    '!!',
    ';',
    '&',
    '|',
  ],
  ...['>', '<(', '{a,b}', '[a', '=', 'A=b', '\x01\x7f\x1b[0m', 'x'.repeat(5_000), 'y'.repeat(131_071)],
];
/** One more than an argument may have. */
const tooLong = 'z'.repeat(131_072);

/** Names that shells know, for a shell in between may keep, change or lose them. */
const names = [
  ...[
    'PLAIN',
    'lower',
    '_',
    '__',
    'A1',
    'IFS',
    'PS1',
    'PS2',
    'PS4',
    'PWD',
    'OLDPWD',
    'OPTIND',
    'OPTARG',
    'OPTERR',
  ],
  ...[
    'RANDOM',
    'LINENO',
    'PPID',
    'SECONDS',
    'EPOCHSECONDS',
    'EPOCHREALTIME',
    'SHLVL',
    'UID',
    'EUID',
    'HOSTNAME',
  ],
  ...[
    'ENV',
    'BASH_ENV',
    'CDPATH',
    'FUNCNAME',
    'HISTFILE',
    'MAIL',
    'MAILPATH',
    'MAILCHECK',
    'LANG',
    'LC_ALL',
    'LC_CTYPE',
  ],
  ...[
    'POSIXLY_CORRECT',
    'HOME',
    'USER',
    'LOGNAME',
    'SHELL',
    'TERM',
    'TMOUT',
    'TZ',
    'BERTH',
    'f',
    'p',
    'd',
    'i',
    'user',
  ],
  ...[
    'front',
    'x'.repeat(128),
    'REPLY',
    'BASH_FUNC_x',
    'GLOBIGNORE',
    'SHELLOPTS',
    'COLUMNS',
    'LINES',
    'COLOUR',
  ],
];

const scripts = [
  'printf "%s|" "$0" "$@"; pwd -P; echo err >&2',
  'echo "$#"; type -p find; readlink "/proc/$$/exe"',
  'cat; exit 3',
  'kill -TERM $$',
  'kill -KILL $$',
  'exit 125',
  'exit 255',
  'trap "exit 9" TERM; kill -TERM $$; sleep 5',
  'seq 1 20000',
  'printf "\\377\\000\\200"; printf "\\376" >&2',
  'head -c 300000 /dev/zero | tr "\\0" "\\351"',
  'ulimit -a; umask',
  'exec 2>&1; ls /proc/self/fd',
  'test -t 0 || test -t 1 || test -t 2 || echo none',
];

/** Programs of the image that have others beside them in the tools. */
const ofImage: readonly (readonly string[])[] = [
  ['grep', '-P', '^ro\\w+', '/etc/passwd'],
  ['grep', '-c', 'a|b', '/etc/passwd'],
  ['find', '/etc/passwd', '-printf', '%f %s %m\n'],
  ['date', '-u', '-d', '@5', '+%N %F'],
  ['tar', '--version'],
  ['tar', '-C', '/etc', '--sort=name', '--mtime=@0', '--owner=0', '-cf-', 'hostname', 'passwd'],
  ['sed', '--version'],
  ['awk', 'BEGIN { printf "%c %d\\n", 256, 3.7; print substr("größe", 3) }'],
  ['sort', '-V', '--debug', '/etc/shells'],
  ['ls', '-l', '--time-style=+%s', '/etc/passwd'],
  ['stat', '-c', '%n %U %a', '/etc/passwd'],
  ['xargs', '-d', '\n', '-n1', 'echo'],
  ['cp', '--no-such-option'],
  ['od', '-An', '-c'],
  ['wc', '-c'],
  ['timeout', '--version'],
  ['env', '--version'],
  ['which', 'find', 'sh', 'ps', 'tar', 'awk'],
  ['sh', '-c', 'command -v find sh tar awk grep ps less; echo "$BASH_VERSION"'],
  ['bash', '-lc', 'type -p find tar awk grep; echo "$0 $-"'],
  ['bash', '-c', 'echo "$BASH_VERSION"; printf "%(%F)T %q\\n" 5 "a b"'],
  ['perl', '-e', 'print "$^V @ARGV"', 'one', 'two words'],
  ['ps', '--version'],
];

const missing = [
  '',
  'no-such-command',
  'cd',
  'type',
  './no-such',
  '/opt',
  '/etc/passwd',
  'etc/passwd',
  '.',
  '..',
  '/',
  '-c',
];
const bad = ['folder', 'not-executable', 'dangling', 'bad-interpreter'];

type Program = Pick<ExecRow, 'argv' | 'env' | 'cwd'>;

/** The forms that a program is named by, from its folder or by PATH. */
function named(random: Random, name: string): Program {
  const folder = random.pick(folders);
  const elsewhere = random.pick(['/', '/tmp', '/home/workspace', ...folders]);
  return random.pick<Program>([
    { argv: [`${folder}/${name}`], env: {}, cwd: elsewhere },
    { argv: [`./${name}`], env: {}, cwd: folder },
    { argv: [`folder/../${name}`], env: {}, cwd: folder },
    { argv: [name], env: { PATH: `/no-such:${folder}:/usr/bin:/bin` }, cwd: elsewhere },
    { argv: [name], env: { PATH: `/usr/bin:/opt/closed:/bin:${folder}` }, cwd: elsewhere },
  ]);
}

const several = <T>(random: Random, most: number, draw: () => T): T[] =>
  Array.from({ length: random.next(most + 1) }, draw);

function program(random: Random): Program {
  const cwd = random.pick(['/', '/home/workspace', ...folders]);
  const args = several(random, 5, () => random.pick(words));
  switch (random.next(12)) {
    case 0:
      return { argv: ['printf', '%s|', ...args], env: {}, cwd };
    case 1:
      return {
        argv: [random.pick(['sh', '/bin/sh', 'bash']), '-c', random.pick(scripts), ...args],
        env: {},
        cwd,
      };
    case 2:
    case 3:
      return { argv: random.pick(ofImage), env: {}, cwd };
    case 4:
      return { argv: [random.pick(missing), ...args], env: {}, cwd };
    case 5: {
      const form = named(random, random.pick(bad));
      return { ...form, argv: [...form.argv, ...args] };
    }
    case 6: {
      const form = named(random, 'its own cat');
      return { ...form, argv: [...form.argv, '/proc/self/cmdline'] };
    }
    case 7:
      return { argv: ['printf', '%.3s', random.pick([tooLong, ...args, 'x'])], env: {}, cwd };
    default: {
      const form = named(random, random.pick(['probe', 'a probe', '--help', 'linked']));
      return { ...form, argv: [...form.argv, ...args] };
    }
  }
}

/** So many rows, the same ones every time. */
export function execRows(seed: number, count: number): ExecRow[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const { argv, env, cwd } = program(random);
    const given = several(random, 4, () => [random.pick(names), random.pick(words.slice(0, -1))] as const);
    const where = random.next(15) === 0 ? random.pick(['/opt/closed', '/no/such', '/etc/passwd']) : cwd;
    const input = random.pick(['', '', 'line\n', 'no end', '\xff\0\n'.repeat(30_000)]);
    return {
      argv,
      env: { ...Object.fromEntries(given), ...env },
      cwd: where,
      user: random.pick(users),
      input,
    };
  });
}

/** Says who a process is, what it has of the image, the spec and the secrets, and of a session of somebody else. */
export const printEnvironment = [
  'sh',
  '-c',
  `printf '%s|' "$HOME" "$USER" "$LOGNAME" "$SHELL" "$LANG" "$COLOUR" "\${SECRET-none}"; env | grep -cE '^(MAIL|SSH_)'`,
];

/** What each user inside has: the image's and the spec's variables are for everyone, secrets are not. */
export const expectedEnvironment = (secret: string): Record<string, string> => ({
  workspace: `/home/workspace|workspace|workspace|/bin/bash|C.UTF-8|red|${secret}|0\n`,
  root: `/root|root|root|/bin/bash|C.UTF-8|red|${secret}|0\n`,
  nobody: '/nonexistent|nobody|nobody|/usr/sbin/nologin|C.UTF-8|red|none|0\n',
});

/**
 * Runs rows inside, where each costs no more than a process: reads them as JSON (and a literal of Python) from its input,
 * becomes the user of each, goes to its folder, and executes it with its variables, as a runtime does.
 */
export const rowRunner = `
import ast, os, pwd, signal, subprocess, sys, threading
def ran(row):
    user = pwd.getpwnam(row['user'])
    env = {k: v for k, v in os.environ.items() if k not in ('HOME', 'USER', 'LOGNAME', 'SHELL')}
    if row['user'] == 'nobody': env.pop('SECRET', None)
    env.update(pair.split('=', 1) for pair in row['env'])
    if not env.get('HOME'): env['HOME'] = user.pw_dir
    def become():
        os.initgroups(row['user'], user.pw_gid); os.setgid(user.pw_gid); os.setuid(user.pw_uid)
        os.chdir(row['cwd'])
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try: os.execvpe(row['argv'][0], row['argv'], env)
        except FileNotFoundError: os._exit(127)
        except BaseException: os._exit(126)
    try:
        made = subprocess.Popen(['true'], stdin=-1, stdout=-1, stderr=-1, preexec_fn=become)
    except BaseException:
        return 126, b'', b''
    said = made.communicate(row['input'].encode('latin-1'))
    code = made.returncode
    return 128 - code if code < 0 else code, *said
rows = ast.literal_eval(sys.stdin.read())
seen = [None] * len(rows)
left = iter(range(len(rows)))
def work():
    for index in left: seen[index] = ran(rows[index])
workers = [threading.Thread(target=work) for _ in range(3)]
for worker in workers: worker.start()
for worker in workers: worker.join()
for code, out, err in seen: print(code, out.hex(), err.hex(), sep=',')
`;

/** What the runner has printed. */
export const seenByRunner = (lines: string): ExecSeen[] =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [code, ...outputs] = line.split(',');
      const [stdout = '', stderr = ''] = outputs.map((hex) => Buffer.from(hex, 'hex').toString('latin1'));
      return { code: Number(code), stdout, stderr };
    });

/** What a row has that Docker leaves out: who its user is, by /etc/passwd of the image. */
export const withUser = ({ user, env }: ExecRow): Record<string, string> => {
  const shell = { workspace: '/bin/bash', root: '/bin/bash' }[user] ?? '/usr/sbin/nologin';
  return { USER: user, LOGNAME: user, SHELL: shell, ...env };
};

/** Without what is set on purpose: our own programs at the end of PATH, where the image has none. */
export function comparable({ code, stdout, stderr }: ExecSeen): ExecSeen {
  // Of what can not be started each says it in words, and with a code, of its own.
  if (code === 126 || code === 127) return { code: 126, stdout: '', stderr: '' };
  return {
    code,
    stdout: stdout.replace(/:\/\.berth\/fallback:\/\.berth\/busybox/g, ''),
    stderr,
  };
}

/** Long values are cut: what failed is to be read. */
export const describeRow = ({ argv, env, cwd, user }: ExecRow): string =>
  JSON.stringify({ argv, env, cwd, user }, (_name, value: unknown) =>
    typeof value === 'string' && value.length > 80 ? `${value.slice(0, 40)}… (${value.length})` : value,
  );

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
