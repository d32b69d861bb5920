/** What the user's own ssh makes of configuration files: `ssh -G` prints it for a host without connecting. */
import { execFile } from 'node:child_process';
import { fixedOptions } from './options';

const timeoutMs = 10_000;

type Answer = { options: Map<string, string> } | { failure: string } | undefined;

/** Undefined where there is no ssh. The first value of an option counts. */
function effective(config: string, host: string): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { timeout: timeoutMs, windowsHide: true };
    execFile('ssh', ['-G', '-F', config, '--', host], options, (error, stdout, stderr) => {
      if (error === null) {
        const lines = stdout.split(/\r?\n/).map((line) => line.split(/ (.*)/s));
        resolve({ options: new Map(lines.reverse().map(([name = '', value = '']) => [name, value])) });
      } else {
        const said = stderr.trim();
        resolve(error.code === 'ENOENT' ? undefined : { failure: said === '' ? error.message : said });
      }
    });
  });
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
