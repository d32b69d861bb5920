/** Which machine a QEMU runs. */
import { QmpClient } from './qmp';

/** A pid may be anybody's by now: only the machine itself says who it is. */
export async function isMachine(socket: string, uuid: string): Promise<boolean> {
  try {
    const qmp = await QmpClient.connect(socket, { timeoutMs: 1000, hopeless: () => 'nobody listens' });
    try {
      const answer = await qmp.execute('query-uuid');
      return typeof answer === 'object' && answer !== null && 'UUID' in answer && answer.UUID === uuid;
    } finally {
      qmp.close();
    }
  } catch {
    return false;
  }
}
