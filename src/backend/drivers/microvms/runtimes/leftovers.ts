/**
 * What pauses of earlier versions left when their engine was killed: a state that was not whole yet, or one that the
 * guest had gone on from. Each is as large as the guest's memory, and nothing can go on from it.
 */
import { lstat, open, rm } from 'node:fs/promises';
import { isErrno } from '../../../machine/files';
import type { Log } from '../../../machine/log';
import type { RuntimeStore } from './runtime-store';

/** How what QEMU saves begins (`QEMU_VM_FILE_MAGIC` of its migration/savevm.c). */
const magic = Buffer.from('QEVM');

export class Leftovers {
  private readonly tidied = new Set<string>();

  constructor(
    private readonly store: RuntimeStore,
    private readonly log: Log,
  ) {}

  /** Once for each: files of that name that are something else are somebody's, and stay. */
  async tidy(name: string): Promise<void> {
    if (this.tidied.has(name)) {
      return;
    }
    this.tidied.add(name);
    const { state } = this.store.files.of(name);
    for (const path of [`${state}.part`, `${state}.old`]) {
      try {
        if (await isOfQemu(path)) {
          await rm(path);
          this.log.info({ name, path }, 'what an earlier version left of a pause is removed');
        }
      } catch (error) {
        this.log.warn({ name, path, error: String(error) }, 'what was left of a pause was not removed');
      }
    }
  }
}

/** Also one that nothing, or less than its first word, was written to. */
async function isOfQemu(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isFile()) {
      return false;
    }
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0);
      return magic.subarray(0, bytesRead).equals(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return false;
    }
    throw error;
  }
}
