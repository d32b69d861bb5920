/** What containers can do. */
import type { DriverFeatures } from '../../../../api/engine/features';

const ofDocker: DriverFeatures = {
  networks: ['on', 'off'],
  mounts: ['volume', 'archive'],
  volumeKinds: ['docker'],
  sharedVolumes: true,
  commit: 'always',
  liveLimits: ['cpus', 'memoryMiB', 'pids'],
  portsWithoutNetwork: false,
  livePorts: false,
  pauseSavesMemory: false,
  docker: 'privileged',
  stoppedFiles: true,
};

/** Podman can't change limits of what runs. */
export function containerFeatures(isPodman: boolean): DriverFeatures {
  return isPodman ? { ...ofDocker, liveLimits: [] } : ofDocker;
}
