/** Types of lanes.mjs, for the tests. */
export const LANES: string[][];

export function lanesOf(suites: string[]): string[][];

export function runLanes<T>(
  lanes: string[][],
  runOne: (name: string) => Promise<T>,
  asOutcome: (error: unknown, name: string) => T,
): Promise<T[]>;
