import assert from 'node:assert/strict';
import { summarize, type TestOutcome } from './result';
import { Status, judge } from './statuses';

const exit = (code: number) => ({ kind: 'exit', code }) as const;
const result = (...states: TestOutcome['state'][]) =>
  summarize(states.map((state, index) => ({ title: `test ${index}`, state, duration: 1 })));

describe('the verdict on a run in VS Code', () => {
  it('is good only with a result file that has passed tests and no failed one', () => {
    assert.equal(judge(exit(0), result('passed', 'skipped')).status, Status.passed);
    assert.equal(judge(exit(0), result('passed', 'failed')).status, Status.failed);
    assert.equal(judge(exit(0), result('skipped')).status, Status.failed);
    assert.equal(judge(exit(0), result()).status, Status.failed);
  });

  it('does not trust an exit code of 0 without a result file', () => {
    assert.equal(judge(exit(0), undefined).status, Status.hostDied);
  });

  it('does not trust a good result file when VS Code reports a failure', () => {
    assert.equal(judge(exit(1), result('passed')).status, Status.failed);
    assert.equal(judge(exit(1), undefined).status, Status.failed);
  });

  it('tells a crash of the page and a hang apart, whatever the file says', () => {
    assert.equal(judge({ kind: 'crash' }, result('passed')).status, Status.pageCrashed);
    const hang = judge({ kind: 'timeout', afterMs: 1500 }, result('passed'));
    assert.equal(hang.status, Status.timedOut);
    assert.match(hang.message, /1\.5 s/);
  });
});
