/** What the workspace of an adopted runtime has of it: volumes, ports, variables, limits. */
import { asBerthError } from '../../../api/errors';
import { homeAlias, homeFolder } from '../../../api/rules/home-volume';
import { variablePattern } from '../../../api/rules/names';
import type { Mount, WorkspaceSpec } from '../../../api/workspaces/schemas';
import type { BuiltWith } from '../../drivers/driver';
import { isFree, type PortLedger } from '../../ssh/ports';
import { parseMount } from './start/mount-syntax';
import type { AssignedPort } from './start/published-ports';

const maxVariables = 64;
const maxValue = 8192;
const maxMounts = 32;
const maxPorts = 32;
const homes: readonly string[] = [homeFolder, homeAlias];

export interface Inherited {
  spec: Pick<WorkspaceSpec, 'env' | 'limits' | 'mounts' | 'network' | 'docker'>;
  dockerVolume: string | undefined;
  ports: BuiltWith['ports'];
  /** What the workspace can't have, in words. */
  left: string[];
}

export const nothingInherited: Inherited = { spec: {}, dockerVolume: undefined, ports: [], left: [] };

/** What the workspace takes over, and in words what it can't. */
export function inheritedOf(built: BuiltWith, homeVolume: string): Inherited {
  const env = variablesOf(built.env);
  const mounts = mountsOf(built.mounts, homeVolume);
  const { limits, network, docker, dockerVolume } = built;
  const ports = network === 'off' ? [] : built.ports.slice(0, maxPorts);
  return {
    spec: {
      ...(Object.keys(env.kept).length > 0 && { env: env.kept }),
      ...(Object.keys(limits).length > 0 && { limits }),
      ...(mounts.kept.length > 0 && { mounts: mounts.kept }),
      ...(network !== 'on' && { network }),
      ...(docker && { docker }),
    },
    dockerVolume,
    ports,
    left: [
      ...mounts.left,
      ...env.left,
      ...built.others,
      ...built.ports.slice(ports.length).map(({ guest }) => `the port ${guest}`),
    ],
  };
}

function variablesOf(env: BuiltWith['env']): { kept: Record<string, string>; left: string[] } {
  const all = Object.entries(env);
  const isName = new RegExp(variablePattern);
  const fitting = all.filter(([name, value]) => isName.test(name) && value.length <= maxValue);
  const kept = Object.fromEntries(fitting.slice(0, maxVariables));
  const others = all.filter(([name]) => !Object.hasOwn(kept, name));
  return { kept, left: others.map(([name]) => `the variable ${JSON.stringify(name.slice(0, 80))}`) };
}

function mountsOf(all: readonly Mount[], homeVolume: string): { kept: Mount[]; left: string[] } {
  const kept: Mount[] = [];
  const left: string[] = [];
  for (const mount of all) {
    const { source, target, readOnly } = mount;
    if (source === homeVolume && homes.includes(target)) {
      continue;
    }
    try {
      // The rules of those that a user names.
      kept.push({ ...mount, target: parseMount(`${source}:${target}:${readOnly ? 'ro' : 'rw'}`).target });
    } catch (error) {
      left.push(`the volume ${source} at ${target} (${asBerthError(error).message})`);
    }
  }
  left.push(...kept.splice(maxMounts).map(({ source, target }) => `the volume ${source} at ${target}`));
  return { kept, left };
}

/**
 * Reserves the ports that it has. `isRunning`: it listens on them itself. One that somebody else has becomes another,
 * which `said` tells.
 */
export async function inheritPorts(
  ledger: PortLedger,
  owner: string,
  wanted: BuiltWith['ports'],
  isRunning: boolean,
): Promise<{ ports: AssignedPort[]; said: string[] }> {
  const ports: AssignedPort[] = [];
  const said: string[] = [];
  try {
    for (const { host, guest } of wanted) {
      if (host !== undefined && ledger.ownerOf(host) === undefined) {
        ledger.reserve(host, owner);
        if (isRunning || (await isFree(host))) {
          ports.push({ host, guest });
          continue;
        }
        ledger.releasePort(host, owner);
      }
      const holder = host === undefined ? undefined : holderOf(ledger, host);
      const another = await ledger.assign(owner);
      ports.push({ host: another, guest, chosen: true });
      said.push(
        ...(host === undefined
          ? []
          : [`Port ${host} is taken by ${holder ?? 'another program'}: ${guest} inside is on ${another}.`]),
      );
    }
    return { ports, said };
  } catch (error) {
    ports.forEach(({ host }) => ledger.releasePort(host, owner));
    throw error;
  }
}

function holderOf(ledger: PortLedger, port: number): string | undefined {
  const holder = ledger.ownerOf(port);
  return holder === undefined ? undefined : `workspace ${holder}`;
}
