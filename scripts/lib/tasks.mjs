/** Work that waits for other work: each part begins as soon as what it needs is done, and is done once. */

/**
 * @typedef {object} Task
 * @property {string[]} [needs] what has to be done before
 * @property {(say: (message: string) => void) => Promise<unknown>} work
 */

/**
 * @param {Record<string, Task>} tasks
 * @param {import('./steps.mjs').Steps} steps
 * @returns {(name: string) => Promise<unknown>} begins it, unless that was done already; rejects with the first error of what it needs
 */
export function createTasks(tasks, steps) {
  /** @type {Map<string, Promise<unknown>>} */
  const begun = new Map();
  const begin = async (/** @type {string} */ name) => {
    const task = tasks[name];
    if (!task) throw new Error(`no task is called ${name}`);
    await Promise.all((task.needs ?? []).map(done));
    return steps.run(name, task.work);
  };
  /** @param {string} name @returns {Promise<unknown>} */
  function done(name) {
    const promise = begun.get(name) ?? begin(name);
    begun.set(name, promise);
    return promise;
  }
  return done;
}
