/** The engine's settings: `settings.json` of the state directory, changed through the API only. */
import { parseDockerHost } from '../../api/docker-host';
import { BerthError } from '../../api/errors';
import { checkImage } from '../../api/image-reference';
import { EngineSettings } from '../../api/schemas/engine';
import type { PortRange } from '../ssh/ports';
import { defaultPortRange } from '../ssh/ports';
import { KeyedLock } from '../store/keyed-lock';
import { readRecord, untouched, writeRecord, type RecordFormat } from '../store/records';
import type { Defaults } from './workspace-create';

const format: RecordFormat<typeof EngineSettings> = { version: 1, schema: EngineSettings, migrations: [] };
export const defaultImage = 'workspace:latest';

export class Settings {
  private current: EngineSettings = {};
  private readonly writes = new KeyedLock();
  /** A newer Berth's file: not ours to overwrite. */
  private refusal: string | undefined;
  readonly setAside: string[] = [];

  constructor(private readonly path: string) {}

  async load(): Promise<void> {
    const read = await readRecord(this.path, format);
    if (read.kind === 'ok') {
      this.current = read.value;
    } else if (read.kind === 'set-aside') {
      this.setAside.push(`${this.path}: ${read.reason}`);
      this.refusal = read.movedTo === undefined ? read.reason : undefined;
    }
  }

  get(): EngineSettings {
    return this.current;
  }

  async change(patch: EngineSettings): Promise<EngineSettings> {
    if (patch.portRange !== undefined && patch.portRange.first > patch.portRange.last) {
      throw new BerthError('bad_request', 'The first port of the range is above the last.', {
        field: 'portRange',
      });
    }
    const { defaultImage: image, defaultRuntime: runtime = 'container' } = { ...this.current, ...patch };
    if (image !== undefined && (patch.defaultImage ?? patch.defaultRuntime) !== undefined) {
      checkImage(image, runtime, 'defaultImage');
    }
    if (patch.dockerHost !== undefined && patch.dockerHost !== '') {
      parseDockerHost(patch.dockerHost);
    }
    if (this.refusal !== undefined) {
      throw untouched(this.path, this.refusal);
    }
    return this.writes.run('settings', async () => {
      const next = { ...this.current, ...patch };
      await writeRecord(this.path, format, next);
      this.current = next;
      return next;
    });
  }

  get portRange(): PortRange {
    return this.current.portRange ?? defaultPortRange;
  }

  get defaults(): Defaults {
    return {
      runtime: this.current.defaultRuntime ?? 'container',
      image: this.current.defaultImage ?? defaultImage,
      idle: this.current.idle ?? {},
    };
  }
}
