/** Who uses a workspace now: SSH connections, those of published ports, and commands of people, not our own helpers. */
import type Dockerode from 'dockerode';
import { BerthError } from '../../../../api/errors';
import { isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { runInside } from './exec';
import { execMarker, toolsDirectory } from '../../../inside/init-script';
import { stateOf } from './runtime-info';
import { sshPortInside } from '../../../inside/places';

/**
 * sshd names its processes after their purpose: `sshd: workspace [priv]` is one connection of an ordinary user, with
 * a `[net]` beside it until it has logged in; root's connections have no `[priv]`.
 */
export function countConnections(titles: readonly string[]): number {
  const count = (pattern: RegExp): number => titles.filter((title) => pattern.test(title)).length;
  const ordinary = count(/^sshd: \S+ \[priv\]/) - count(/^sshd: \S+ \[net\]/);
  return Math.max(0, ordinary) + count(/^sshd: root(@\S+)?$/);
}

/** How many clients use a container. Throws `not_found`. */
export async function countAttached(endpoint: Endpoint, name: string): Promise<number> {
  return endpoint.call(`find out who uses ${name}`, async (docker) => {
    const container = docker.getContainer(name);
    try {
      const { State, ExecIDs, HostConfig: host } = await container.inspect();
      if (stateOf(State.Status) === 'stopped') {
        return 0;
      }
      const counts = await Promise.all([
        container.top().then((top: Top) => countConnections(titlesOf(top))),
        countExecs(docker, ExecIDs ?? []),
        State.Paused ? 0 : countClients(endpoint, name, publishedInside(host.PortBindings)),
      ]);
      return counts.reduce((sum, count) => sum + count, 0);
    } catch (error) {
      if (isStatus(error, 409)) {
        return 0;
      }
      throw isStatus(error, 404) ? new BerthError('not_found', `There is no container ${name}.`) : error;
    }
  });
}

/** Ports inside that are published beside that of SSH, whose connections sshd's processes tell. */
export function publishedInside(bindings: unknown): number[] {
  return Object.keys(bindings ?? {})
    .map((key) => /^(\d+)\/tcp$/.exec(key)?.[1])
    .filter((port) => port !== undefined)
    .map(Number)
    .filter((port) => port !== sshPortInside);
}

/**
 * Counts rows of `/proc/net/tcp` and `tcp6` (proc_pid_net(5)) that are established, have one of `ports` (in hexadecimal, between
 * commas) at this end, and come from elsewhere than the container's own loopback. There is no `tcp6` without IPv6.
 */
const countingProgram = `BEGIN {
  for (i = 1; i < ARGC; i++) while ((getline row < ARGV[i]) > 0) {
    split(row, field, " "); split(field[2], here, ":"); split(field[3], there, ":")
    if (field[4] == "01" && index(ports, "," here[2] ",") &&
        there[1] !~ /7F$/ && there[1] != "00000000000000000000000001000000") count++
  }
  print count + 0
}`;
const countingTimeoutMs = 10_000;

async function countClients(endpoint: Endpoint, name: string, ports: readonly number[]): Promise<number> {
  if (ports.length === 0) {
    return 0;
  }
  const { exitCode, output } = await runInside(endpoint, name, {
    argv: countingCommand(ports, ['/proc/net/tcp', '/proc/net/tcp6']),
    timeoutMs: countingTimeoutMs,
  });
  if (exitCode !== 0 || !/^\d+$/.test(output)) {
    throw new BerthError('internal', `Could not count the connections of ${name}: ${output}`);
  }
  return Number(output);
}

/** The program that counts, inside: its one line of output is the number of connections to these ports. */
export function countingCommand(ports: readonly number[], tables: readonly string[]): string[] {
  const inHex = ports.map((port) => port.toString(16).toUpperCase().padStart(4, '0')).join(',');
  return [`${toolsDirectory}/busybox/awk`, '-v', `ports=,${inHex},`, countingProgram, ...tables];
}

interface Top {
  Titles: string[];
  Processes: string[][];
}

function titlesOf(top: Top): string[] {
  const column = top.Titles.findIndex((title) => title === 'CMD' || title === 'COMMAND');
  return top.Processes.map((process) => process.at(column) ?? '');
}

async function countExecs(docker: Dockerode, ids: readonly string[]): Promise<number> {
  const running = await Promise.all(
    ids.map(async (id) => {
      try {
        const { Running, ProcessConfig: config } = await docker.getExec(id).inspect();
        return Running && isPersons(config.entrypoint, config.arguments);
      } catch (error) {
        if (isStatus(error, 404)) {
          return false;
        }
        throw error;
      }
    }),
  );
  return running.filter(Boolean).length;
}

/** What starts from the tools is ours, unless it is the front of somebody's command. */
function isPersons(program: string, args: readonly string[]): boolean {
  return args.includes(execMarker) || !program.startsWith(`${toolsDirectory}/`);
}
