/** What ended a connection by ssh, in words: what happened, and what to do. */
import type { SshTarget } from '../../../../api/rules/docker-host';
import type { ProcessEnd } from '../../../machine/run';
import { EngineUnreachable } from './docker-errors';

/** As the user writes it, for messages. */
export function sshWords({ user, host, port }: SshTarget): string {
  return `ssh ${port === undefined ? '' : `-p ${port} `}${user === undefined ? '' : `${user}@`}${host}`;
}

const reasons: readonly { pattern: RegExp; message: string; hint: (command: string) => string }[] = [
  {
    pattern:
      /host key verification failed|host key is known|no matching host key|IDENTIFICATION HAS CHANGED/i,
    message: 'ssh does not know the host key of that machine, or knows another one',
    hint: (command) => `Connect once by hand, compare the key and accept it: \`${command}\`.`,
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
    pattern:
      /docker: (?:command )?not found|command not found|'docker' is not recognized|no such file or directory.*docker/i,
    message: 'there is no `docker` command on that machine',
    hint: () =>
      'Install Docker there, with its command line, and see that PATH names it for commands of ssh.',
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

/** What ended a connection that never answered, in words: with what ssh has said. */
export function sshFailure(target: SshTarget, { code, signal, stderr }: ProcessEnd): EngineUnreachable {
  const said = stderr
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-4)
    .join(' ');
  const command = sshWords(target);
  const reason = reasons.find(({ pattern }) => pattern.test(said));
  const how = signal === null ? `ssh ended with code ${code ?? 0}` : `ssh was ended by ${signal}`;
  const words = said === '' ? how : said;
  return new EngineUnreachable(
    `No container engine answers at ${command.slice('ssh '.length)}: ${reason === undefined ? words : `${reason.message} (${words})`}.`,
    reason?.hint(command) ?? `See that \`${command} docker version\` works.`,
  );
}
