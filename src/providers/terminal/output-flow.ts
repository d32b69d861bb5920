/**
 * Holds a terminal's output back to what VS Code draws. It has no flow control for terminals of extensions: what is
 * written faster than it draws piles up in the extension host and in the window, hundreds of MB after seconds. So the
 * terminal itself is asked, between what is written, whether it is alive (DSR 5, ECMA-48 8.3.35); its answer comes
 * when it has got that far, and is taken out of what is typed.
 */
import { EscapeFollower } from './escape-follower';

/** Device status report: a terminal in order answers `answer`. Whoever else asks gets the same, so none is mistaken. */
const question = '\x1b[5n';
const answer = '\x1b[0n';

export interface FlowLimits {
  /** Characters written at once. */
  piece: number;
  /** Characters after which the terminal is asked. */
  askEvery: number;
  /** Characters that may be written and not drawn. */
  inFlight: number;
  /** How long an answer is waited for: a terminal that nobody draws gives none. */
  timeoutMs: number;
}

const defaults: FlowLimits = { piece: 16_384, askEvery: 32_768, inFlight: 131_072, timeoutMs: 1_000 };

export class OutputFlow {
  private escapes = new EscapeFollower();
  /** Characters written before each question that has no answer yet, the oldest first. */
  private readonly asked: number[] = [];
  private sinceAsked = 0;
  private answered: (() => void) | undefined;
  private readonly limits: FlowLimits;

  constructor(
    private readonly write: (text: string) => void,
    limits: Partial<FlowLimits> = {},
  ) {
    this.limits = { ...defaults, ...limits };
  }

  /** Writes all that comes, as fast as it is drawn. Resolves after the last of it. */
  async follow(output: AsyncIterable<string>): Promise<void> {
    this.escapes = new EscapeFollower();
    for await (const text of output) {
      for (let start = 0; start < text.length;) {
        const end = endOfPiece(text, start + this.limits.piece);
        await this.pass(text.slice(start, end));
        start = end;
      }
    }
  }

  /** What the user typed: `text` without the terminal's answers to our questions. */
  typed(text: string): string {
    let rest = text;
    while (this.asked.length > 0 && rest.includes(answer)) {
      rest = rest.replace(answer, '');
      this.asked.shift();
      this.answered?.();
    }
    return rest;
  }

  private async pass(text: string): Promise<void> {
    this.write(text);
    this.escapes.follow(text);
    this.sinceAsked += text.length;
    // In the middle of a sequence it would become a part of it.
    if (this.sinceAsked >= this.limits.askEvery && this.escapes.isBetween) {
      this.asked.push(this.sinceAsked);
      this.sinceAsked = 0;
      this.write(question);
    }
    while (this.inFlight() > this.limits.inFlight && (await this.progress())) {
      // An answer may be one of several that are needed.
    }
  }

  private inFlight(): number {
    return this.asked.reduce((sum, count) => sum + count, this.sinceAsked);
  }

  /** False when no answer came in time. */
  private async progress(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(resolve, false), this.limits.timeoutMs);
      this.answered = () => {
        clearTimeout(timer);
        this.settle(resolve, true);
      };
    });
  }

  private settle(resolve: (isAnswered: boolean) => void, isAnswered: boolean): void {
    this.answered = undefined;
    resolve(isAnswered);
  }
}

/** Both halves of a surrogate pair stay together: one alone does not survive the way to the window. */
function endOfPiece(text: string, end: number): number {
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]/.test(text.slice(end - 1, end + 1)) ? end + 1 : end;
}
