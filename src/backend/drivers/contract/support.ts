/** Whether a driver can run what is asked for: by its features, before anything is pulled, reserved or made. */
import { BerthError } from '../../../api/errors';
import type { DriverFeatures } from '../../../api/engine/features';
import type { RuntimeKind, WorkspaceSpec } from '../../../api/workspaces/schemas';

type Wanted = Readonly<Pick<WorkspaceSpec, 'network' | 'docker'>> & {
  mounts?: readonly Readonly<NonNullable<WorkspaceSpec['mounts']>[number]>[] | undefined;
  ports?: readonly unknown[] | undefined;
};

interface Able {
  kind: RuntimeKind;
  features: DriverFeatures;
}

interface Refusal {
  field: string;
  message: string;
  /** What to do with that driver. */
  hint: string;
}

const sources = { volume: 'volume', disk: 'disk image', archive: 'tar bundle' } as const;

/**
 * Throws `not_supported`, naming the field, and which of `others` can. For services at the door, where a request comes
 * in, and for drivers before they make anything of a plan.
 */
export function refuseUnsupported(wanted: Wanted, driver: Able, others: readonly Able[] = []): void {
  const refusal = refusalOf(wanted, driver);
  if (refusal === undefined) {
    return;
  }
  const able = others.find((other) => refusalOf(wanted, other) === undefined);
  const way =
    able === undefined ? '' : ` Or create the workspace as a ${able.kind}: \`--runtime ${able.kind}\`.`;
  throw new BerthError('not_supported', refusal.message, {
    field: refusal.field,
    hint: `${refusal.hint}${way}`,
  });
}

function refusalOf(wanted: Wanted, driver: Able): Refusal | undefined {
  return refusedNetwork(wanted, driver) ?? refusedDocker(wanted, driver) ?? refusedMounts(wanted, driver);
}

function refusedNetwork(
  { network = 'on', ports = [] }: Wanted,
  { kind, features }: Able,
): Refusal | undefined {
  if (!features.networks.includes(network)) {
    const message = `A ${kind} has no network of the kind "${network}".`;
    return { field: 'network', message, hint: `Use ${features.networks.join(' or ')}.` };
  }
  return network === 'off' && ports.length > 0 && !features.portsWithoutNetwork
    ? {
        field: 'ports',
        message: `A ${kind} without a network has no ports to publish.`,
        hint: 'Leave the ports out.',
      }
    : undefined;
}

function refusedDocker({ docker }: Wanted, { kind, features }: Able): Refusal | undefined {
  return docker === true && features.docker === undefined
    ? { field: 'docker', message: `A ${kind} has no Docker inside.`, hint: 'Leave Docker out.' }
    : undefined;
}

function refusedMounts({ mounts = [] }: Wanted, { kind, features }: Able): Refusal | undefined {
  const index = mounts.findIndex((mount) => !features.mounts.includes(mount.kind));
  const mount = mounts[index];
  if (mount !== undefined) {
    const message = `A ${kind} can't mount the ${sources[mount.kind]} ${mount.source}.`;
    return { field: `volumes.${index}`, message, hint: 'Use a named volume.' };
  }
  const { maxMounts = mounts.length } = features;
  return mounts.length > maxMounts
    ? {
        field: 'volumes',
        message: `A ${kind} takes at most ${maxMounts} volumes beside its home.`,
        hint: 'Put more into one volume.',
      }
    : undefined;
}
