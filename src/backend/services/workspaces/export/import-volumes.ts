/** The volumes that an import makes: under which names, how large, and that they are its own. */
import { BerthError } from '../../../../api/errors';
import { isReservedVolume } from '../../../../api/rules/home-volume';
import { isName } from '../../../../api/rules/names';
import { defaultDiskMiB, diskBounds, mebibyte } from '../../../../api/rules/sizes';
import type { Driver } from '../../../drivers/driver';
import { homeKindOf, type Drivers } from '../../engine/drivers';
import { copyNameOf, type VolumeCopy } from '../fork/fork-spec';
import type { ExportedVolume, Manifest } from './manifest';

/** For what a file system has beside the files: inodes, a journal, what is reserved. */
const share = 1.25;
const besideMiB = 256;

/**
 * A named volume keeps its name where that is free here: what is there already is somebody else's. A name that the home
 * of a workspace has, or will have, is none for what came in a file. Throws `exists` where no name is left.
 */
export async function copiesOf(
  { volumes }: Pick<Manifest, 'volumes'>,
  name: string,
  drivers: Pick<Drivers, 'findVolume'>,
): Promise<VolumeCopy[]> {
  const copies: VolumeCopy[] = [];
  for (const { name: from } of volumes.filter(({ role }) => role === 'named')) {
    const wanted = [from, copyNameOf(name, from)].filter(
      (each) => !isReservedVolume(each) && !copies.some(({ to }) => to === each),
    );
    const found = await Promise.all(wanted.map((each) => drivers.findVolume(each)));
    const to = wanted.find((_, index) => found[index] === undefined);
    if (to === undefined || !isName(name)) {
      throw new BerthError('exists', `No name is free here for its volume ${from}.`, {
        field: 'name',
        hint: 'Import it under another name: `--name`.',
      });
    }
    copies.push({ from, to });
  }
  return copies;
}

/** Of a disk that has room for what comes: what it had, and never less than its files need. */
export function diskSizeFor({ sizeMiB = 0, bytes }: Pick<ExportedVolume, 'sizeMiB' | 'bytes'>): number {
  const needed = Math.ceil((bytes * share) / mebibyte) + besideMiB;
  return Math.min(Math.max(sizeMiB, needed, defaultDiskMiB), diskBounds.maximum);
}

/** Makes a named volume, of a size where that kind has sizes. Throws `exists`: it would be written over. */
export async function makeNamed(
  drivers: Pick<Drivers, 'findVolume'>,
  { features, volumes }: Pick<Driver, 'features' | 'volumes'>,
  volume: string,
  exported: ExportedVolume | undefined,
): Promise<void> {
  if ((await drivers.findVolume(volume)) !== undefined) {
    throw taken(volume);
  }
  const isDisk = homeKindOf({ features }) === 'disk';
  await volumes.create({
    name: volume,
    ...(isDisk && exported !== undefined && { sizeMiB: diskSizeFor(exported) }),
  });
}

/** The home is there with its runtime: it grows where what comes is more than it holds. */
export async function fitHome(
  { volumes }: Pick<Driver, 'volumes'>,
  volume: string,
  exported: ExportedVolume | undefined,
): Promise<void> {
  const size = (await volumes.inspect(volume))?.sizeMiB;
  const wanted = exported === undefined ? 0 : diskSizeFor(exported);
  if (size !== undefined && size > 0 && size < wanted) {
    await volumes.resize(volume, wanted);
  }
}

function taken(volume: string): BerthError {
  return new BerthError('exists', `There is a volume ${volume} already: it would be written over.`, {
    field: 'name',
    hint: 'Import it under another name: `--name`.',
  });
}
