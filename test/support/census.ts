/** Counts what an engine could leave behind on this machine, so that two counts can be compared. */
import { readFile, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type Dockerode from 'dockerode';
import type { PortRange } from '../../src/backend/ssh/ports';

export interface Census {
  containers: string[];
  volumes: string[];
  ports: number[];
  files: string[];
  processes: string[];
}

export interface CensusArea {
  docker: Dockerode;
  /** In the names of all that the tests make. */
  prefix: string;
  home: string;
  /** TMPDIR of the engine. */
  temp: string;
  ports: PortRange;
}

/** Operations are kept for a while, the log and the store of secrets always: none of them is a leak. */
const keptFiles =
  /^home\/(operations\/.*|engine\.(log|stderr).*|[^/]*-engine\.log.*|keys\/(master\.key|secrets\.json))$/;

export async function takeCensus(area: CensusArea): Promise<Census> {
  const [containers, volumes, ports, files, processes] = await Promise.all([
    containersOf(area),
    volumesOf(area),
    listeningPorts(area.ports),
    filesOf(area),
    processesOf(area.home),
  ]);
  return { containers, volumes, ports, files, processes };
}

async function installationOf(home: string): Promise<string> {
  try {
    const record: unknown = JSON.parse(await readFile(join(home, 'installation.json'), 'utf8'));
    return (record as { id: string }).id;
  } catch {
    return 'none';
  }
}

/** By name, or by the label of the installation: keepers and bundles have no name of ours. */
export async function containersOf({ docker, prefix, home }: CensusArea): Promise<string[]> {
  const installation = await installationOf(home);
  const all = await docker.listContainers({ all: true });
  return all
    .filter(
      ({ Names, Labels }) =>
        Names.some((name) => name.includes(prefix)) ||
        Object.values(Labels).some((value) => value === installation || value.includes(prefix)),
    )
    .map(({ Id, Names, State }) => `${Id.slice(0, 12)} ${Names.join(',')} ${State}`)
    .sort();
}

/** The volume of the tools is shared by all and stays. */
export async function volumesOf({ docker, prefix, home }: CensusArea): Promise<string[]> {
  const installation = await installationOf(home);
  const { Volumes: all } = await docker.listVolumes();
  return all
    .filter(
      ({ Name, Labels }) =>
        Name.includes(prefix) ||
        (!Name.startsWith('berth-tools-') &&
          Object.values((Labels as Record<string, string> | null) ?? {}).includes(installation)),
    )
    .map(({ Name }) => Name)
    .sort();
}

/** Of the whole machine, whoever listens (proc_net_tcp: state 0A). */
export async function listeningPorts({ first, last }: PortRange): Promise<number[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  const found = tables.flatMap((table) =>
    table
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A')
      .map((fields) => parseInt(fields[1]?.split(':').at(-1) ?? '', 16)),
  );
  return [...new Set(found)].filter((port) => port >= first && port <= last).sort((a, b) => a - b);
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
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      if (!environment.split('\0').includes(`BERTH_HOME=${home}`)) {
        return [];
      }
      const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
      return [`${pid} ${command.replaceAll('\0', ' ')}`];
    }),
  );
  return found.flat();
}
