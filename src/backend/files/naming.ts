/** Names for what would meet another of its name. */

/** `a.tar.gz` is `a.tar` and `.gz`; `.profile` and folders have no extension. */
function parts(name: string, isFolder: boolean): [stem: string, extension: string] {
  const dot = name.lastIndexOf('.');
  return isFolder || dot <= 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot)];
}

/** `name (2).txt`, `name (3).txt`, …: for what comes from elsewhere. */
export function numberedName(name: string, number: number, isFolder: boolean): string {
  const [stem, extension] = parts(name, isFolder);
  return `${stem} (${number})${extension}`;
}

/** `name copy.txt`, `name copy 2.txt`, …: for a copy beside its original. */
export function copyName(name: string, number: number, isFolder: boolean): string {
  const [stem, extension] = parts(name, isFolder);
  return number === 1 ? `${stem} copy${extension}` : `${stem} copy ${number}${extension}`;
}

/** The first of the names that is free. */
export async function firstFree(
  nameOf: (number: number) => string,
  isTaken: (name: string) => Promise<boolean>,
  from = 1,
): Promise<string> {
  for (let number = from; ; number++) {
    const name = nameOf(number);
    if (!(await isTaken(name))) {
      return name;
    }
  }
}
