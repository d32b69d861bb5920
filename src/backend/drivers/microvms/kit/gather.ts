/** Runs `gather.sh`: Debian's packages, fetched and unpacked without being installed. */
import { BerthError, asBerthError } from '../../../../api/errors';
import { runWell } from '../../../machine/run';

const gatherTimeoutMs = 15 * 60_000;
const hint =
  'The kernel of microVMs is made from packages of Debian 12: there, run `apt-get update` as root, then try again.';

/**
 * Answers what it printed. Its messages go to `line`; cancelling ends it with all it started. Throws `cancelled`, and
 * `runtime_unavailable` with its last words.
 */
export async function gather(
  script: string,
  args: readonly string[],
  line: (text: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const what = 'prepare the kernel of microVMs';
  try {
    const options = { what, timeoutMs: gatherTimeoutMs, signal, onErrorLine: line };
    return (await runWell('sh', [script, ...args], options)).stdout;
  } catch (error) {
    const { code, message } = asBerthError(error);
    throw code === 'cancelled'
      ? error
      : new BerthError('runtime_unavailable', message, { hint, cause: error });
  }
}
