/** What providers and commands stand on in the stand-in for VS Code: a store, a log, and a link that leads nowhere. */
import { EngineLink } from '../../../src/ui/engine-link';
import { SentSettings } from '../../../src/ui/sent-settings';
import { Store } from '../../../src/ui/store';
import { TestMemory } from './memory';
import { quietLog, type QuietLog } from './quiet-log';
import { standIn } from './stand-in';

export interface Unlinked {
  store: Store;
  link: EngineLink;
  log: QuietLog;
}

/** A new one for each test of a `describe`. */
export function useUnlinked(): () => Unlinked {
  let current: Unlinked | undefined;
  beforeEach(() => {
    standIn.reset();
    const store = new Store();
    const log = quietLog();
    const options = {
      launch: () => ({ enginePath: '/not/there.js', version: '1.0.0' }),
      settings: new SentSettings(new TestMemory(), () => ({})),
      isWatched: () => false,
    };
    current = { store, link: new EngineLink(options, store, log), log };
  });
  afterEach(() => {
    current?.link.dispose();
    current?.store.dispose();
    current = undefined;
  });
  return () => {
    if (current === undefined) {
      throw new Error('Only within a test.');
    }
    return current;
  };
}
