/** The two columns of the engine's tests. The same files run for both; what is for one alone says so, and why, here. */
import type { RuntimeKind } from '../../../src/api/workspaces/schemas';
import { isSoak } from '../soak';

export const column: RuntimeKind = process.env.BERTH_TEST_RUNTIME === 'microvm' ? 'microvm' : 'container';
const isEmulated = column === 'microvm';

/** For one test, and for one condition: guests may be emulated, and other suites run beside this one. */
export const testTimeoutMs = isEmulated ? 300_000 : 120_000;
export const timeoutFactor = isEmulated ? 4 : 1;

/** What is tested for containers alone, and why. */
export const onlyOfContainers = {
  'the engine alone': 'whatever it runs: once is enough',
  'a daemon': 'microVMs have none that could stop, pause or restart them, or go away',
  'foreign containers': 'a microVM is known by its state directory, where nobody else makes any',
  'a tiny state directory': 'the disks of microVMs are in it',
  limits: 'processors are whole there, and the other limits are seen inside',
  'docker inspect': 'what a microVM is made of is all in the state directory, which is searched',
  'disk images': 'microVMs take them',
  'images of the engine': 'those of microVMs are files of ours',
  keepers: 'disks are read by the engine itself',
} as const;

type Reason = keyof typeof onlyOfContainers;

export function describeContainers(_reason: Reason, title: string, tests: (this: Mocha.Suite) => void): void {
  if (column === 'container') {
    describe(title, tests);
  }
}

export function itOfContainers(_reason: Reason, title: string, test: Mocha.AsyncFunc): void {
  if (column === 'container') {
    it(title, test);
  }
}

/**
 * Mostly the engine's own doing: containers show it in every run, microVMs in a soak. Their guests may be emulated, and
 * take most of the time of a run.
 */
export function itMostlyOfEngine(title: string, test: Mocha.AsyncFunc): void {
  if (column === 'container' || isSoak) {
    it(title, test);
  }
}

/** All of its tests. */
export function describeMostlyOfEngine(title: string, tests: (this: Mocha.Suite) => void): void {
  if (column === 'container' || isSoak) {
    describe(title, tests);
  }
}

export function itOfMicrovms(title: string, test: Mocha.AsyncFunc): void {
  if (column === 'microvm') {
    it(title, test);
  }
}
