import type { Command } from 'commander';
import { BerthError, type PublishedPort, type Workspace } from '../../../api';
import type { Cli } from '../../cli';
import { examples } from '../../help';
import { collectPorts } from '../../parse/options';
import { formatPort, formatWarnings } from '../../workspaces';

const toPort = (text: string, previous?: readonly PublishedPort[]) => collectPorts(text, previous);

/** `port list|add|remove`. */
export function registerPort(program: Command, cli: Cli): void {
  const port = program
    .command('port')
    .description('show and change which ports inside are reached on 127.0.0.1 of this machine');
  examples(
    port
      .command('list')
      .description('list the ports of a workspace')
      .argument('<name>')
      .action((name: string) => list(cli, name)),
    ['berth port list web', ''],
  );
  examples(
    port
      .command('add')
      .description('publish ports; live in a microVM, with the next rebuild in a container')
      .argument('<name>')
      .argument('<port...>', 'a port inside, alone or after the one of this machine', toPort)
      .action((name: string, ports: PublishedPort[]) => add(cli, name, ports)),
    ['berth port add web 8080', 'on a free port'],
    ['berth port add web 18080:8080', ''],
  );
  examples(
    port
      .command('remove')
      .description('stop publishing ports')
      .argument('<name>')
      .argument('<port...>', 'a port inside, or one pair', toPort)
      .action((name: string, ports: PublishedPort[]) => remove(cli, name, ports)),
    ['berth port remove web 8080', ''],
  );
}

async function list(cli: Cli, name: string): Promise<void> {
  const ports = portsOf(await get(cli, name));
  cli.result(ports, () => shown(name, ports));
}

async function add(cli: Cli, name: string, wanted: readonly PublishedPort[]): Promise<void> {
  await change(cli, name, [...portsOf(await get(cli, name)), ...wanted]);
}

async function remove(cli: Cli, name: string, unwanted: readonly PublishedPort[]): Promise<void> {
  const ports = portsOf(await get(cli, name));
  const isMeant = (port: PublishedPort, { host, guest }: PublishedPort): boolean =>
    port.guest === guest && (host === undefined || port.host === host);
  const unknown = unwanted.find((each) => !ports.some((port) => isMeant(port, each)));
  if (unknown !== undefined) {
    throw new BerthError('not_found', `${name} does not publish its port ${unknown.guest}.`, {
      hint: `\`berth port list ${name}\` shows those that it does.`,
    });
  }
  await change(
    cli,
    name,
    ports.filter((port) => !unwanted.some((each) => isMeant(port, each))),
  );
}

async function change(cli: Cli, name: string, ports: PublishedPort[]): Promise<void> {
  const client = await cli.engine();
  const workspace = await client.call('workspaces.update', { params: { name }, body: { ports } });
  const now = portsOf(workspace);
  cli.result(now, () => [shown(name, now), ...formatWarnings(workspace, 'ports')].join('\n'));
}

async function get(cli: Cli, name: string): Promise<Workspace> {
  const client = await cli.engine();
  return client.call('workspaces.get', { params: { name }, signal: cli.signal });
}

function portsOf({ spec: { ports = [] } }: Workspace): PublishedPort[] {
  return ports;
}

function shown(name: string, ports: readonly PublishedPort[]): string {
  return ports.length === 0 ? `${name} publishes no ports.` : ports.map(formatPort).join('\n');
}
