/** The build context of Berth's images: the folder `images/`, with the certificates that this machine trusts. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack as packTar } from 'tar-stream';

/** Where Debian's `update-ca-certificates` takes the ones that a machine's owner added. */
const hostCertificates = '/usr/local/share/ca-certificates';

interface ContextFile {
  /** Relative to the context. */
  name: string;
  path: string;
}

async function filesBelow(folder: string, prefix: string): Promise<ContextFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry): Promise<ContextFile[]> => {
      const path = join(folder, entry.name);
      const name = `${prefix}${entry.name}`;
      if (entry.isDirectory()) {
        return filesBelow(path, `${name}/`);
      }
      return entry.isFile() ? [{ name, path }] : [];
    }),
  );
  return found.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function certificates(folder: string): Promise<ContextFile[]> {
  const found = await filesBelow(folder, '').catch(() => []);
  return found
    .filter(({ name }) => name.endsWith('.crt'))
    .map(({ name, path }) => ({ name: `ca/host-${name.replaceAll('/', '-')}`, path }));
}

/**
 * A tar for the legacy builder. Its bytes depend on names and contents alone: times are left out, so that the
 * builder's cache holds.
 */
export async function imageContext(folder: string, certificateFolder = hostCertificates): Promise<Readable> {
  const files = [...(await filesBelow(folder, '')), ...(await certificates(certificateFolder))];
  const pack = packTar();
  for (const { name, path } of files) {
    const mode = ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755;
    pack.entry({ name, mode, mtime: new Date(0) }, await readFile(path));
  }
  pack.finalize();
  return Readable.from(pack, { objectMode: false });
}
