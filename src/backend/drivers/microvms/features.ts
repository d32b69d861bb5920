/** What microVMs can do. */
import type { DriverFeatures } from '../../../api/engine/features';
import { maxMounts } from './runtimes/runtime-plan';

export const microvmFeatures: DriverFeatures = {
  networks: ['on', 'off', 'host-loopback'],
  mounts: ['volume', 'disk', 'archive'],
  maxMounts,
  volumeKinds: ['disk', 'directory'],
  sharedVolumes: true,
  commit: 'live',
  // A balloon: to less, and back to what the machine was started with.
  liveLimits: ['memoryMiB'],
  portsWithoutNetwork: true,
  livePorts: true,
  pauseSavesMemory: true,
  docker: 'isolated',
  stoppedFiles: true,
};
