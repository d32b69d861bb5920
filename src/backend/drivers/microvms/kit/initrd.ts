/** The first root of a guest: busybox, the modules that disks and ports need, and a script. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpioOf, type CpioEntry } from './cpio';
import { loadOrder, withoutSignature } from './modules';

export interface InitrdSource {
  busybox: Buffer;
  /** The script that the kernel runs, and what it reads. */
  init: Buffer;
  tables: Readonly<Record<string, Buffer>>;
  /** Folder with modules.dep and what it names. */
  modules: string;
  /** Names of the modules to load, one per line, with comments. */
  wanted: string;
}

const folders = ['bin', 'dev', 'proc', 'sys', 'run', 'modules'];

/** Not compressed: QEMU copies it faster than an emulated processor unpacks it. */
export async function buildInitrd({ busybox, init, tables, modules, wanted }: InitrdSource): Promise<Buffer> {
  const names = wanted
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  const order = loadOrder(await readFile(join(modules, 'modules.dep'), 'utf8'), names);
  const files = await Promise.all(
    order.map(async (path): Promise<CpioEntry> => {
      const content = withoutSignature(await readFile(join(modules, path)));
      return { name: `modules/${baseName(path)}`, mode: 0o100644, content };
    }),
  );
  return cpioOf([
    ...folders.map((name) => ({ name, mode: 0o40755 })),
    { name: 'bin/busybox', mode: 0o100755, content: busybox },
    { name: 'init', mode: 0o100755, content: init },
    ...Object.entries(tables).map(([name, content]) => ({ name, mode: 0o100644, content })),
    {
      name: 'modules/order',
      mode: 0o100644,
      content: Buffer.from(order.map((path) => `${baseName(path)}\n`).join('')),
    },
    ...files,
  ]);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
