/** Which names of a tree its .gitignore files leave out. */
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { BerthError } from '../../../../api/errors';
import { kibibyte, mebibyte } from '../../../../api/rules/sizes';
import { joinPath } from '../../../../api/rules/volume-path';
import type { InventoryFolder } from '../../../files/inventory';
import { typeOfMode } from './changes';
import { bytesOf, matches, parseIgnoreFile, type IgnorePattern, type Steps } from './gitignore';

const fileName = '.gitignore';
const maxFileBytes = 64 * kibibyte;
const maxBytes = 4 * mebibyte;
/** Of one folder, in which nothing else is done: less than a second. */
const maxSteps = 10_000_000;
/** What git itself keeps is no file of the tree either. */
const repository = '.git';
/** Folders of which it is remembered. */
const maxKnown = 10_000;

export class IgnoredNames {
  /** By the folder of the file, its names one after the other with a slash before each. */
  private readonly patterns = new Map<string, IgnorePattern[]>();
  private readonly folders = new Map<string, boolean>();
  private readonly steps: Steps = { left: maxSteps };
  private bytes = 0;

  /** `root`: the folder that is compared. */
  constructor(
    private readonly read: (path: string) => Promise<Readable>,
    private readonly root: string,
  ) {}

  /** To be called with each folder, before what is in it is asked about. Throws what its file can not be read for. */
  async enter({ parts, rows }: InventoryFolder): Promise<void> {
    this.steps.left = maxSteps;
    const row = rows.find(({ name }) => name === fileName);
    const folder = parts.map((part) => `/${part}`).join('');
    if (row === undefined || typeOfMode(row.mode) !== 'file' || this.isIgnoredFolder(folder)) {
      return;
    }
    this.bytes += row.size;
    if (row.size > maxFileBytes || this.bytes > maxBytes) {
      throw new BerthError('too_large', 'There are more patterns than are looked at.');
    }
    const content = await buffer(await this.read(joinPath(this.root, `${folder}/${fileName}`.slice(1))));
    this.patterns.set(folder, parseIgnoreFile(content.subarray(0, maxFileBytes)));
  }

  /** `path` begins with a slash, from the folder that is compared. What is in a folder that is left out is left out. */
  isIgnored(path: string, isFolder: boolean): boolean {
    if (path === '/') {
      return false;
    }
    const above = path.slice(0, path.lastIndexOf('/'));
    return this.isIgnoredFolder(above) || this.isNamed(path, isFolder);
  }

  private isIgnoredFolder(path: string): boolean {
    if (path === '') {
      return false;
    }
    const known = this.folders.get(path);
    if (known !== undefined) {
      return known;
    }
    const answer = this.isIgnored(path, true);
    if (this.folders.size >= maxKnown) {
      this.folders.clear();
    }
    this.folders.set(path, answer);
    return answer;
  }

  /** The last pattern of the nearest file that says anything about it counts. */
  private isNamed(path: string, isFolder: boolean): boolean {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name === repository) {
      return true;
    }
    const own = bytesOf(name);
    for (let end = path.lastIndexOf('/'); end >= 0; end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)) {
      const patterns = this.patterns.get(path.slice(0, end)) ?? [];
      const whole = patterns.length === 0 ? '' : bytesOf(path.slice(end + 1));
      const last = patterns.findLast(
        (each) =>
          (isFolder || !each.isFolderOnly) && matches(each, each.isAnchored ? whole : own, this.steps),
      );
      if (this.steps.left <= 0) {
        throw new BerthError('too_large', 'It takes too long to see what .gitignore files leave out.', {
          hint: 'Compare without them.',
        });
      }
      if (last !== undefined) {
        return !last.isNegated;
      }
    }
    return false;
  }
}
