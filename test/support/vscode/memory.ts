import type { Memory } from '../../../src/ui/sent-settings';

/** As VS Code's, for as long as the test. */
export class TestMemory implements Memory {
  private readonly values = new Map<string, unknown>();

  get(key: string): unknown {
    return this.values.get(key);
  }

  update(key: string, value: unknown): Promise<void> {
    this.values.set(key, value);
    return Promise.resolve();
  }
}
