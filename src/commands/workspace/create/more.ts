/** What few give a new workspace, as texts of one line. Pure, without VS Code. */
import type { IdlePolicy, NetworkMode, PublishedPort, WorkspaceCreate } from '../../../api';
import { variablePattern } from '../../../api/rules/names';
import { parsePort } from '../../../api/rules/ports';

export interface MoreChoices {
  ports?: PublishedPort[];
  env?: Record<string, string>;
  /** `SOURCE:TARGET[:ro]`, as the engine takes them. */
  volumes?: string[];
  network?: NetworkMode;
  idle?: IdlePolicy;
}

/** `8080, 3000:80`; undefined when one of them is no port, or a port inside is there twice. */
export function parsePorts(text: string): PublishedPort[] | undefined {
  const ports = listed(text).map(parsePort);
  const known = ports.filter((port) => port !== undefined);
  const isPlain = new Set(known.map(({ guest }) => guest)).size === ports.length;
  return isPlain ? known : undefined;
}

/** The text that `parsePorts` reads. */
export function portsText(ports: readonly PublishedPort[] = []): string {
  return ports.map(({ host, guest }) => (host === undefined ? String(guest) : `${host}:${guest}`)).join(', ');
}

/** `NAME=value OTHER="with spaces"`; undefined when something of it is no variable. */
export function parseVariables(text: string): Record<string, string> | undefined {
  const words = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+|["']/g) ?? [];
  const pairs = words.map((word): [string, string] | undefined => {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    return new RegExp(variablePattern).test(name)
      ? [
          name,
          value.replace(
            /"([^"]*)"|'([^']*)'/g,
            (_, double?: string, single = '') => double ?? String(single),
          ),
        ]
      : undefined;
  });
  const known = pairs.filter((pair) => pair !== undefined);
  return known.length === pairs.length ? Object.fromEntries(known) : undefined;
}

/** The text that `parseVariables` reads. */
export function variablesText(env: Readonly<Record<string, string>> = {}): string {
  const quoted = (value: string): string =>
    !/[\s"']/.test(value) ? value : value.includes('"') ? `'${value}'` : `"${value}"`;
  return Object.entries(env)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(' ');
}

/** `data:/mnt/data, cache:/cache:ro`; undefined when one of them names no path inside. */
export function parseVolumes(text: string): string[] | undefined {
  const volumes = listed(text);
  return volumes.every((volume) => /^.+:\/[^:]*(:r[ow])?$/.test(volume)) ? volumes : undefined;
}

/** What of it the request names: nothing of what was left as it is. */
export function moreRequest(more: MoreChoices = {}): Partial<WorkspaceCreate> {
  const { ports = [], env = {}, volumes = [], network, idle } = more;
  return {
    ...(ports.length > 0 && { ports }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(volumes.length > 0 && { volumes }),
    ...(network !== undefined && { network }),
    ...(idle !== undefined && { idle }),
  };
}

const listed = (text: string): string[] => text.split(/[,\s]+/).filter((part) => part !== '');
