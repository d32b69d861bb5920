/** The parts of making and starting a workspace: one list for what is announced and what is then done. */
import { redactAddresses } from '../../../../api/rules/redact-addresses';
import type { RuntimeKind, WorkspaceSpec } from '../../../../api/workspaces/schemas';
import type { PlannedStep } from '../../operations/operation-context';

export const startSteps = {
  image: { name: 'image', title: 'Find the image' },
  prepare: { name: 'prepare', title: 'Prepare the image' },
  bundles: { name: 'bundles', title: 'Unpack the bundles' },
  ssh: { name: 'ssh', title: 'Install keys and start SSH' },
  docker: { name: 'docker', title: 'Start Docker inside' },
} as const satisfies Record<string, PlannedStep>;

const nameOf = (runtime: RuntimeKind): string => (runtime === 'microvm' ? 'microVM' : 'container');

export const createStep = (runtime: RuntimeKind): PlannedStep => ({
  name: 'container',
  title: `Create the ${nameOf(runtime)}`,
});

export const prepareStep = (runtime: RuntimeKind): PlannedStep => ({
  name: 'runtime',
  title: `Prepare the ${nameOf(runtime)}`,
});

/** A microVM has an operating system to boot, which takes most of the time. */
export const startStep = (runtime: RuntimeKind): PlannedStep => ({
  name: 'start',
  title: runtime === 'microvm' ? 'Boot' : 'Start',
});

export const cloneStep = (url: string): PlannedStep => ({
  name: 'clone',
  title: `Clone ${redactAddresses(url)}`,
});

export const hasBundles = ({ mounts = [] }: WorkspaceSpec): boolean =>
  mounts.some((mount) => mount.kind === 'archive');

export interface PlannedStart {
  spec: WorkspaceSpec;
  /** The repository is there already. */
  cloned: boolean;
}

/** What a start does, in its order. Scripts are known when they are read. */
export function stepsOfStart({ spec, cloned }: PlannedStart): PlannedStep[] {
  return [
    prepareStep(spec.runtime),
    ...(hasBundles(spec) ? [startSteps.bundles] : []),
    startStep(spec.runtime),
    startSteps.ssh,
    ...(spec.docker === true ? [startSteps.docker] : []),
    ...(spec.cloneUrl === undefined || cloned ? [] : [cloneStep(spec.cloneUrl)]),
  ];
}

/** What a create does. `isPrepared`: images are converted before they can be used. */
export function stepsOfCreate(spec: WorkspaceSpec, isPrepared: boolean, isStarted: boolean): PlannedStep[] {
  return [
    startSteps.image,
    ...(isPrepared ? [startSteps.prepare] : []),
    createStep(spec.runtime),
    ...(isStarted ? stepsOfStart({ spec, cloned: false }) : []),
  ];
}
