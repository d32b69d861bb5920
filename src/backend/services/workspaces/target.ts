/** Where a workspace runs: which machine its driver works on, and what the record says of it. */
import { BerthError } from '../../../api/errors';
import { localTarget } from '../../../api/rules/runtimes';
import type { WorkspaceSpec } from '../../../api/workspaces/schemas';
import type { Driver } from '../../drivers/driver';

/** The machine that the driver makes runtimes on. Throws `not_supported` when another one is asked for. */
export async function targetFor({ target }: Pick<WorkspaceSpec, 'target'>, driver: Driver): Promise<string> {
  const actual = await driver.target();
  if (target !== undefined && target !== actual) {
    throw new BerthError(
      'not_supported',
      `There is no target ${JSON.stringify(target)} for a ${driver.kind}: each is made on ${wordsOf(actual)} now.`,
      {
        field: 'target',
        hint: `Leave the target out, or use ${JSON.stringify(actual)}. Another Docker is chosen by the setting dockerHost.`,
      },
    );
  }
  return actual;
}

function wordsOf(target: string): string {
  return target === localTarget ? 'this machine (`local`)' : target;
}

/** A record of this machine names none, as those of earlier versions. */
export function onTarget(spec: WorkspaceSpec, target: string): WorkspaceSpec {
  const { target: _before, ...rest } = spec;
  return target === localTarget ? rest : { ...rest, target };
}
