/** The extra ports of a machine, changed while it runs. */
import { BerthError } from '../../../../api/errors';
import { forwardRule, type Forward } from '../qemu/command-line';
import type { QmpClient } from '../qemu/qmp';

/** Id of the network in the command line. */
const network = 'net';

/** As wanted, or, when one of them can't be had, as before; then throws `in_use`. */
export async function changeForwards(
  qmp: Pick<QmpClient, 'human'>,
  before: readonly Forward[],
  wanted: readonly Forward[],
): Promise<void> {
  const gone = without(before, wanted);
  const added: Forward[] = [];
  for (const forward of gone) {
    await remove(qmp, forward);
  }
  try {
    for (const forward of without(wanted, before)) {
      await add(qmp, forward);
      added.push(forward);
    }
  } catch (error) {
    for (const forward of added) {
      await remove(qmp, forward);
    }
    for (const forward of gone) {
      await add(qmp, forward);
    }
    throw error;
  }
}

async function add(qmp: Pick<QmpClient, 'human'>, forward: Forward): Promise<void> {
  const said = (await qmp.human(`hostfwd_add ${network} ${forwardRule(forward)}`)).trim();
  if (said !== '') {
    throw new BerthError('in_use', `Port ${forward.host} can't be used: another program has it (${said}).`, {
      hint: 'Choose another port, or leave it out and Berth picks a free one.',
      field: 'ports',
    });
  }
}

/** What is not there any more needs no word. */
async function remove(qmp: Pick<QmpClient, 'human'>, { host }: Forward): Promise<void> {
  await qmp.human(`hostfwd_remove ${network} tcp:127.0.0.1:${host}`);
}

function without(from: readonly Forward[], others: readonly Forward[]): Forward[] {
  return from.filter(
    ({ host, guest }) => !others.some((other) => other.host === host && other.guest === guest),
  );
}
