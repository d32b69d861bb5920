/** The neighbours of the driver, as an engine has them; what takes long to make is kept for all tests. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Endpoint } from '../../../../src/backend/drivers/containers/engine/endpoint';
import { Helpers } from '../../../../src/backend/drivers/containers/engine/helpers';
import { ImageExport } from '../../../../src/backend/drivers/containers/images/image-export';
import { Ownership } from '../../../../src/backend/drivers/containers/engine/ownership';
import type { Log } from '../../../../src/backend/machine/log';
import { MicrovmDriver } from '../../../../src/backend/drivers/microvms/driver';
import { buildExt4 } from '../../../../src/backend/files/disk/filling/build';
import { hostGatherer } from '../../../../src/backend/drivers/microvms/kit/gatherers';
import { GuestKitStore } from '../../../../src/backend/drivers/microvms/kit/kit';
import type { GuestKit } from '../../../../src/backend/drivers/microvms/parts';
import { createDrivers } from '../../../../src/backend/make-drivers';
import { microvmCache } from '../../../support/runtimes/microvms';

export const imagesDirectory = resolve(__dirname, '../../../../../images');

export const quiet: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const endpoint = new Endpoint({
  dockerHost: () => process.env.DOCKER_HOST,
  environment: {
    ...{ env: process.env, home: homedir(), platform: process.platform },
    uid: process.getuid?.() ?? 0,
  },
  log: quiet,
});
/** Its containers have it among their labels. */
export const installation = `test-${process.pid}`;
const helpers = new Helpers(endpoint, new Ownership(installation));
export const exporter = new ImageExport(endpoint, 'berth-tools:1', helpers);

export const kits = new GuestKitStore({
  ...{ home: microvmCache, images: imagesDirectory, buildExt4 },
  gatherers: [hostGatherer(join(imagesDirectory, 'guest', 'gather.sh'))],
  tools: (signal) => exporter.tools(signal),
});

export async function testKit(): Promise<GuestKit> {
  return (await kits.find()) ?? kits.build(() => undefined, new AbortController().signal);
}

export interface WiredDriver {
  driver: MicrovmDriver;
  close: () => Promise<void>;
}

/** A driver for microVMs, and the one for containers that it takes its images from. */
export function wireDriver(
  home: string,
  log: Log,
  privateKey: () => Promise<string>,
  opensLoopback: () => boolean,
): WiredDriver {
  const drivers = createDrivers({
    ...{ home, cache: microvmCache, imagesDirectory, privateKey, log, opensLoopback },
    installation: `test-${process.pid}`,
    dockerHost: () => process.env.DOCKER_HOST,
  });
  const driver = drivers.find((each) => each instanceof MicrovmDriver);
  if (driver === undefined) {
    throw new Error('there is no driver for microVMs');
  }
  return {
    driver,
    close: async () => {
      await Promise.all(drivers.map((each) => each.close()));
    },
  };
}
