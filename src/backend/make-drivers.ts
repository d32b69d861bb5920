/** The drivers of this engine, wired: containers, and microVMs that take their images and tools from there. */
import { join } from 'node:path';
import type { AdoptedVolume } from './store/adopted-volumes';
import type { Log } from './machine/log';
import { ContainerDriver } from './drivers/containers/driver';
import { hostEnvironment } from './machine/host-environment';
import { registryAuth } from './images/registry-auth';
import type { Driver } from './drivers/driver';
import { Disks } from './drivers/microvms/disks/disk-store';
import { MicrovmDriver } from './drivers/microvms/driver';
import { buildExt4 } from './files/disk/filling/build';
import { containerGatherer, hostGatherer } from './drivers/microvms/kit/gatherers';
import { GuestKitStore } from './drivers/microvms/kit/kit';
import { findQemuImg } from './drivers/microvms/rootfs/convert';
import { RootImageStore } from './drivers/microvms/rootfs/root-images';

/** Made of Debian, and built before a guest kit is. */
const workspaceImage = 'workspace:latest';

export interface DriversOptions {
  /** The state directory. */
  home: string;
  /** Where guest kits and root file systems are kept, which can be made again: the state directory, or one for several. */
  cache: string;
  /** Id of this installation. */
  installation: string;
  /** The folder `images/`. */
  imagesDirectory: string;
  dockerHost: () => string | undefined;
  /** Volumes that the user had this installation take over. */
  isAdopted?: (volume: AdoptedVolume) => boolean;
  /** Guests of microVMs may reach this machine's loopback. */
  opensLoopback?: () => boolean;
  /** OpenSSH private key of this installation. */
  privateKey: () => Promise<string>;
  log: Log;
}

/** The driver of containers first: its engine's images are what microVMs look for. */
export function createDrivers(options: DriversOptions): Driver[] {
  const { home, cache, imagesDirectory, privateKey, log } = options;
  const containers = new ContainerDriver(options);
  const agentDirectory = join(imagesDirectory, 'tools', 'agent');
  const gatherScript = join(imagesDirectory, 'guest', 'gather.sh');
  const microvms = new MicrovmDriver({
    ...{ home, cache, log, privateKey, agentDirectory },
    kits: new GuestKitStore({
      ...{ home: cache, images: imagesDirectory, buildExt4 },
      tools: (signal) => containers.exports.tools(signal),
      gatherers: [
        hostGatherer(gatherScript),
        containerGatherer(gatherScript, workspaceImage, (...run) => containers.exports.runScript(...run)),
      ],
    }),
    roots: new RootImageStore({
      ...{ home, cache, exporter: containers.exports, log },
      authority: (registry) => registryAuth(registry, hostEnvironment()),
      qemuImg: findQemuImg,
    }),
    disks: (questions) => new Disks({ home, agentDirectory, holders: questions }),
    buildBundle: buildExt4,
    containerImages: containers.images,
    ...(options.opensLoopback !== undefined && { opensLoopback: options.opensLoopback }),
  });
  return [containers, microvms];
}
