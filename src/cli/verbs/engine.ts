import type { Command } from 'commander';
import { BerthError, type DoctorReport, type EngineInfo } from '../../api';
import { placeWords } from '../../api/rules/runtimes';
import { endEngineOf } from '../../client/end-engine';
import { EngineClient } from '../../client/engine-client';
import { socketPath } from '../../client/endpoint';
import { probe, untilGone } from '../../client/launch';
import type { Cli } from '../cli';
import { exitCodes } from '../failure';
import { formatBytes } from '../../api/rules/sizes';
import { formatFields } from '../format/table';
import { formatAgo } from '../format/time';
import { printable } from '../format/text';
import { examples } from '../help';
import { mark } from '../terminal/progress';

/** For a question that is answered at once. */
const answerTimeoutMs = 15_000;

/** `up`, `down`, `status`, `doctor`. */
export function registerEngine(program: Command, cli: Cli): void {
  examples(
    program
      .command('up')
      .description('start the engine; every other command also starts it')
      .action(() => up(cli)),
    ['berth up', 'start it and show what it can do'],
  );
  examples(
    program
      .command('down')
      .description('end the engine; workspaces go on running')
      .option(
        '--if-idle',
        'only when nothing would be cut off: no operation, command, terminal or transfer runs',
      )
      .action((options: { ifIdle?: boolean }) => down(cli, options.ifIdle === true)),
    ['berth down', 'end it; the next command starts it again'],
  );
  examples(
    program
      .command('status')
      .description('show the engine and its runtimes, without starting it')
      .action(() => status(cli)),
    ['berth status --json', 'as JSON, for programs'],
  );
  examples(
    program
      .command('doctor')
      .description('check this machine and say what to do')
      .action(() => doctor(cli)),
    ['berth doctor', 'exit code 1 when something is broken'],
  );
}

async function up(cli: Cli): Promise<void> {
  const client = await cli.engine();
  const info = await client.call('engine.info', { signal: cli.signal });
  cli.result(info, () => formatEngine(info, Date.now()));
}

async function status(cli: Cli): Promise<void> {
  const info = await running(cli, (client) => client.call('engine.info', { signal: cli.signal }));
  cli.result(info === undefined ? { running: false } : { running: true, ...info }, () =>
    info === undefined
      ? 'The engine is not running. The next command that needs it starts it.'
      : formatEngine(info, Date.now()),
  );
}

async function down(cli: Cli, onlyIfIdle: boolean): Promise<void> {
  const stopped = onlyIfIdle
    ? await running(cli, endIfIdle)
    : await endEngineOf(cli.home, { warn: (message) => cli.note(message) });
  cli.result({ stopped: stopped === true }, () =>
    stopped === true
      ? 'The engine has ended. Workspaces that ran go on running.'
      : 'The engine was not running.',
  );
}

async function endIfIdle(client: EngineClient): Promise<boolean> {
  const answer = await client.call('engine.stop', {
    body: { onlyIfIdle: true },
    signal: AbortSignal.timeout(answerTimeoutMs),
  });
  if (!answer.stopping) {
    throw new BerthError('illegal_state', `The engine keeps running: ${answer.reason ?? 'it is working'}.`, {
      hint: 'Leave out --if-idle to end it anyway.',
    });
  }
  await untilGone(client);
  return true;
}

/** Does something with the engine when one runs; never starts one. */
async function running<T>(cli: Cli, use: (client: EngineClient) => Promise<T>): Promise<T | undefined> {
  const client = new EngineClient(socketPath(cli.home));
  try {
    return (await probe(client)) === undefined ? undefined : await use(client);
  } finally {
    client.dispose();
  }
}

async function doctor(cli: Cli): Promise<void> {
  const client = await cli.engine();
  const report = await client.call('engine.doctor', { signal: cli.signal });
  cli.result(report, () => formatReport(cli, report));
  cli.exitCode = report.ok ? 0 : exitCodes.failure;
}

/** The engine in lines of name and value. `now` is in ms since 1970. */
export function formatEngine(info: EngineInfo, now: number): string {
  const drivers = info.drivers.map((driver): [string, string] => [
    driver.runtime,
    driver.available
      ? [driver.product, driver.endpoint, placeWords(driver.target), driver.message]
          .filter(Boolean)
          .join(', ')
      : `not available: ${[driver.message, driver.hint].filter(Boolean).join(' ')}`,
  ]);
  return formatFields([
    ['engine', `${info.version}, pid ${info.pid}, Node ${info.nodeVersion}`],
    ['state', info.home],
    ['started', formatAgo(info.startedAt, now)],
    ['memory', formatBytes(info.rssBytes)],
    ['clients', String(info.clients)],
    ['operations', String(info.operations)],
    ['ssh ports', `${info.portRange.first}-${info.portRange.last}`],
    ['image', info.defaultImage],
    ...drivers,
    ...info.setAside.map((record): [string, string] => ['set aside', record]),
  ]);
}

function formatReport(cli: Cli, report: DoctorReport): string {
  return report.checks
    .map((check) => {
      const hint = check.hint === undefined ? '' : `\n    ${printable(check.hint)}`;
      return `${mark(check.outcome, cli.style)} ${printable(check.title)}: ${printable(check.message)}${hint}`;
    })
    .join('\n');
}
