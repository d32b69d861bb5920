/** What is taken over, brought to where it is going but not into its place yet. */
import { asBerthError } from '../../../../api/errors';
import type { ComparedFile } from '../../../../api/files/compare';
import { baseName, joinPath, parentPath } from '../../../../api/rules/volume-path';
import type { VolumeFiles } from '../../../files/volume-files';
import type { Outcome } from '../../transfers/result';
import { boundedTar } from './bounded-tar';
import { hasArrived } from './facts';
import { Left } from './left';
import { loneFolder } from './lone-folder';
import type { TakenItem } from './plan';

/** Whose targets are read. */
const linksAtOnce = 512;
const changed = 'it has changed since it was compared, where it comes from';

interface Source {
  files: VolumeFiles;
  /** The folder that was compared. */
  root: string;
}

interface Settled {
  items: TakenItem[];
  left: { path: string; why: Left['why']; reason: string }[];
}

export class Staging {
  private stage: string;
  private readonly stages: string[];
  private readonly buckets = new Set<string>();
  private folders = 0;
  private asides = 0;
  /** Of what could not be read, why. */
  private readonly unread = new Map<string, string>();

  constructor(
    private readonly from: Source,
    private readonly to: { files: VolumeFiles; stage: string },
    private readonly outcome: Outcome,
    private readonly signal: AbortSignal,
  ) {
    this.stage = to.stage;
    this.stages = [to.stage];
  }

  /** Where an item waits. */
  at({ path, bucket }: TakenItem): string {
    return joinPath(this.stage, `${bucket}/${baseName(path)}`);
  }

  /** Throws `Left` for what is not there any more, or can't come. */
  async bring(item: TakenItem): Promise<void> {
    if (item.from.type === 'other') {
      throw new Left('failed', 'it is no file, link or folder');
    }
    const isAlone = item.from.type === 'directory' && item.expected.size === 1;
    await this.unpack(item.path, String(item.bucket), isAlone ? 'alone' : item.expected);
  }

  /** A folder that is on the way to something, without what is in it. Answers where it waits. */
  async folder(path: string): Promise<string> {
    const bucket = `folder-${this.folders++}`;
    await this.unpack(path, bucket, 'alone');
    return joinPath(this.stage, `${bucket}/${baseName(path)}`);
  }

  /** What has arrived as it was compared: what is more goes from the stage. */
  async settled(wanted: readonly TakenItem[]): Promise<Settled> {
    if (wanted.length === 0) {
      return { items: [], left: [] };
    }
    const found = await this.found(wanted);
    const left: Settled['left'] = [];
    const items = wanted.filter((item) => {
      for (const [path, facts] of item.expected) {
        if (found.get(this.placeOf(item, path)) !== facts) {
          const reason = this.unread.get(joinPath(this.from.root, path.slice(1)));
          left.push({ path, why: reason === undefined ? 'source' : 'failed', reason: reason ?? changed });
          item.expected.delete(path);
        }
      }
      return item.expected.has(item.path);
    });
    return { items, left };
  }

  /** Writes all of it to the disk: a merge does so before it renames, and here leads to another stage. Answers what is there then. */
  async write(items: readonly TakenItem[]): Promise<Settled> {
    const { files } = this.to;
    const next = await files.stage();
    this.stages.push(next);
    const { failed } = await files.merge(this.stage, next, 'fail');
    this.stages.shift();
    this.stage = next;
    const reasons = new Map(
      failed.map(({ path, reason }) => [path.split('/').slice(1, 3).join('/'), reason]),
    );
    const left: Settled['left'] = [];
    const written = items.filter((item) => {
      const reason = reasons.get(String(item.bucket)) ?? reasons.get(this.placeOf(item, item.path));
      if (reason !== undefined) {
        [...item.expected.keys()].forEach((path) => left.push({ path, why: 'failed', reason }));
      }
      return reason === undefined;
    });
    return { items: written, left };
  }

  /** Takes what is at a path of the volume out of the way of something else. Answers where it is until the stage is closed. */
  async setAside(path: string): Promise<string> {
    const bucket = joinPath(this.stage, `aside-${this.asides++}`);
    await this.to.files.mkdir(bucket);
    const aside = joinPath(bucket, baseName(path));
    await this.to.files.rename(path, aside, { overwrite: false });
    return aside;
  }

  /** Removes what is still there. */
  async close(): Promise<void> {
    for (const stage of this.stages) {
      await this.to.files.unstage(stage);
    }
  }

  /** From a path of the stage to what was expected there, and is. What was not expected is removed. */
  private async found(wanted: readonly TakenItem[]): Promise<Map<string, ComparedFile>> {
    const expected = new Map(
      wanted.flatMap((item) =>
        [...item.expected].map(([path, facts]) => [this.placeOf(item, path), facts] as const),
      ),
    );
    const found = new Map<string, ComparedFile>();
    const others = new Set<string>();
    const inventory = await this.to.files.inventory(this.stage, {}, this.signal);
    try {
      for await (const { parts, own, rows } of inventory.folders(() => undefined)) {
        const names = [...(parts.length > 1 ? [{ parts, row: own }] : [])];
        rows.forEach((row) => names.push({ parts: [...parts, row.name], row }));
        for (const { parts: at, row } of names) {
          const path = at.join('/');
          const facts = expected.get(path);
          if (facts !== undefined && hasArrived(row, facts)) {
            found.set(path, facts);
          } else {
            others.add(path);
          }
        }
      }
    } finally {
      await inventory.close();
    }
    for (const path of await this.otherLinks(found)) {
      found.delete(path);
      others.add(path);
    }
    for (const path of others) {
      // With the folder around it.
      if (others.has(parentPath(`/${path}`).slice(1))) {
        continue;
      }
      await this.to.files.remove(joinPath(this.stage, path), { recursive: true }, this.signal);
    }
    return found;
  }

  /** Those that do not lead to where they did. */
  private async otherLinks(found: ReadonlyMap<string, ComparedFile>): Promise<string[]> {
    const links = [...found].filter(([, { target }]) => target !== undefined);
    const others: string[] = [];
    for (let done = 0; done < links.length;) {
      const some = links.slice(done, done + linksAtOnce);
      const wanted = some.map(([path]) => ({ path: joinPath(this.stage, path), content: false }));
      const details = await this.to.files.details(wanted, this.signal);
      details.forEach((each, at) => {
        const [path, facts] = some[at] ?? [];
        const target = each === 'gone' || 'reason' in each ? undefined : each.target;
        if (path !== undefined && target !== facts?.target) {
          others.push(path);
        }
      });
      done += details.length;
    }
    return others;
  }

  /** From the stage on. */
  private placeOf(item: TakenItem, path: string): string {
    return `${item.bucket}/${baseName(item.path)}${path.slice(item.path.length)}`;
  }

  private async unpack(
    path: string,
    bucket: string,
    expected: TakenItem['expected'] | 'alone',
  ): Promise<void> {
    const { files } = this.to;
    const folder = joinPath(this.stage, bucket);
    if (!this.buckets.has(bucket)) {
      await files.mkdir(folder);
      this.buckets.add(bucket);
    }
    const source = joinPath(this.from.root, path.slice(1));
    const unread = (each: string, reason: string): void => void this.unread.set(each, reason);
    const tar = await this.from.files.getTar(source, this.signal, unread).catch((error: unknown) => {
      throw asBerthError(error).code === 'path_not_found' ? new Left('source', 'it is gone') : error;
    });
    const sent =
      expected === 'alone'
        ? { tar: await loneFolder(tar), over: () => undefined }
        : boundedTar(tar, expected);
    const { lost, failed } = await files.putTar(folder, sent.tar, this.signal).catch((error: unknown) => {
      throw sent.over() ?? error;
    });
    lost.forEach((loss) => this.outcome.lost(loss, (each) => `/${each}`));
    failed.forEach((each) => {
      const below = each.path.replace(/^\/*/, '').split('/').slice(1).join('/');
      this.unread.set(joinPath(source, below), each.reason);
    });
  }
}
