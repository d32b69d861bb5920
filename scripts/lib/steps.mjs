/** The steps of a set-up: what each does while it does it, and a table of their times at the end. */

/**
 * @typedef {object} Steps
 * @property {<T>(name: string, work: (say: (message: string) => void) => Promise<T>) => Promise<T>} run
 * @property {() => string} table
 * @property {() => string} line the times alone, for steps that ran beside each other
 */

/** @returns {Steps} */
export function createSteps() {
  /** @type {{name: string, ms: number, outcome: string}[]} */
  const done = [];
  const say = (/** @type {string} */ message) => console.log(`  ${message}`);
  return {
    async run(name, work) {
      console.log(`• ${name}`);
      const start = performance.now();
      let outcome = 'ok';
      try {
        return await work(say);
      } catch (error) {
        outcome = 'FAILED';
        throw error;
      } finally {
        done.push({ name, ms: performance.now() - start, outcome });
      }
    },
    line: () => done.map(({ name, ms }) => `${name} ${(ms / 1000).toFixed(0)} s`).join(', '),
    table() {
      const total = { name: 'total', ms: done.reduce((sum, { ms }) => sum + ms, 0), outcome: '' };
      const width = Math.max(...done.map(({ name }) => name.length), 5);
      const line = (/** @type {{name: string, ms: number, outcome: string}} */ { name, ms, outcome }) =>
        `${name.padEnd(width)}  ${(ms / 1000).toFixed(2).padStart(8)} s  ${outcome}`.trimEnd();
      return [...done, total].map(line).join('\n');
    },
  };
}
