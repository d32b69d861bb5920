/** Which program has a port of this machine, for messages. Linux alone tells, by proc(5). */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

const tables = ['tcp', 'tcp6'];
/** TCP_LISTEN of linux/tcp_states.h. */
const listening = '0A';
const maxNameLength = 40;

/** `python3 (process 4242)`; `another program` where that can't be told, as of other users' without root. */
export async function programOn(port: number, proc = '/proc'): Promise<string> {
  try {
    const sockets = await socketsOn(port, proc);
    const pid = sockets.size === 0 ? undefined : await processWith(sockets, proc);
    return pid === undefined ? unknownProgram : `${await nameOf(pid, proc)} (process ${pid})`;
  } catch {
    return unknownProgram;
  }
}

export const unknownProgram = 'another program';

async function socketsOn(port: number, proc: string): Promise<ReadonlySet<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const texts = await Promise.all(
    tables.map((table) => readFile(join(proc, 'net', table), 'utf8').catch(() => '')),
  );
  const rows = texts.flatMap((text) => text.split('\n').map((line) => line.trim().split(/\s+/)));
  return new Set(
    rows
      .filter(([, local = '', , state]) => local.endsWith(suffix) && state === listening)
      .map((row) => `socket:[${row[9] ?? ''}]`),
  );
}

async function processWith(sockets: ReadonlySet<string>, proc: string): Promise<string | undefined> {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const folder = join(proc, pid, 'fd');
    for (const file of await readdir(folder).catch(() => [])) {
      if (sockets.has(await readlink(join(folder, file)).catch(() => ''))) {
        return pid;
      }
    }
  }
  return undefined;
}

/** A program names itself: what is no plain text is left out. */
async function nameOf(pid: string, proc: string): Promise<string> {
  const name = await readFile(join(proc, pid, 'comm'), 'utf8');
  return name.replace(/[^\x20-\x7e]/g, '').slice(0, maxNameLength);
}
