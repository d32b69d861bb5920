/** What a kit is made from, and which version that makes it. */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { configureScript } from '../../../inside/configure-script';

/** Raised when kits are put together in another way. */
const assembly = 1;

/** Scripts that run in the guest, besides `init` of the initramfs. */
export const guestScripts = ['main', 'engine_apart', 'back', 'modprobe'] as const;
export const guestFiles = ['engine_sshd_config'] as const;

/**
 * The generator of random numbers trusts nobody before a guest is configured: guests that start from one saved machine
 * would otherwise have the same numbers. One serial port is all there is; waiting for others to answer takes time.
 * On a busy machine an emulated timer ticks too late for the kernel's check of it, which then panics.
 */
export const kernelArguments = [
  'console=ttyS0',
  'quiet',
  'panic=-1',
  'no_timer_check',
  'random.trust_cpu=off',
  'random.trust_bootloader=off',
];

export interface KitRecipe {
  /** Number of images/guest/VERSION, for people. */
  version: string;
  /** Of all that is not fetched: another engine may bring other scripts. */
  hash: string;
}

/** `folder` is `images/`. */
export async function recipeOf(folder: string): Promise<KitRecipe> {
  const hash = createHash('sha256').update(`${assembly}\n${kernelArguments.join(' ')}\n${configureScript}\n`);
  const guest = join(folder, 'guest');
  for (const name of (await readdir(guest)).sort()) {
    hash.update(`${name}\n`).update(await readFile(join(guest, name)));
  }
  hash.update(await readFile(join(folder, 'tools', 'VERSION')));
  const version = (await readFile(join(guest, 'VERSION'), 'utf8')).trim();
  return { version, hash: hash.digest('hex') };
}

/** The kernel for people: `Linux 6.1.0-50` of a kit `2-6.1.0-50-cloud-amd64-c5fa5372`; undefined: there is no kit yet. */
export function kernelWords(kit: string | undefined): string {
  return kit === undefined
    ? 'the first microVM takes longer: its kernel is prepared then'
    : `Linux ${/^\d+-(\d[\d.]*(?:-\d+)?)/.exec(kit)?.[1] ?? kit}`;
}

/** The name of the folder of a kit. */
export function kitName({ version, hash }: KitRecipe, kernel: string): string {
  return `${version}-${kernel}-${hash.slice(0, 8)}`;
}
