import type { DriverFeatures } from '../../../src/api/engine/features';

/** What the runtime product in memory can do: much as containers. */
export const fakeFeatures: DriverFeatures = {
  networks: ['on', 'off'],
  mounts: ['volume', 'archive'],
  volumeKinds: ['docker'],
  sharedVolumes: true,
  commit: 'always',
  liveLimits: ['cpus', 'memoryMiB'],
  portsWithoutNetwork: false,
  livePorts: false,
  pauseSavesMemory: false,
  docker: 'privileged',
  stoppedFiles: true,
};
