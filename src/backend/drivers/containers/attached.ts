/** Who uses a workspace now: SSH connections and commands of people, not our own helpers. */
import type Dockerode from 'dockerode';
import { BerthError } from '../../../api/errors';
import { isStatus } from './docker-errors';
import type { Endpoint } from './endpoint';
import { execMarker, toolsDirectory } from './init-script';
import { stateOf } from './runtime-info';

/**
 * sshd names its processes after their purpose: `sshd: workspace [priv]` is one connection of an ordinary user, with
 * a `[net]` beside it until it has logged in; root's connections have no `[priv]`.
 */
export function countConnections(titles: readonly string[]): number {
  const count = (pattern: RegExp): number => titles.filter((title) => pattern.test(title)).length;
  const ordinary = count(/^sshd: \S+ \[priv\]/) - count(/^sshd: \S+ \[net\]/);
  return Math.max(0, ordinary) + count(/^sshd: root(@\S+)?$/);
}

export async function countAttached(endpoint: Endpoint, name: string): Promise<number> {
  return endpoint.call(`look who uses ${name}`, async (docker) => {
    const container = docker.getContainer(name);
    try {
      const { State, ExecIDs } = await container.inspect();
      if (stateOf(State.Status) === 'stopped') {
        return 0;
      }
      const [connections, execs] = await Promise.all([
        container.top().then((top: Top) => countConnections(titlesOf(top))),
        countExecs(docker, ExecIDs ?? []),
      ]);
      return connections + execs;
    } catch (error) {
      if (isStatus(error, 409)) {
        return 0;
      }
      throw isStatus(error, 404) ? new BerthError('not_found', `There is no container ${name}.`) : error;
    }
  });
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
