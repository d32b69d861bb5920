/** Counts what an engine could leave behind on this machine, so that two counts can be compared. */
import { readFile, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { PortRange } from '../../../src/backend/ssh/ports';
import type { RuntimeUnderTest } from '../runtimes/runtime-under-test';

export interface Census {
  runtimes: string[];
  volumes: string[];
  ports: number[];
  files: string[];
  processes: string[];
}

export interface CensusArea {
  runtime: RuntimeUnderTest;
  home: string;
  /** TMPDIR of the engine. */
  temp: string;
  ports: PortRange;
}

/** Operations are kept for a while, the log, the store of secrets, the list of volumes and some folders always: none is a leak. */
const keptFiles =
  /^home\/(operations\/.*|engine\.(log|stderr).*|[^/]*-engine\.log.*|keys\/(master\.key|secrets\.json)|volumes(\/index\.json)?|downloads)$/;

export async function takeCensus(area: CensusArea): Promise<Census> {
  const [runtimes, volumes, ports, files, processes] = await Promise.all([
    area.runtime.runtimes(),
    area.runtime.volumes(),
    listeningPorts(area.ports),
    filesOf(area),
    processesOf(area.home),
  ]);
  return { runtimes, volumes, ports, files, processes };
}

/** Of the whole machine, whoever listens: addresses as the kernel writes them, by port (proc_net_tcp: state 0A). */
async function listening(): Promise<{ address: string; port: number }[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  return tables.flatMap((table) =>
    table
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A')
      .map((fields) => {
        const [address = '', port = ''] = fields[1]?.split(':') ?? [];
        return { address, port: parseInt(port, 16) };
      }),
  );
}

export async function listeningPorts({ first, last }: PortRange): Promise<number[]> {
  const found = (await listening()).map(({ port }) => port);
  return [...new Set(found)].filter((port) => port >= first && port <= last).sort((a, b) => a - b);
}

/** Loopback is 0100007F. */
export async function listeningAddresses(port: number): Promise<string[]> {
  return (await listening()).filter((each) => each.port === port).map(({ address }) => address);
}

async function filesOf({ home, temp }: CensusArea): Promise<string[]> {
  const below = async (folder: string, name: string) => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.map((entry) => join(name, relative(folder, entry.parentPath), entry.name));
  };
  const all = [...(await below(home, 'home')), ...(await below(temp, 'temp'))];
  return all.filter((path) => !keptFiles.test(path)).sort();
}

/** Everything that was started with this state directory in its environment. */
export async function processesOf(home: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const wanted = Buffer.from(`BERTH_HOME=${home}`).toString('latin1');
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      if (!environment.split('\0').includes(wanted)) {
        return [];
      }
      const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
      // One without has ended meanwhile.
      return command === '' ? [] : [`${pid} ${command.replaceAll('\0', ' ')}`];
    }),
  );
  return found.flat();
}
