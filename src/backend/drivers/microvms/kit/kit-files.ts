/**
 * The files of a guest kit, in whatever folder they lie. The kit's description has the hash of all of them, and the
 * sizes and times at which they were last found to have it: so a damaged one is noticed without reading 200 MB each time.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { isErrno, readIfPresent } from '../../../machine/files';
import { replaceFile } from '../../../machine/whole-file';

export const kitFiles = { kernel: 'vmlinuz', initrd: 'initrd', toolsDisk: 'tools.ext4', about: 'kit.json' };
/** In the order in which they are hashed. */
export const kitContents: readonly string[] = [kitFiles.kernel, kitFiles.initrd, kitFiles.toolsDisk];

const KitStamps = Type.Record(Type.String(), Type.String());

const KitAbout = Type.Object({
  recipe: Type.String(),
  kernel: Type.String(),
  /** SHA-256 of all files, one after the other. */
  hash: Type.String(),
  kernelArguments: Type.Array(Type.String()),
  builtAt: Type.String(),
  /** Earlier versions wrote none. */
  stamps: Type.Optional(KitStamps),
});
export type KitAbout = Static<typeof KitAbout>;

/** undefined for a description that is damaged: the kit counts as not there. */
export async function readAbout(folder: string): Promise<KitAbout | undefined> {
  try {
    const about: unknown = JSON.parse((await readIfPresent(join(folder, kitFiles.about))) ?? '');
    return Value.Check(KitAbout, about) ? about : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}

/** Describes what lies in `folder` now, which is whole. */
export async function writeAbout(folder: string, about: Omit<KitAbout, 'stamps'>): Promise<void> {
  const whole: KitAbout = { ...about, stamps: await stampsOf(folder) };
  await replaceFile(join(folder, kitFiles.about), `${JSON.stringify(whole, undefined, 2)}\n`);
}

/** All files are there with the content that they were made with. Reads them only when a size or a time is another. */
export async function isWhole(folder: string, about: KitAbout): Promise<boolean> {
  try {
    const stamps = await stampsOf(folder);
    if (kitContents.every((name) => stamps[name] === about.stamps?.[name])) {
      return true;
    }
    if ((await hashKit(folder)) !== about.hash) {
      return false;
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) {
      return false;
    }
    throw error;
  }
  // E.g. restored from a backup. In a folder that can't be written the files are read again the next time.
  await writeAbout(folder, about).catch(() => undefined);
  return true;
}

/** The very kit of that hash lies there, and is whole. */
export async function holdsKit(folder: string, hash: string): Promise<boolean> {
  const about = await readAbout(folder);
  return about?.hash === hash && (await isWhole(folder, about));
}

/** Throws when a file is missing. */
export async function hashKit(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of kitContents) {
    for await (const chunk of createReadStream(join(folder, name))) {
      hash.update(chunk as Buffer);
    }
  }
  return hash.digest('hex');
}

/** Size and time of the last change of each file. Throws when one is missing. */
async function stampsOf(folder: string): Promise<Static<typeof KitStamps>> {
  const all = await Promise.all(
    kitContents.map(async (name) => {
      const { size, mtimeNs } = await stat(join(folder, name), { bigint: true });
      return [name, `${size} ${mtimeNs}`] as const;
    }),
  );
  return Object.fromEntries(all);
}
