/** What is copied from where to where, to hold a copy against GNU `cp -r`. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isRoot } from '../skip';

/** What `s/src` is; `s/f` and `s/d` are there for links, `s/e` to be copied with it. */
export const things: Record<string, (at: string) => void> = {
  file: (at) => writeFileSync(at, 'new'),
  folder: (at) => {
    mkdirSync(join(at, 'sub'), { recursive: true });
    writeFileSync(join(at, 'sub', 'x'), 'x');
    symlinkSync('sub/x', join(at, 'l'));
  },
  'empty folder': (at) => mkdirSync(at),
  'link to a file': (at) => symlinkSync('f', at),
  'link to a folder': (at) => symlinkSync('d', at),
  'link to nothing': (at) => symlinkSync('nowhere', at),
  nothing: () => undefined,
};
export const spellings = ['s/src', 's/src/', 's/src/.', 's/d/../src/.', 's/f s/src', 's/src/. s/e'];
/** What `t/to` is. */
export const targets: Record<string, (at: string) => void> = {
  nothing: () => undefined,
  folder: (at) => mkdirSync(at),
  file: (at) => writeFileSync(at, 'old'),
  'link to a file': (at) => {
    writeFileSync(join(at, '..', 'f'), 'old');
    symlinkSync('f', at);
  },
  'link to a folder': (at) => {
    mkdirSync(join(at, '..', 'd'));
    symlinkSync('d', at);
  },
  'link to nothing': (at) => symlinkSync('nowhere', at),
  'folder with a file of that name': (at) => {
    mkdirSync(at);
    writeFileSync(join(at, 'src'), 'old');
  },
  'folder with a folder of that name': (at) => mkdirSync(join(at, 'src', 'old'), { recursive: true }),
};
export const namings = ['t/to', 't/to/', 't/to/.', 't/none/to'];

export type Case = readonly [thing: string, spelling: string, target: string, naming: string];

/** Every way to write a copy of that thing. */
export function casesOf(thing: string): Case[] {
  return spellings.flatMap((spelling) =>
    Object.keys(targets).flatMap((target) =>
      namings
        .filter((naming) => !naming.includes('none') || target === 'nothing')
        .map((naming) => [thing, spelling, target, naming] as const),
    ),
  );
}

/** Makes what is beside the thing, and the target; answers where the thing is to be made. */
export function layAround(root: string, target: string): string {
  mkdirSync(join(root, 's', 'd'), { recursive: true });
  mkdirSync(join(root, 't'));
  mkdirSync(join(root, 's', 'e'));
  writeFileSync(join(root, 's', 'f'), 'f');
  writeFileSync(join(root, 's', 'd', 'in'), 'in');
  targets[target]!(join(root, 't', 'to'));
  return join(root, 's', 'src');
}

/** All at and below a folder, as text. */
export function tree(folder: string, name = ''): string[] {
  const status = lstatSync(join(folder, name));
  // Its owner can't list it, and it is made of nothing that is looked at later.
  if (!isRoot && (status.mode & 0o700) !== 0o700) chmodSync(join(folder, name), 0o700);
  return readdirSync(join(folder, name))
    .sort()
    .flatMap((child) => {
      const path = join(name, child);
      const status = lstatSync(join(folder, path));
      if (status.isDirectory()) {
        return [`${path}/`, ...tree(folder, path)];
      }
      if (status.isFIFO() || status.isSocket()) {
        return [`${path} is a ${status.isFIFO() ? 'fifo' : 'socket'}`];
      }
      return status.isSymbolicLink()
        ? [`${path} -> ${readlinkSync(join(folder, path))}`]
        : [`${path}: ${readFileSync(join(folder, path), 'utf8')}`];
    });
}
