/** What the owner of a microVM should know while it runs. */
import type { Problem } from '../../../../api/workspaces/schemas';
import type { Machine } from '../machines/machine';
import { diskMounts } from './runtime-plan';
import type { RuntimeRecord } from './runtime-record';

/** It was started by an earlier version of Berth, or under another setting. */
const openLoopback: Problem = {
  code: 'open-loopback',
  message: 'It reaches what listens on 127.0.0.1 of this machine, as it was started before that was closed.',
  hint: 'Stop it and start it again to close that.',
};

/** The gravest first: there is room for one. */
export function warningOf(
  machine: Machine,
  record: Pick<RuntimeRecord, 'plan'>,
  opensLoopback: boolean,
): Problem | undefined {
  const lost = lostShares(record, machine.shares.lost);
  const isOpen = machine.isGoing && !machine.network.isFiltering;
  const isUnfiltered = isOpen && record.plan.network === 'on' && !opensLoopback;
  return lost ?? (isUnfiltered ? openLoopback : undefined);
}

/** Of folders whose daemon has ended, by their serials with what it said last. */
export function lostShares(
  { plan }: Pick<RuntimeRecord, 'plan'>,
  lost: ReadonlyMap<string, string>,
): Problem | undefined {
  const gone = diskMounts(plan).filter(({ serial }) => lost.has(serial));
  if (gone.length === 0) {
    return undefined;
  }
  const places = gone.map(({ volume = '', target }) => `${volume} at ${target}`).join(', ');
  const said = gone.map(({ serial }) => lost.get(serial) ?? '').find((words) => words !== '');
  const quoted = said === undefined ? '' : ` Its last output: ${said}`;
  return {
    code: 'share-lost',
    message: `virtiofsd has ended: what asks for the folder ${places} waits for ever inside.${quoted}`,
    hint: `Stop it and start it again: \`berth restart ${plan.workspace}\`. Its other files are not affected.`,
  };
}
