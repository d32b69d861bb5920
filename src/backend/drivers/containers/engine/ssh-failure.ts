/** What ended a connection by ssh, in words: what happened, and what to do. */
import type { SshTarget } from '../../../../api/rules/docker-host';
import type { ProcessEnd } from '../../../machine/run';
import { EngineUnreachable } from './docker-errors';

/** What leads to the socket of an engine on its machine, the usual one first: each has `system dial-stdio`. */
export type EngineCommand = 'docker' | 'podman';

/** As the user writes it, for messages. */
export function sshWords({ user, host, port }: SshTarget): string {
  return `ssh ${port === undefined ? '' : `-p ${port} `}${user === undefined ? '' : `${user}@`}${host}`;
}

interface Reason {
  pattern: RegExp;
  /** Only by this command. */
  by?: EngineCommand;
  message: string;
  hint: (command: string) => string;
}

/** docker's own options are unknown to a Podman that is called `docker`, too. */
const missing =
  /(?:docker|podman): (?:command )?not found|command not found|'(?:docker|podman)' is not recognized|no such file or directory.*(?:docker|podman)$|unknown flag: --host/im;

const reasons: readonly Reason[] = [
  {
    pattern:
      /host key verification failed|host key is known|no matching host key|IDENTIFICATION HAS CHANGED/i,
    message: 'ssh does not know the host key of that machine, or knows another one',
    hint: (command) => `Connect once by hand, compare the key and accept it: \`${command}\`.`,
  },
  {
    pattern: /dial unix .*permission denied/i,
    by: 'podman',
    message: 'your user may not use the Podman of that machine',
    hint: () =>
      'Leave the socket out of the address: that is the Podman of your own user. Or connect as the user that may.',
  },
  {
    pattern: /permission denied while trying to connect to the docker|dial unix .*permission denied/i,
    message: 'your user may not use the Docker of that machine',
    hint: (command) =>
      `Let it, there: \`sudo usermod -aG docker $USER\`, and see that \`${command} docker version\` works.`,
  },
  {
    pattern: /permission denied|too many authentication failures|no more authentication methods/i,
    message: 'that machine does not let you in without a password',
    hint: (command) =>
      `Set up a key that needs no question (\`ssh-copy-id\`, or a running ssh-agent), until \`${command} true\` works.`,
  },
  {
    pattern: missing,
    by: 'podman',
    message: 'there is neither a `docker` nor a `podman` command on that machine',
    hint: () =>
      'Install Docker there, with its command line, or Podman, and see that PATH names it for commands of ssh.',
  },
  {
    pattern: missing,
    message: 'there is no `docker` command on that machine',
    hint: () =>
      'Install Docker there, with its command line, and see that PATH names it for commands of ssh.',
  },
  {
    pattern: /cannot connect to podman|unable to connect to podman|dial unix/i,
    by: 'podman',
    message: 'the Podman of that machine does not answer',
    hint: () =>
      'Start its service there: `systemctl --user enable --now podman.socket`, or as root without `--user`.',
  },
  {
    pattern: /cannot connect to the docker daemon|dial unix|docker\.sock/i,
    message: 'the Docker of that machine does not answer',
    hint: (command) =>
      `Start Docker there, and see that your user may use it: \`${command} docker version\` tells.`,
  },
  {
    pattern:
      /could not resolve hostname|connection refused|timed out|no route to host|network is unreachable|connection (?:closed|reset)/i,
    message: 'that machine can not be reached',
    hint: (command) => `See that \`${command} true\` works: ssh uses your own configuration.`,
  },
];

/** That machine has no such command, or one that does not know what it was asked. */
export class CommandMissing extends EngineUnreachable {}

/** What ended a connection that never answered, in words: with what ssh has said. */
export function sshFailure(
  target: SshTarget,
  { code, signal, stderr }: ProcessEnd,
  by: EngineCommand = 'docker',
): EngineUnreachable {
  const said = stderr
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-4)
    .join(' ');
  const command = sshWords(target);
  const reason = reasons.find((each) => (each.by ?? by) === by && each.pattern.test(said));
  const how = signal === null ? `ssh ended with code ${code ?? 0}` : `ssh was ended by ${signal}`;
  const words = said === '' ? how : said;
  const Failure = reason?.pattern === missing ? CommandMissing : EngineUnreachable;
  return new Failure(
    `No container engine answers at ${command.slice('ssh '.length)}: ${reason === undefined ? words : `${reason.message} (${words})`}.`,
    reason?.hint(command) ?? `See that \`${command} ${by} version\` works.`,
  );
}
