/** Who uses a machine now: connections through forwarded ports (SSH and published ones), and commands of people. */
import type { Machine } from '../machines/machine';

/**
 * Rows of `info usernet`: `TCP[ESTABLISHED] 14 127.0.0.1 2200 10.0.2.15 22 0 0`, from the host's side of the port: what
 * comes in has the guest's address as its target. Those that end are counted until they have.
 */
export function countConnections(table: string): number {
  return table.split('\n').filter((line) => {
    const [state, , , , target] = line.trim().split(/\s+/);
    return state === 'TCP[ESTABLISHED]' && target === '10.0.2.15';
  }).length;
}

/** How many connections and commands there are. Throws when QEMU does not answer. */
export async function countAttached(machine: Machine): Promise<number> {
  return countConnections(await machine.qmp.human('info usernet')) + machine.sessions;
}
