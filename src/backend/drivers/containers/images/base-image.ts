/** What Berth's images are built on: Debian from a registry when one answers, else made from Debian's packages. */
import { statfs } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { asBerthError, BerthError } from '../../../../api/errors';
import { gibibyte } from '../../../../api/rules/sizes';
import { isStatus } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { followProgress } from '../engine/progress-stream';
import { toReadable } from '../engine/streams';
import { endInWords, start } from '../../../machine/run';
import { throwIfCancelled } from '../../../machine/wait';

export const publicBase = 'debian:bookworm-slim';
const ownBase = { repo: 'berth-base', tag: 'bookworm' };
const incomplete = `${ownBase.repo}:incomplete`;
const never = new AbortController().signal;
/** A registry that says nothing for so long counts as absent. */
const registryTimeoutMs = 10_000;
const importTimeoutMs = 15 * 60_000;
const roomForUnpacking = gibibyte;

const mmdebstrap = [
  '--quiet',
  '--variant=minbase',
  '--components=main',
  '--dpkgopt=path-exclude=/usr/share/man/*',
  '--dpkgopt=path-exclude=/usr/share/locale/*',
  '--dpkgopt=path-exclude=/usr/share/doc/*',
  '--dpkgopt=path-include=/usr/share/doc/*/copyright',
  '--dpkgopt=force-unsafe-io',
  '--format=tar',
  'bookworm',
  '-',
  'deb http://deb.debian.org/debian bookworm main',
  'deb http://deb.debian.org/debian bookworm-updates main',
  'deb http://deb.debian.org/debian-security bookworm-security main',
];

const importChanges = [
  'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'CMD ["/bin/bash"]',
];

export interface BaseOptions {
  /** The user's own choice, e.g. of a mirror: nothing else will do. */
  wanted: string | undefined;
  /** Make it anew even if there is one. */
  fresh: boolean;
  pull: (image: string, signal: AbortSignal) => Promise<void>;
  line: (text: string) => void;
  signal: AbortSignal;
}

/** The name of an image to build from. */
export async function ensureBase(endpoint: Endpoint, options: BaseOptions): Promise<string> {
  const own = `${ownBase.repo}:${ownBase.tag}`;
  if (options.wanted !== undefined) {
    if (options.fresh || !(await isThere(endpoint, options.wanted))) {
      await options.pull(options.wanted, options.signal);
    }
    return options.wanted;
  }
  if (!options.fresh) {
    for (const image of [publicBase, own]) {
      if (await isThere(endpoint, image)) {
        return image;
      }
    }
  }
  if (await pulled(options)) {
    return publicBase;
  }
  await importDebian(endpoint, options);
  return own;
}

async function isThere(endpoint: Endpoint, image: string): Promise<boolean> {
  return endpoint.call(`look at the image ${image}`, async (docker) => {
    try {
      await docker.getImage(image).inspect();
      return true;
    } catch (error) {
      if (isStatus(error, 404)) {
        return false;
      }
      throw error;
    }
  });
}

async function pulled(options: BaseOptions): Promise<boolean> {
  const timeout = AbortSignal.timeout(registryTimeoutMs);
  try {
    await options.pull(publicBase, AbortSignal.any([options.signal, timeout]));
    return true;
  } catch (error) {
    if (options.signal.aborted) {
      throw error;
    }
    const reason = error instanceof Error ? error.message : String(error);
    options.line(`No registry for ${publicBase} (${reason}): making the base from Debian packages.`);
    return false;
  }
}

/**
 * mmdebstrap's output is the engine's input. A tar that was cut off still makes an image: it gets the real name only
 * when both have ended well.
 */
async function importDebian(endpoint: Endpoint, options: BaseOptions): Promise<void> {
  const { signal } = options;
  const child = await start('mmdebstrap', mmdebstrap, {
    env: { ...process.env, TMPDIR: await temporaryFolder() },
    onErrorLine: options.line,
    signal,
  }).catch((error: unknown) => {
    throw notInstalled(asBerthError(error));
  });
  const cancel = (): void => void child.stdout.destroy(new Error('cancelled'));
  signal.addEventListener('abort', cancel, { once: true });
  try {
    // Cancelling ends the child, which ends the import: both are waited for, so that nothing is left behind.
    const importing = importTar(endpoint, child.stdout);
    // Nobody reads on when the import fails: the child would wait for ever.
    importing.catch(() => child.kill());
    const [imported] = await Promise.allSettled([importing, child.end]);
    const end = await child.end;
    throwIfCancelled(signal, 'make the base image');
    if (imported.status === 'rejected') {
      throw imported.reason;
    }
    if (end.code !== 0) {
      throw new BerthError('internal', `mmdebstrap ${endInWords(end)}`, {
        hint: 'Check that the Debian mirror can be reached, and that there is room on the disk.',
      });
    }
    await endpoint.call('name the base image', (docker) => docker.getImage(incomplete).tag(ownBase));
  } finally {
    signal.removeEventListener('abort', cancel);
    await endpoint
      .call(`remove the name ${incomplete}`, (docker) => docker.getImage(incomplete).remove())
      .catch(() => undefined);
  }
}

function importTar(endpoint: Endpoint, tar: Readable): Promise<void> {
  return endpoint.call(
    'import the base image',
    async (docker) => {
      const target = { fromSrc: '-', repo: ownBase.repo, tag: 'incomplete', changes: importChanges };
      await followProgress(toReadable(await docker.importImage(tar, target)), never, () => undefined);
    },
    { timeoutMs: importTimeoutMs },
  );
}

/** A third faster in memory, where there is enough of it. */
async function temporaryFolder(): Promise<string | undefined> {
  try {
    const { bavail, bsize } = await statfs('/dev/shm');
    return bavail * bsize > roomForUnpacking ? '/dev/shm' : process.env.TMPDIR;
  } catch {
    return process.env.TMPDIR;
  }
}

function notInstalled(error: Error): BerthError {
  return new BerthError(
    'image_missing',
    `The image ${publicBase} is not available: no registry answers. ${error.message}`,
    {
      hint: `Pull ${publicBase} where there is a network, or install mmdebstrap (Debian and Ubuntu).`,
      cause: error,
    },
  );
}
