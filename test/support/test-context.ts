import assert from 'node:assert/strict';
import type { Progress } from '../../src/api/operations/schemas';
import type { OperationContext } from '../../src/backend/services/operations/operation-context';

/** What an operation tells, kept; a warning fails the test unless they are collected. */
export class TestContext implements OperationContext {
  readonly cancelling = new AbortController();
  readonly signal = this.cancelling.signal;
  readonly reported: Progress[] = [];
  readonly steps: string[] = [];
  onProgress: () => void = () => undefined;
  onStep: (name: string) => void = () => undefined;
  constructor(private readonly warnings?: string[]) {}
  progress(progress: Progress): void {
    this.reported.push(progress);
    this.onProgress();
  }
  warn(text: string): void {
    if (this.warnings === undefined) assert.fail(text);
    this.warnings.push(text);
  }
  step<T>(name: string, _title: string, run: () => Promise<T>): Promise<T> {
    this.steps.push(name);
    this.onStep(name);
    return run();
  }
}
