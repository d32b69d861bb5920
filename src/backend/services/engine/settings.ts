/** The engine's settings: `settings.json` of the state directory, changed through the API only. */
import { defaultRuntime } from '../../../api/rules/runtimes';
import assert from 'node:assert/strict';
import { Value } from '@sinclair/typebox/value';
import { parseDockerHost } from '../../../api/rules/docker-host';
import { BerthError } from '../../../api/errors';
import { checkImage } from '../../../api/rules/image-reference';
import { EngineSettings, type EngineSettingsChange } from '../../../api/engine/schemas';
import type { PortRange } from '../../ssh/ports';
import { defaultPortRange } from '../../ssh/ports';
import { KeyedLock } from '../../machine/keyed-lock';
import { readRecord, untouched, writeRecord, type RecordFormat, type Refusal } from '../../store/records';
import type { Defaults } from '../workspaces/create';

const format: RecordFormat<typeof EngineSettings> = { version: 1, schema: EngineSettings, migrations: [] };
export const defaultImage = 'workspace:latest';

export class Settings {
  private current: EngineSettings = {};
  private readonly writes = new KeyedLock();
  /** A newer Berth's file: not ours to overwrite. */
  private refusal: Refusal | undefined;
  readonly setAside: string[] = [];

  constructor(private readonly path: string) {}

  async load(): Promise<void> {
    const read = await readRecord(this.path, format);
    if (read.kind === 'ok') {
      this.current = read.value;
    } else if (read.kind === 'set-aside') {
      this.setAside.push(`${this.path}: ${read.reason}`);
      this.refusal = read.movedTo === undefined ? read : undefined;
    }
  }

  get(): EngineSettings {
    return this.current;
  }

  /**
   * Keeps what is not named; `null` takes a setting back to its default. Throws `bad_request` for a range that ends
   * before it begins, `forbidden` where the file of settings must stay as it is.
   */
  async change(change: EngineSettingsChange): Promise<EngineSettings> {
    const { portRange, dockerHost } = change;
    if (portRange !== undefined && portRange !== null && portRange.first > portRange.last) {
      throw new BerthError('bad_request', 'The first port of the range is above the last.', {
        field: 'portRange',
      });
    }
    const { defaultImage: image, defaultRuntime: runtime = defaultRuntime } = merge(this.current, change);
    if (image !== undefined && (change.defaultImage ?? change.defaultRuntime) !== undefined) {
      checkImage(image, runtime, 'defaultImage');
    }
    if (dockerHost !== undefined && dockerHost !== null && dockerHost !== '') {
      parseDockerHost(dockerHost);
    }
    if (this.refusal !== undefined) {
      throw untouched(this.path, this.refusal);
    }
    return this.writes.run('settings', async () => {
      const next = merge(this.current, change);
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
      runtime: this.current.defaultRuntime ?? defaultRuntime,
      image: this.current.defaultImage ?? defaultImage,
      idle: this.current.idle ?? {},
    };
  }
}

/** What holds after a change: all as it was, but for what it names. */
function merge(current: EngineSettings, change: EngineSettingsChange): EngineSettings {
  const both = Object.entries({ ...current, ...change });
  const next: unknown = Object.fromEntries(both.filter(([, value]) => value !== null));
  assert(Value.Check(EngineSettings, next));
  return next;
}
