/** What the user's own ssh makes of configuration files: `ssh -G` prints it for a host without connecting. */
import { asBerthError } from '../../api/errors';
import { endInWords, run } from '../machine/run';
import { fixedOptions } from './options';

const timeoutMs = 10_000;

type Answer = { options: Map<string, string> } | { failure: string } | undefined;

/** Undefined where there is no ssh. The first value of an option counts. */
async function effective(config: string, host: string): Promise<Answer> {
  try {
    const options = { what: 'ask ssh what it makes of its configuration', timeoutMs };
    const end = await run('ssh', ['-G', '-F', config, '--', host], options);
    if (end.code !== 0) {
      const said = end.stderr.trim();
      return { failure: said === '' ? `ssh ${endInWords(end)}` : said };
    }
    const lines = end.stdout.split(/\r?\n/).map((line) => line.split(/ (.*)/s));
    return { options: new Map(lines.reverse().map(([name = '', value = '']) => [name, value])) };
  } catch (error) {
    const { code, message } = asBerthError(error);
    return code === 'not_supported' ? undefined : { failure: message };
  }
}

/** Options by which a connection to one of our hosts is told from any other. */
const compared = [
  ...['hostname', 'port', 'user', 'identityfile', 'userknownhostsfile', 'hostkeyalias', 'proxycommand'],
  ...['pubkeyacceptedalgorithms', ...fixedOptions.map(({ keyword }) => keyword.toLowerCase())],
];

/** Why ssh can't read a config file; undefined when it can, or there is no ssh. */
export async function unreadable(config: string, host: string): Promise<string | undefined> {
  const answer = await effective(config, host);
  return answer !== undefined && 'failure' in answer ? answer.failure : undefined;
}

/** Why ssh does not take from `userConfig` what `ours` says of a host; undefined when it does, or there is no ssh. */
export async function notTaken(userConfig: string, ours: string, host: string): Promise<string | undefined> {
  const [wanted, found] = await Promise.all([effective(ours, host), effective(userConfig, host)]);
  if (wanted === undefined || found === undefined) {
    return undefined;
  }
  if ('failure' in wanted || 'failure' in found) {
    return [wanted, found].flatMap((answer) => ('failure' in answer ? [answer.failure] : []))[0];
  }
  const other = compared.find((name) => wanted.options.get(name) !== found.options.get(name));
  return other === undefined
    ? undefined
    : `For Berth's hosts ssh takes ${other} from somewhere else (${found.options.get(other) ?? 'not set'}).`;
}
