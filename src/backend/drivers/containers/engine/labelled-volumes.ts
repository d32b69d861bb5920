/** Labels of volumes. Podman makes the volumes of a container without the labels that it was given: whose they are would be forgotten. */
import type Dockerode from 'dockerode';

/** Makes those that are not there yet, with their labels; a volume that is there is left as it is. */
export async function makeLabelledVolumes(
  docker: Dockerode,
  { HostConfig: host }: Dockerode.ContainerCreateOptions,
): Promise<void> {
  for (const { Type: type, Source: name, VolumeOptions: options } of host?.Mounts ?? []) {
    if (type === 'volume' && options !== undefined) {
      await docker.createVolume({ Name: name, Driver: 'local', Labels: options.Labels });
    }
  }
}

/** The types leave out that there may be none. */
export function labelsOf({
  Labels: labels,
}: {
  Labels: Record<string, string> | null;
}): Record<string, string> {
  return labels ?? {};
}
