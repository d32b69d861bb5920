/** The exit statuses of a run of tests inside VS Code. */
import type { TestResult } from './result';

export const Status = {
  passed: 0,
  failed: 1,
  /** VS Code says that all went well, but the tests never said so: the extension host died. */
  hostDied: 96,
  pageCrashed: 97,
  timedOut: 98,
  /** The runner itself failed: no server, no browser. */
  broken: 99,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** How a run ended, as the page tells it. */
export type Ending =
  { kind: 'exit'; code: number } | { kind: 'crash' } | { kind: 'timeout'; afterMs: number };

export interface Verdict {
  status: Status;
  message: string;
}

/** Only a result file with tests in it, none failed, makes a run good. */
export function judge(ending: Ending, result: TestResult | undefined): Verdict {
  if (ending.kind === 'crash') return { status: Status.pageCrashed, message: 'the page of VS Code crashed' };
  if (ending.kind === 'timeout') {
    return { status: Status.timedOut, message: `no end after ${ending.afterMs / 1000} s` };
  }
  if (result && result.failed > 0) {
    return { status: Status.failed, message: `${result.failed} of ${result.tests.length} tests failed` };
  }
  if (ending.code !== 0) {
    return { status: Status.failed, message: `VS Code reports that the tests ended with ${ending.code}` };
  }
  if (!result) {
    return {
      status: Status.hostDied,
      message: 'the extension host ended before its tests wrote their result',
    };
  }
  if (result.passed === 0) return { status: Status.failed, message: 'no test ran' };
  return { status: Status.passed, message: `${result.passed} tests passed` };
}
