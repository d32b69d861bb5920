/** Finds what is shipped beside the bundles, from the bundle or from compiled tests alike. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The folder `images/`: Dockerfile, tools, agent. Throws where no folder above has one: the installation is not
 * complete.
 */
export function imagesDirectory(from: string = __dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'images');
    if (existsSync(join(candidate, 'Dockerfile'))) {
      return candidate;
    }
    if (dirname(folder) === folder) {
      throw new Error(`The folder "images" was not found above ${from}: the installation is not complete.`);
    }
  }
}
