/**
 * What this VS Code has sent to the engine: what the user takes out of the settings later has to be sent too.
 * Kept per state directory, over the end of the window: settings are edited while no engine runs as well.
 */
import type { EngineSettings, EngineSettingsChange } from '../api';

/** As VS Code's `Memento`. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

export class SentSettings {
  constructor(
    private readonly memory: Memory,
    private readonly current: () => EngineSettings,
  ) {}

  /** What the engine of `home` must hear: what is set, and `null` for what was set when settings were sent last. */
  change(home: string): EngineSettingsChange {
    const current = this.current();
    const gone = this.sent(home).filter((name) => !(name in current));
    return { ...Object.fromEntries(gone.map((name) => [name, null])), ...current };
  }

  /** The engine of `home` has taken `change`. */
  async taken(home: string, change: EngineSettingsChange): Promise<void> {
    const set = Object.entries(change).filter(([, value]) => value !== null);
    await this.memory.update(
      key(home),
      set.map(([name]) => name),
    );
  }

  private sent(home: string): string[] {
    const names = this.memory.get(key(home));
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  }
}

const key = (home: string): string => `settings that the engine was told: ${home}`;
