/** Processes in a running guest: the same front and the same end as in containers, reached over SSH. */
import { randomUUID } from 'node:crypto';
import { BerthError } from '../../../../api/errors';
import {
  endExecCommand,
  execFront,
  execMarker,
  nameForFront,
  shell,
  toolsDirectory,
} from '../../../inside/init-script';
import { homeFolder } from '../../../inside/places';
import { quoteForShell } from '../../../inside/session-environment';
import type { ExecPlan, ExecSession } from '../../driver';
import { endWithin } from '../../../inside/exec-end';
import { stdinOf } from '../../../inside/exec-input';
import type { GuestProcess } from './ssh-link';

/** What sshd tells the session of root by which a command comes: nobody's own. */
const ofSession = ['HOME', 'USER', 'LOGNAME', 'SHELL', 'MAIL', 'SSH_CLIENT', 'SSH_CONNECTION', 'SSH_TTY'];
const killTimeoutMs = 30_000;
/** sshd hands the command over as one argument, and no kernel takes a longer one. What is larger belongs on standard input. */
const maxCommandBytes = 128 * 1024 - 1;
const outputKept = 4096;

/**
 * Becomes who is named by an id, or with a group, as \`docker exec\` does: who has no line in /etc/passwd is in the group 0,
 * and who is named with a group is in no other. The terminal is made theirs as well.
 */
const becoming = `
import grp, os, pwd, sys
user, _, group = sys.argv[1].partition(":")
def missing(what, name):
    sys.stderr.write(f'berth: not started: there is no {what} "{name}" in the workspace.\\n')
    sys.exit(126)
def found(all, field, name):
    return next((each for each in all if each[0] == name or str(each[field]) == name), None)
def number(entry, field, what, name):
    if entry is None and not name.isdigit(): missing(what, name)
    return entry[field] if entry else int(name)
entry = found(pwd.getpwall(), 2, user)
uid = number(entry, 2, "user", user)
if group:
    gid = number(found(grp.getgrall(), 2, group), 2, "group", group)
    groups = [gid]
else:
    gid = entry.pw_gid if entry else 0
    groups = os.getgrouplist(entry.pw_name, gid) if entry else [gid]
if os.environ.get("BERTH_TERMINAL"): os.chown(os.ttyname(0), uid, -1)
if entry is None: os.environ.setdefault("HOME", "/")
os.setgroups(groups); os.setgid(gid); os.setuid(uid)
os.execv(sys.argv[2], sys.argv[2:])
`;

/**
 * Runs as root: takes the variables over and becomes the user. The terminal was made for root; programs that open it
 * by its name need it to be their user's. Every program that is started on the way takes its time in emulation.
 */
const entry = `
unset ${ofSession.join(' ')}
berth_i=0
while [ $berth_i -lt "$BERTH_COUNT" ]; do
  eval "export \\"\\$BERTH_V$berth_i\\""
  unset BERTH_V$berth_i
  berth_i=$((berth_i + 1))
done
unset BERTH_COUNT
berth_user=$1 berth_front=$2
shift 2
if [ "$berth_user" = root ]; then eval "$berth_front"; fi
case "$berth_user" in
  *:* | [0-9]*)
    exec ${toolsDirectory}/bin/python3 -I -S -c ${quoteForShell(becoming)} "$berth_user" ${shell} -c "$berth_front" "$0" "$@" ;;
esac
if [ "$berth_user" != workspace ] && command -v id >/dev/null && ! id -- "$berth_user" >/dev/null 2>&1; then
  echo "berth: not started: there is no user \\"$berth_user\\" in the workspace." >&2
  exit 126
fi
if [ -n "$BERTH_TERMINAL" ]; then chown "$berth_user" "$(tty)"; fi
exec su -p -s ${shell} -c "$berth_front" -- "$berth_user" "$0" "$@"
`;

/** In the user's place: goes to the folder that it was given, then is the front of any command. */
const front = `
cd -- "$BERTH_FOLDER" 2>/dev/null || {
  if [ -d "$BERTH_FOLDER" ]; then
    echo "berth: not started: the user \\"\${BERTH_USER%%:*}\\" may not enter the folder \\"$BERTH_FOLDER\\"."
  else
    echo "berth: not started: there is no folder \\"$BERTH_FOLDER\\" in the workspace."
  fi >&2
  exit 126
}
unset BERTH_FOLDER BERTH_TERMINAL OLDPWD
${execFront[2] ?? ''}`;

export interface GuestShell {
  run(command: string, options: { env?: NodeJS.ProcessEnv; pty?: object }): Promise<GuestProcess>;
}

/** A user's process: with the environment of a login, and with an end that reaches everything it started. */
export async function openExec(ssh: GuestShell, name: string, plan: ExecPlan): Promise<ExecSession> {
  const id = randomUUID();
  const given = plan.env ?? {};
  const argv = [shell, '-c', entry, execMarker, plan.user, front, ...plan.argv];
  const own = {
    ...{ BERTH_EXEC: id, BERTH_USER: plan.user, BERTH_GIVEN: Object.keys(given).join(' '), BERTH_TTY: '' },
    ...(plan.preferredCwd !== undefined && { BERTH_PREFERRED: plan.preferredCwd }),
    ...{ BERTH_FOLDER: plan.cwd ?? homeFolder, BERTH_TERMINAL: plan.tty === undefined ? '' : 'yes' },
  };
  const process = await start(ssh, argv, {
    env: numbered({ ...given, ...own }),
    ...(plan.tty !== undefined && { pty: { ...plan.tty, term: plan.env?.TERM ?? 'xterm-256color' } }),
  });
  const { channel } = process;
  let hasEnded = false;
  const exit = exitOf(process, name).finally(() => (hasEnded = true));
  exit.catch(() => undefined);
  return {
    stdin: stdinOf(channel),
    stdout: channel,
    stderr: channel.stderr,
    exit,
    resize: (cols, rows) => {
      channel.setWindow(rows, cols, 0, 0);
      return Promise.resolve();
    },
    kill: async () => {
      if (!hasEnded) {
        const plan = { argv: endExecCommand(id), timeoutMs: killTimeoutMs };
        await endWithin(
          exit,
          () => runInside(ssh, name, plan),
          () => void channel.destroy(),
        );
      }
    },
  };
}

export interface InsidePlan {
  argv: readonly string[];
  stdin?: Buffer;
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * A short command of our own, as root: its exit code and the end of what it said. Throws `cancelled`, and `timeout`
 * with the last that was seen.
 */
export async function runInside(
  ssh: GuestShell,
  name: string,
  plan: InsidePlan,
): Promise<{ exitCode: number; output: string }> {
  const process = await start(ssh, plan.argv, {});
  const { channel } = process;
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-outputKept);
  };
  channel.on('data', collect);
  channel.stderr.on('data', collect);
  channel.stdin.on('error', () => undefined);
  channel.end(plan.stdin);
  const timeout = AbortSignal.timeout(plan.timeoutMs);
  const ended = plan.signal === undefined ? timeout : AbortSignal.any([timeout, plan.signal]);
  const close = (): void => void channel.destroy();
  ended.addEventListener('abort', close, { once: true });
  try {
    return { exitCode: await exitOf(process, name), output: output.trim() };
  } catch (error) {
    if (plan.signal?.aborted === true) {
      throw new BerthError('cancelled', 'Cancelled.');
    }
    if (timeout.aborted) {
      const waited = `Timed out after ${plan.timeoutMs / 1000} s waiting for a command in ${name} to end.`;
      throw new BerthError('timeout', `${waited} Last seen: ${output.trim()}`);
    }
    throw error;
  } finally {
    ended.removeEventListener('abort', close);
  }
}

async function start(
  ssh: GuestShell,
  argv: readonly string[],
  options: { env?: NodeJS.ProcessEnv; pty?: object },
): Promise<GuestProcess> {
  const command = quotedCommand(argv);
  if (Buffer.byteLength(command) > maxCommandBytes) {
    throw new BerthError('too_large', 'The command has more than about 120 KiB of arguments.', {
      hint: 'Hand large input over on standard input.',
    });
  }
  return ssh.run(command, options);
}

/** For the login shell of the guest, whatever that is. */
export function quotedCommand(argv: readonly string[]): string {
  return `exec ${argv.map(quoteForShell).join(' ')}`;
}

/** As variables of the connection: an argv would show values to everybody inside. */
function numbered(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const entries = Object.entries(env);
  return {
    BERTH_COUNT: String(entries.length),
    ...Object.fromEntries(
      entries.map(([name, value], index) => [`BERTH_V${index}`, `${nameForFront(name)}=${value}`]),
    ),
  };
}

/**
 * Resolves when the process has ended and its output was read. Throws `illegal_state` where the connection ended before
 * it.
 */
export async function exitOf({ ended }: GuestProcess, name: string): Promise<number> {
  const code = await ended;
  if (code === undefined) {
    throw new BerthError('illegal_state', `The connection to ${name} ended while the command ran.`, {
      remedy: 'start',
    });
  }
  return code;
}
