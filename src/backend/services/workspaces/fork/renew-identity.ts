/** What a copy of a system must not have in common with the one that it was made of. */
import { randomUUID } from 'node:crypto';
import { BerthError } from '../../../../api/errors';
import type { VolumeFiles } from '../../../files/volume-files';

/** machine-id(5), and D-Bus's copy of it. */
const machineIds = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

/**
 * Of the root of a runtime that runs, before the workspace counts as started: where it has an id of the machine, or keys of an
 * SSH server of its own, it gets others.
 */
export async function renewIdentity(files: VolumeFiles): Promise<void> {
  const id = randomUUID().replaceAll('-', '');
  for (const path of machineIds) {
    if ((await sizeOf(files, path)) > 0) {
      await replace(files, path, `${id}\n`);
    }
  }
  // It reads ssh2, for which the start of the engine need not wait.
  const { hostKeyTypes, makeHostKeys } = await import('../../../ssh/host-keys.js');
  for (const type of hostKeyTypes) {
    const path = `/etc/ssh/ssh_host_${type}_key`;
    if ((await sizeOf(files, path)) > 0) {
      const pair = await makeHostKeys(type);
      await replace(files, path, pair.private);
      await replace(files, `${path}.pub`, pair.public);
    }
  }
}

/** Of a file; 0 for what is none. */
async function sizeOf(files: VolumeFiles, path: string): Promise<number> {
  try {
    const { type, size } = await files.stat(path);
    return type === 'file' ? size : 0;
  } catch (error) {
    if (error instanceof BerthError && ['path_not_found', 'not_a_directory'].includes(error.code)) {
      return 0;
    }
    throw error;
  }
}

/** Keeps owner and mode. */
async function replace(files: VolumeFiles, path: string, content: string): Promise<void> {
  await files.write(path, Buffer.from(content), { create: true, overwrite: true, mode: 0o644 });
}
