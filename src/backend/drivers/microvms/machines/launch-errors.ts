/** QEMU's words, as an error that says what to do. */
import { BerthError } from '../../../../api/errors';
import type { MachinePlan } from '../qemu/command-line';

type Named = Pick<MachinePlan, 'name' | 'sshPort'>;

/** Undefined for what nobody can do something about. */
export function knownCause(plan: Named, said: string, cause: unknown): BerthError | undefined {
  const what = `${plan.name} could not be started`;
  if (/Failed to get .*lock|Cannot lock pid file/.test(said)) {
    const image = /another process using the image \[(.*)\]/.exec(said)?.[1];
    const thing = image === undefined ? 'it, or one of its disks' : `the disk image ${image}`;
    return new BerthError('in_use', `${what}: another program has ${thing}.`, {
      first: 'End that program, which may be another QEMU.',
      remedy: 'start',
      cause,
    });
  }
  if (/Could not set up host forwarding rule/.test(said)) {
    return new BerthError('in_use', `${what}: port ${plan.sshPort ?? 0} is taken by another program.`, {
      remedy: 'start',
      cause,
    });
  }
  if (/No space left on device/.test(said)) {
    return new BerthError('no_space', `${what}: the disk of the state directory is full.`, {
      first: 'Free some space there.',
      remedy: 'start',
      cause,
    });
  }
  if (/Cannot allocate memory|cannot set up guest memory/.test(said)) {
    return new BerthError('capacity', `${what}: there is not enough memory.`, {
      hint: 'Stop other workspaces, or give this one less.',
      cause,
    });
  }
  return undefined;
}

/** Why QEMU did not start, for people. */
export function explainEnd(plan: Named, said: string, cause: unknown): BerthError {
  const known = knownCause(plan, said, cause);
  if (known !== undefined) {
    return known;
  }
  const details = said === '' ? '' : ` QEMU said: ${said}`;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BerthError('runtime_unavailable', `${plan.name} could not be started: ${reason}${details}`, {
    cause,
  });
}
