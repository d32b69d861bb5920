/**
 * Volumes that somebody else made and that the user had this installation take over. Labels can't be changed, so this
 * list says it, and a claim for others to see (`containers/volumes/claims.ts`). A volume is known by more than its
 * name: another one that gets the name later is not taken for it.
 */
import { Type, type Static } from '@sinclair/typebox';
import { removeTree } from '../machine/files';
import { KeyedLock } from '../machine/keyed-lock';
import { readValue, writeRecord, type RecordFormat } from './records';

const AdoptedVolume = Type.Object({
  name: Type.String({ minLength: 1 }),
  /** The other installation; missing where another tool made it. */
  installation: Type.Optional(Type.String()),
  /** That it was made with; older volumes have none. */
  id: Type.Optional(Type.String()),
});
export type AdoptedVolume = Static<typeof AdoptedVolume>;

const List = Type.Object({ volumes: Type.Array(AdoptedVolume) });
const format: RecordFormat<typeof List> = { version: 1, schema: List, migrations: [] };

export class AdoptedVolumes {
  private volumes: readonly AdoptedVolume[] = [];
  private readonly writes = new KeyedLock();
  private readonly turns = new KeyedLock();

  constructor(private readonly path: string) {}

  /** Throws when a newer Berth wrote the list. */
  async load(): Promise<void> {
    const read = await readValue(this.path, format);
    this.volumes = read?.volumes ?? [];
  }

  has(volume: AdoptedVolume): boolean {
    return this.volumes.some((known) => isSame(known, volume));
  }

  /** Whether one of that name was taken over, this one or another. */
  lists(name: string): boolean {
    return this.volumes.some((known) => known.name === name);
  }

  /** Whether one of that name was taken over that no installation of Berth has made. */
  isOfAnotherTool(name: string): boolean {
    return this.volumes.some((known) => known.name === name && known.installation === undefined);
  }

  /** One change of whose a volume is, here and with its marks, after the other. A task must not ask for another turn. */
  inTurn<T>(name: string, task: () => Promise<T>): Promise<T> {
    return this.turns.run(name, task);
  }

  /** In the place of another one of that name. Resolves when it is on disk; what can't be written is not adopted. */
  async add(volume: AdoptedVolume): Promise<void> {
    await this.change((volumes) => [...volumes.filter(({ name }) => name !== volume.name), volume]);
  }

  async forget(name: string): Promise<void> {
    if (this.lists(name)) {
      await this.change((volumes) => volumes.filter((known) => known.name !== name));
    }
  }

  private change(to: (volumes: readonly AdoptedVolume[]) => readonly AdoptedVolume[]): Promise<void> {
    return this.writes.run('', async () => {
      const volumes = to(this.volumes);
      await (volumes.length === 0
        ? removeTree(this.path)
        : writeRecord(this.path, format, { volumes: [...volumes] }));
      this.volumes = volumes;
    });
  }
}

function isSame(a: AdoptedVolume, b: AdoptedVolume): boolean {
  return a.name === b.name && a.installation === b.installation && a.id === b.id;
}
