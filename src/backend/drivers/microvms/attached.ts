/** Who uses a machine now: SSH connections through the forwarded port, and commands of people. */
import type { Machine } from './machine';

/**
 * Rows of `info usernet`: `TCP[ESTABLISHED] 14 127.0.0.1 2200 10.0.2.15 22 0 0`, from the host's side of the port.
 * Those that end are counted until they have.
 */
export function countConnections(table: string, sshPort: number): number {
  return table.split('\n').filter((line) => {
    const [state, , , source, target, port] = line.trim().split(/\s+/);
    return (
      state === 'TCP[ESTABLISHED]' && Number(source) === sshPort && target === '10.0.2.15' && port === '22'
    );
  }).length;
}

export async function countAttached(machine: Machine, sshPort: number): Promise<number> {
  return countConnections(await machine.qmp.human('info usernet'), sshPort) + machine.sessions;
}
