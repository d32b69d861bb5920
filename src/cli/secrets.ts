/** Values of secrets, which never are arguments. */
import { BerthError } from '../api';
import { readAll } from '../client/transport';
import type { Cli } from './cli';
import { secretName } from './parse/options';

/**
 * Values from the environment; else asked without echo, or one of them read from standard input. Throws `bad_request`
 * for several without a value, where nobody can be asked.
 */
export async function readSecrets(cli: Cli, given: readonly string[]): Promise<Record<string, string>> {
  const names = given.map(secretName);
  const secrets: Record<string, string> = {};
  const missing = names.filter((name) => cli.env[name] === undefined);
  if (missing.length > 1 && !cli.isInteractive) {
    throw new BerthError('bad_request', `No values for the secrets ${missing.join(', ')}.`, {
      field: `secrets.${missing[0] ?? ''}`,
      hint: 'Set environment variables of these names; standard input can give only one.',
    });
  }
  for (const name of names) {
    secrets[name] = cli.env[name] ?? (await readSecret(cli, name));
  }
  return secrets;
}

async function readSecret(cli: Cli, name: string): Promise<string> {
  if (cli.isInteractive) {
    return cli.ask(`${name}: `, { hidden: true });
  }
  const given = await readAll(cli.streams.stdin);
  // An empty line says that it shall be empty; nothing at all says that nobody gave it.
  if (given.length === 0) {
    throw new BerthError('bad_request', `There is no value for the secret ${name}.`, {
      field: `secrets.${name}`,
      hint: `Set an environment variable ${name}, or pass the value on standard input.`,
    });
  }
  return given.toString('utf8').replace(/\r?\n$/, '');
}
