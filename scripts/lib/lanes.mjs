/** Suites beside each other: those of a lane run one after another, the lanes at the same time. */

/**
 * The longest first: microVMs and containers mostly wait, what is checked fills the gaps. The windows of `ui` are clicked when
 * those of microVMs have ended, and share their cache with the suite before them, which clears it. What `unit` computes takes
 * the core that they leave.
 */
export const LANES = [
  ['microvm', 'ui'],
  ['engine', 'host', 'package', 'unit'],
  ['lint', 'types', 'ordinary', 'runner'],
];

/**
 * @template T
 * @param {string[][]} lanes
 * @param {(name: string) => Promise<T>} runOne
 * @param {(error: unknown, name: string) => T} asOutcome of what could not be run: the rest goes on
 * @returns {Promise<T[]>} in the order of the lanes
 */
export async function runLanes(lanes, runOne, asOutcome) {
  const outcomes = await Promise.all(
    lanes.map(async (lane) => {
      const done = [];
      for (const name of lane)
        done.push(await runOne(name).catch((/** @type {unknown} */ error) => asOutcome(error, name)));
      return done;
    }),
  );
  return outcomes.flat();
}

/** The lanes of these suites; an empty one is left out. @param {string[]} suites */
export const lanesOf = (suites) =>
  LANES.map((lane) => lane.filter((name) => suites.includes(name))).filter((lane) => lane.length > 0);
