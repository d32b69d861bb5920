/** Shows an operation while it runs: one rewritten line on a terminal, plain lines elsewhere. */
import type { Operation, Progress, Step } from '../../api';
import { transferFailures } from '../../api/rules/results';
import { formatBytes } from '../../api/rules/sizes';
import { formatDuration } from '../../api/rules/duration';
import { clip, indentedLines, printable } from '../format/text';
import { showCursor } from './streams';
import type { Style } from './style';

export interface ProgressTarget {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

const frameMs = 80;
const frames = { unicode: '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏', ascii: '-\\|/' };
const eraseLine = '\r\u001b[2K';
const hideCursor = '\u001b[?25l';

export class ProgressDisplay {
  private timer: NodeJS.Timeout | undefined;
  private frame = 0;
  private shown: Operation | undefined;
  private readonly reported = new Set<string>();
  private stepSince = Date.now();
  private currentStep = '';

  constructor(
    private readonly target: ProgressTarget,
    private readonly style: Style,
    private readonly now: () => number = Date.now,
  ) {}

  /** The operation as it is now. */
  update(operation: Operation): void {
    this.shown = operation;
    this.reportSteps(operation);
    const current = currentStep(operation)?.name ?? '';
    if (current !== this.currentStep) {
      this.currentStep = current;
      this.stepSince = this.now();
    }
    if (this.target.isTTY === true && this.timer === undefined) {
      this.target.write(hideCursor);
      this.timer = setInterval(() => this.draw(), frameMs);
      this.draw();
    }
  }

  /** Takes the line away and tells how it ended; idempotent. */
  end(operation: Operation | undefined): void {
    this.release();
    if (operation !== undefined) {
      this.reportSteps(operation);
      this.reportEnd(operation);
    }
    this.shown = undefined;
  }

  release(): void {
    if (this.timer !== undefined) {
      clearInterval(this.timer);
      this.timer = undefined;
      this.target.write(eraseLine + showCursor);
    }
  }

  private draw(): void {
    if (this.shown === undefined) {
      return;
    }
    const spinner = this.style.unicode ? frames.unicode : frames.ascii;
    this.frame = (this.frame + 1) % spinner.length;
    const text = describe(this.shown, this.now() - this.stepSince, this.style.unicode);
    // A terminal that does not tell its width says 0.
    const room = (this.target.columns || 80) - 3;
    this.target.write(`${eraseLine}${this.style.blue(spinner[this.frame] ?? '')} ${clip(text, room)}`);
  }

  /** Each step once, when it has ended. How well things were put in place is known at the end of all. */
  private reportSteps(operation: Operation): void {
    for (const each of operation.steps) {
      const isPlacing = each.name === 'place' && each.outcome === 'done';
      if (isPlacing && operation.status === 'running') {
        return;
      }
      const step = isPlacing ? { ...each, outcome: outcomeOf(operation) } : each;
      if (['pending', 'running', 'skipped'].includes(step.outcome) || this.reported.has(step.name)) {
        continue;
      }
      this.reported.add(step.name);
      this.line(formatStep(step, this.style));
    }
  }

  private reportEnd(operation: Operation): void {
    if (operation.status === 'succeeded') {
      const ms = Date.parse(operation.endedAt ?? '') - Date.parse(operation.startedAt);
      const time = Number.isNaN(ms) ? '' : `  ${this.style.dim(formatDuration(ms))}`;
      this.line(`${mark(outcomeOf(operation), this.style)} ${printable(operation.title)}${time}`);
    }
    operation.warnings.forEach((warning) => {
      this.line(`${mark('warning', this.style)} ${indentedLines(warning).join('\n')}`);
    });
  }

  private line(text: string): void {
    this.target.write(`${this.timer === undefined ? '' : eraseLine}${text}\n`);
  }
}

/** Of one that has succeeded: not all of a transfer needs to have arrived. */
function outcomeOf(operation: Operation): 'done' | 'warning' | 'failed' {
  const { failed, arrived } = transferFailures(operation);
  if (failed === 0) {
    return 'done';
  }
  return arrived === 0 ? 'failed' : 'warning';
}

function currentStep(operation: Operation): Step | undefined {
  return operation.steps.find((step) => step.outcome === 'running');
}

/** What the operation does now, in one line. */
export function describe(operation: Operation, stepMs: number, unicode: boolean): string {
  const title = currentStep(operation)?.title ?? operation.title;
  const { progress } = operation;
  const parts = [printable(title)];
  if (progress !== undefined) {
    parts.push(formatProgress(progress, unicode));
  } else if (stepMs >= 1000) {
    parts.push(formatDuration(stepMs));
  }
  return parts.filter((part) => part !== '').join('  ');
}

/**
 * A bar with percent, amounts, rate and what is being worked on, as far as they are known. What goes on when all bytes
 * are there is not counted in them: it is named alone.
 */
export function formatProgress(progress: Progress, unicode: boolean): string {
  const amount = (value: number): string =>
    progress.unit === 'bytes' ? formatBytes(value) : String(Math.round(value));
  const unit = progress.unit === 'bytes' ? '' : ` ${progress.unit}`;
  const total = progress.total ?? 0;
  if (progress.unit === 'bytes' && total > 0 && progress.done >= total && progress.current !== undefined) {
    return printable(progress.current);
  }
  const parts =
    total > 0
      ? [formatBar(progress.done / total, unicode), `${amount(progress.done)} / ${amount(total)}${unit}`]
      : [`${amount(progress.done)}${unit}`];
  if (progress.rate !== undefined && progress.rate > 0) {
    parts.push(`${amount(progress.rate)}${unit}/s`);
  }
  if (progress.current !== undefined) {
    parts.push(printable(progress.current));
  }
  return parts.join('  ');
}

function formatBar(share: number, unicode: boolean): string {
  const cells = 20;
  const part = Math.min(1, Math.max(0, share));
  const full = Math.floor(part * cells);
  const bar = unicode
    ? '█'.repeat(full) + '░'.repeat(cells - full)
    : '#'.repeat(full) + '-'.repeat(cells - full);
  return `${bar} ${String(Math.floor(part * 100)).padStart(3)}%`;
}

/** A finished step with its time, and its message, in as many lines as it has, when it did not simply succeed. */
export function formatStep(step: Omit<Step, 'outcome'> & { outcome: string }, style: Style): string {
  const time = step.ms === undefined ? '' : `  ${style.dim(formatDuration(step.ms))}`;
  const [first, ...rest] = step.outcome === 'done' ? [] : indentedLines(step.message ?? '');
  const reason = first === undefined ? '' : `: ${first}`;
  return [`${mark(step.outcome, style)} ${printable(step.title)}${reason}${time}`, ...rest].join('\n');
}

/** A sign for an outcome: shape and colour, so that neither is needed alone. */
export function mark(outcome: string, style: Style): string {
  switch (outcome) {
    case 'done':
    case 'ok':
      return style.green(style.unicode ? '✓' : 'ok');
    case 'warning':
      return style.yellow(style.unicode ? '⚠' : 'warning:');
    case 'failed':
      return style.red(style.unicode ? '✗' : 'failed:');
    default:
      return style.dim(style.unicode ? '–' : '-');
  }
}
