/** Extra ports of workspaces: on loopback, from the ledger that has the SSH ports too. */
import { BerthError } from '../../../../api/errors';
import type { PublishedPort } from '../../../../api/workspaces/schemas';
import type { PlannedPort } from '../../../drivers/driver';
import { programOn } from '../../../ssh/port-user';
import { isFree, type PortLedger } from '../../../ssh/ports';

/** One of a record: its port of this machine is known. */
export interface AssignedPort extends PlannedPort {
  chosen?: boolean;
}

/** Those of a record: all are assigned. */
export function assignedOf(ports: readonly PublishedPort[] | undefined): AssignedPort[] {
  return (ports ?? []).flatMap(({ host, ...port }) => (host === undefined ? [] : [{ ...port, host }]));
}

/** As drivers take them. */
export function portsOf(ports: readonly PublishedPort[] | undefined): PlannedPort[] {
  return (ports ?? []).flatMap(({ host, guest }) => (host === undefined ? [] : [{ host, guest }]));
}

/**
 * Reserves what `owner` has not got yet; throws with the field, and with nothing reserved. A port that is not named
 * stays what it is in `before`, when there is one for the same port inside.
 */
export async function reservePorts(
  ledger: PortLedger,
  owner: string,
  wanted: readonly PublishedPort[],
  before: readonly AssignedPort[] = [],
): Promise<AssignedPort[]> {
  refuseTwice(wanted);
  const reserved: number[] = [];
  try {
    const ports: AssignedPort[] = [];
    for (const [index, { host, guest, chosen }] of wanted.entries()) {
      const kept = before.find((port) => port.guest === guest && (host ?? port.host) === port.host);
      const port = kept?.host ?? (await reserve(ledger, owner, { host, index }, before));
      if (!before.some((old) => old.host === port)) {
        reserved.push(port);
      }
      // Who names one pins it, also the one that Berth had chosen; who sends back what he read changes nothing.
      const isChosen = host === undefined ? kept === undefined || kept.chosen === true : chosen === true;
      ports.push({ host: port, guest, ...(isChosen && { chosen: true }) });
    }
    return ports;
  } catch (error) {
    reserved.forEach((port) => ledger.releasePort(port, owner));
    throw error;
  }
}

/** Reserves what is wanted, has it applied, and gives back what was there before; or leaves all as it was. */
export async function changePorts(
  ledger: PortLedger,
  owner: string,
  ports: { wanted: readonly PublishedPort[]; before: readonly PublishedPort[] | undefined },
  apply: (ports: readonly PlannedPort[]) => Promise<void>,
): Promise<AssignedPort[]> {
  const before = assignedOf(ports.before);
  const next = await reservePorts(ledger, owner, ports.wanted, before);
  try {
    await apply(portsOf(next));
  } catch (error) {
    releasePorts(ledger, owner, next, before);
    throw error;
  }
  releasePorts(ledger, owner, before, next);
  return next;
}

/** Gives back what is not among `kept`. */
export function releasePorts(
  ledger: PortLedger,
  owner: string,
  ports: readonly PlannedPort[],
  kept: readonly PlannedPort[],
): void {
  ports
    .filter(({ host }) => !kept.some((port) => port.host === host))
    .forEach(({ host }) => ledger.releasePort(host, owner));
}

/**
 * Before a start: what Berth chose itself moves away from a program that has taken it meanwhile; what the user named is
 * known to others by now: throws `in_use`, with nothing moved. `refused`: what the system says is taken, though nobody
 * listens on it.
 */
export async function movePorts(
  ledger: PortLedger,
  owner: string,
  ports: readonly AssignedPort[],
  refused: ReadonlySet<number> = new Set(),
): Promise<{ ports: AssignedPort[]; moves: { from: AssignedPort; to: number }[] }> {
  const areFree = await Promise.all(
    ports.map(async ({ host }) => !refused.has(host) && (await isFree(host))),
  );
  for (const [index, { host, guest, chosen }] of ports.entries()) {
    if (areFree[index] === false && chosen !== true) {
      throw taken(host, await programOn(host), index, giveUp(owner, guest));
    }
  }
  const moves: { from: AssignedPort; to: number }[] = [];
  const moved: AssignedPort[] = [];
  try {
    for (const [index, port] of ports.entries()) {
      const host = areFree[index] === true ? port.host : await ledger.assign(owner);
      moved.push({ ...port, host });
      if (host !== port.host) {
        moves.push({ from: port, to: host });
      }
    }
  } catch (error) {
    moves.forEach(({ to }) => ledger.releasePort(to, owner));
    throw error;
  }
  return { ports: moved, moves };
}

/** Those that a refusal of the system names, as `127.0.0.1:8080` or `port 8080`. */
export function portsNamedIn(message: string): Set<number> {
  return new Set([...message.matchAll(/(?::|\bport )(\d{1,5})\b/gi)].map(([, port]) => Number(port)));
}

async function reserve(
  ledger: PortLedger,
  owner: string,
  { host, index }: { host: number | undefined; index: number },
  before: readonly PlannedPort[],
): Promise<number> {
  if (host === undefined) {
    return ledger.assign(owner);
  }
  const isOurs = before.some((port) => port.host === host);
  const holder = ledger.ownerOf(host);
  if (holder !== undefined && !isOurs) {
    throw taken(host, `the workspace ${holder}`, index);
  }
  if (!isOurs) {
    // Reserved first: another request may come while the system is asked.
    ledger.reserve(host, owner);
    if (!(await isFree(host))) {
      ledger.releasePort(host, owner);
      throw taken(host, await programOn(host), index);
    }
  }
  return host;
}

function refuseTwice(wanted: readonly PublishedPort[]): void {
  for (const [index, { host, guest }] of wanted.entries()) {
    const others = wanted.slice(0, index);
    const isTwice =
      host === undefined
        ? others.some((port) => port.guest === guest)
        : others.some((port) => port.host === host);
    if (isTwice) {
      throw new BerthError('bad_request', `The port ${host ?? guest} is named twice.`, {
        field: `ports.${index}`,
      });
    }
  }
}

/** For a port that the workspace has: a start names none. */
function giveUp(owner: string, guest: number): string {
  return `End that program, or give the port up: \`berth port remove ${owner} ${guest}\`.`;
}

function taken(
  host: number,
  who: string,
  index: number,
  hint = 'Choose another port, or leave it out and Berth picks a free one.',
): BerthError {
  return new BerthError('in_use', `Port ${host} of this machine is used by ${who}.`, {
    field: `ports.${index}.host`,
    hint,
  });
}
