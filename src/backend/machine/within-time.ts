/** Runs what may take for ever, such as a regular expression of somebody else: V8 ends it when its time is up. */
import { createContext, Script } from 'node:vm';

const script = new Script('run()');
const place: { run: () => void } = { run: () => undefined };
const context = createContext(place);

/** The answer of `work`, which must not wait for anything; undefined when it took more than `maxMs`. */
export function withinTime<T>(maxMs: number, work: () => T): { value: T } | undefined {
  let answer: { value: T } | undefined;
  place.run = () => {
    answer = { value: work() };
  };
  try {
    script.runInContext(context, { timeout: maxMs });
  } catch (error) {
    // Not of this context's `Error`.
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      throw error;
    }
  }
  return answer;
}
