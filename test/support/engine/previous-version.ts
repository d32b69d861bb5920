/** Makes of what this version has written what the one before it wrote. */
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { succeed } from '../programs';

const root = resolve(__dirname, '../../../..');

/** Another version's engine, whose `images` are to be changed. Answers its program. */
export async function plantProgram(folder: string): Promise<string> {
  await mkdir(folder);
  await cp(join(root, 'out', 'src'), join(folder, 'src'), { recursive: true });
  await cp(join(root, 'images'), join(folder, 'images'), { recursive: true });
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'src', 'backend', 'main.js');
}

/** Not in records of the version before. */
const newOfWorkspaces = ['volumeIds', 'ownFiles', 'temporary', 'replaced', 'adoptedVolumes'];
const newOfRuntimes = ['base', 'config', 'disksSaved', 'disksBefore', 'resuming'];

async function without(path: string, fields: readonly string[]): Promise<Record<string, unknown>> {
  const record = Object.entries(JSON.parse(await readFile(path, 'utf8')) as object);
  const kept = Object.fromEntries(record.filter(([key]) => !fields.includes(key))) as Record<string, unknown>;
  await writeFile(path, JSON.stringify(kept));
  return kept;
}

/** The record of a workspace. */
export async function makeOldWorkspace(folder: string): Promise<void> {
  await without(join(folder, 'workspace.json'), newOfWorkspaces);
}

/** The files of a microVM, which had its root disk over the file in the cache. QEMU keeps what it has open. */
export async function makeOldMachine(
  folder: string,
  cache: string,
  { isRunning }: { isRunning: boolean },
): Promise<void> {
  const { imageId } = await without(join(folder, 'runtime.json'), newOfRuntimes);
  const base = join(cache, 'images', 'rootfs', `${String(imageId).replace(/^sha256:/, '')}.ext4`);
  if (!isRunning) {
    const overlay = join(folder, 'rootfs.qcow2');
    await succeed('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-F', 'raw', '-b', base, overlay]);
  }
  for (const name of ['base.ext4', 'guest-kit', 'machine.state.sum']) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** It removed the runtime of what it archived. */
export async function removeArchivedMachine(folder: string): Promise<void> {
  for (const name of ['runtime.json', 'rootfs.qcow2', 'base.ext4', 'guest-kit', 'console.log', 'qemu.log']) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
