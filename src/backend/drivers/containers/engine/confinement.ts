/** What the engine puts around its containers, which decides which folders of this machine they can use, and how. */
import type Dockerode from 'dockerode';
import DockerModem from 'docker-modem';
import { BerthError } from '../../../../api/errors';
import type { RuntimePlan } from '../../driver';

export interface Confinement {
  /** SELinux: a container reaches what is labelled for containers, and nothing else. */
  isLabelled: boolean;
  /** Whether the ids inside are those of this machine; where they are not, by what. */
  ids: 'same' | 'remapped' | 'rootless';
}

/** Any version from 4 on has it under this one. */
const podmanInfoPath = '/v4.0.0/libpod/info';

/** Asks the engine. Throws the errors of its API. */
export async function readConfinement(docker: Dockerode, isPodman: boolean): Promise<Confinement> {
  return isPodman ? ofPodman(await podmanInfo(docker)) : ofDocker(await docker.info());
}

function ofDocker(info: unknown): Confinement {
  const said = field(info, 'SecurityOptions');
  const names = (Array.isArray(said) ? said : []).map((option) => /^name=([^,]+)/.exec(String(option))?.[1]);
  const isRemapped = names.includes('userns');
  return {
    isLabelled: names.includes('selinux'),
    ids: names.includes('rootless') ? 'rootless' : isRemapped ? 'remapped' : 'same',
  };
}

function ofPodman(info: unknown): Confinement {
  const security = field(field(info, 'host'), 'security');
  return {
    isLabelled: field(security, 'selinuxEnabled') === true,
    ids: field(security, 'rootless') === true ? 'rootless' : 'same',
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}

/** Podman says nothing of SELinux where Docker does. */
function podmanInfo(docker: Dockerode): Promise<unknown> {
  const modem: unknown = docker.modem;
  return new Promise((resolve, reject) => {
    if (!(modem instanceof DockerModem)) {
      reject(new Error('no connection to Podman'));
      return;
    }
    const options = { path: podmanInfoPath, method: 'GET', statusCodes: { 200: true, 500: 'server error' } };
    modem.dial(options, (error: unknown, info: unknown) => {
      if (error instanceof Error) {
        reject(error);
      } else {
        resolve(info);
      }
    });
  });
}

/** Only where it matters for this plan; else nobody has to ask the engine. */
export function dependsOnConfinement(plan: RuntimePlan): boolean {
  return plan.docker || plan.mounts.some(({ folder }) => folder !== undefined);
}

/** Throws `not_supported` for what would be created, and could not be used then. */
export function refuseConfined(plan: RuntimePlan, { isLabelled, ids }: Confinement): void {
  if (plan.docker && ids === 'remapped') {
    throw new BerthError(
      'not_supported',
      'The container engine maps user ids (userns-remap): it allows no privileged container, which Docker inside needs.',
      { hint: 'Create the workspace without Docker inside, or as a microVM.', field: 'docker' },
    );
  }
  for (const [index, { source, folder }] of plan.mounts.entries()) {
    if (folder !== undefined && ids !== 'same') {
      throw cantShare(source, index, `${mapping[ids]}: its files would belong to nobody inside`);
    }
    if (folder?.includes(':') === true && isLabelled) {
      throw cantShare(source, index, `SELinux is on, and no folder with a colon in its path can be labelled`);
    }
  }
}

const mapping = {
  remapped: 'the container engine maps user ids (userns-remap)',
  rootless: 'the container engine runs without root, and maps user ids',
} as const;

function cantShare(volume: string, index: number, why: string): BerthError {
  return new BerthError(
    'not_supported',
    `A container can't share the folder of the volume ${volume}: ${why}.`,
    {
      hint: 'Use a volume of the kind `docker`, or create the workspace as a microVM.',
      field: `volumes.${index}`,
    },
  );
}
