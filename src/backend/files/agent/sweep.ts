import type { AgentChannel } from './channel';

/** What is not done by then is for whoever opens the volume next. */
const timeoutMs = 120_000;

/**
 * Has what uploads and saves of a killed engine left removed or finished. A guest can make any number of such leftovers,
 * so neither an error nor their size keeps the volume from being opened.
 */
export async function sweepLeftovers(channel: AgentChannel): Promise<void> {
  try {
    await channel.request('sweep', {}, { signal: AbortSignal.timeout(timeoutMs), timeoutMs: 2 * timeoutMs });
  } catch (error) {
    if (!channel.isOpen) {
      throw error;
    }
  }
}
