/** The variables of a login: the image's, the spec's and the secrets, in the forms that sshd and shells read. */
import { isVariableName } from '../../api/rules/names';
import { toolsDirectory } from './init-script';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What the login itself knows better than the image. */
const ofLogin = new Set([
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'PWD',
  'OLDPWD',
  'TERM',
  'HOSTNAME',
  'SHLVL',
  '_',
]);

export type Environment = Readonly<Record<string, string>>;

/** Splits the engine's `NAME=value` list; it answers null where an image has none. */
export function parseEnvironment(list: readonly string[] | null | undefined): Record<string, string> {
  const result: Record<string, string> = {};
  for (const line of list ?? []) {
    const at = line.indexOf('=');
    if (at > 0) {
      result[line.slice(0, at)] = line.slice(at + 1);
    }
  }
  return result;
}

/** The image's variables under the given ones; PATH ends with our own programs, where the image lacks some. */
export function sessionEnvironment(ofImage: Environment, given: Environment): Record<string, string> {
  const inherited = Object.entries(ofImage).filter(([name]) => !ofLogin.has(name) && isVariableName(name));
  const merged: Record<string, string> = { ...Object.fromEntries(inherited), ...given };
  const path = merged.PATH === undefined || merged.PATH === '' ? defaultPath : merged.PATH;
  return { ...merged, PATH: `${path}:${toolsDirectory}/fallback:${toolsDirectory}/busybox` };
}

/** Values with a line break: neither sshd's configuration nor /etc/environment can carry them. */
export function hasLineBreak(value: string): boolean {
  return /[\n\r\0]/.test(value);
}

/** For sshd_config: quoted as a whole; only `\` and `"` mean something inside. */
export function quoteForSshd(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** For a POSIX shell: everything between single quotes is literal. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** For the front of every exec: lines that call its function `berth_set`. */
export function execEnvironment(env: Environment): string {
  return Object.entries(env)
    .map(([name, value]) => `berth_set ${name} ${quoteForShell(value)}\n`)
    .join('');
}

/** For login shells and bash: what could not go into sshd's configuration. Empty when there is nothing. */
export function multilineEnvironment(env: Environment): string {
  return Object.entries(env)
    .filter(([, value]) => hasLineBreak(value))
    .map(([name, value]) => `export ${name}=${quoteForShell(value)}\n`)
    .join('');
}

/**
 * For login shells, whose /etc/profile has just set a PATH of the distribution: the session's comes first, then what only
 * the other has. Bash, dash and busybox's sh read it, and zsh as `sh`.
 */
export function loginEnvironment(env: Environment): string {
  return `${multilineEnvironment(env)}berth_path=${quoteForShell(env.PATH ?? defaultPath)} berth_rest=$PATH:
case ":$PATH:" in *":$berth_path:"*) berth_rest= ;; *) PATH=$berth_path ;; esac
while [ -n "$berth_rest" ]; do
  case ":$PATH:" in *":\${berth_rest%%:*}:"*) ;; *) PATH=$PATH:\${berth_rest%%:*} ;; esac
  berth_rest=\${berth_rest#*:}
done
export PATH
unset berth_path berth_rest
`;
}

/** What is no secret, i.e. what the runtime was built with. */
export function plainOf(built: Environment, given: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter(([name, value]) => built[name] === value));
}

/** For /etc/environment. */
export function plainEnvironment(built: Environment, given: Environment): string {
  return Object.entries(plainOf(built, given))
    .filter(([, value]) => !hasLineBreak(value))
    .map(([name, value]) => `${name}=${/^[\w@%+=:,./-]*$/.test(value) ? value : `"${value}"`}\n`)
    .join('');
}
