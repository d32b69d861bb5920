/** Which lines of a text are in another one: the shortest way from one to the other (Myers), and hunks of it. */

/** So many steps at most: texts that have less in common are replaced as a whole, which is a diff as well. */
const maxSteps = 2000;

export interface Hunk {
  /** Lines before it, from 0. */
  from: number;
  to: number;
  /** With a blank, `-` or `+` before each. */
  lines: string[];
}

type Step = readonly [sign: ' ' | '-' | '+', line: string];

/** Each with its line break; the last one may have none. */
export function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** With so many lines that are the same around what is not. */
export function hunksOf(before: readonly string[], after: readonly string[], context = 3): Hunk[] {
  const hunks: Hunk[] = [];
  let [from, to] = [0, 0];
  let open: Hunk | undefined;
  let same: string[] = [];
  for (const [sign, line] of stepsOf(before, after)) {
    if (sign === ' ') {
      same.push(` ${line}`);
    } else {
      if (open === undefined || same.length > 2 * context) {
        open?.lines.push(...same.slice(0, context));
        const around = same.slice(Math.max(0, same.length - context));
        open = { from: from - around.length, to: to - around.length, lines: around };
        hunks.push(open);
      } else {
        open.lines.push(...same);
      }
      same = [];
      open.lines.push(sign + line);
    }
    from += sign === '+' ? 0 : 1;
    to += sign === '-' ? 0 : 1;
  }
  open?.lines.push(...same.slice(0, context));
  return hunks;
}

function stepsOf(before: readonly string[], after: readonly string[]): Step[] {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) {
    head++;
  }
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) {
    tail++;
  }
  const same = (line: string): Step => [' ', line];
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): Step[] {
  const trace = traceOf(before, after);
  if (trace === undefined) {
    return [...before.map((line): Step => ['-', line]), ...after.map((line): Step => ['+', line])];
  }
  const steps: Step[] = [];
  let [x, y] = [before.length, after.length];
  for (let depth = trace.length - 1; depth >= 0; depth--) {
    const reached = trace[depth];
    const k = x - y;
    const isDown = k === -depth || (k !== depth && at(reached, k - 1, depth) < at(reached, k + 1, depth));
    const previous = isDown ? k + 1 : k - 1;
    const fromX = depth === 0 ? 0 : at(reached, previous, depth);
    const fromY = fromX - previous;
    while (x > (depth === 0 ? 0 : fromX) && y > (depth === 0 ? 0 : fromY) && before[x - 1] === after[y - 1]) {
      steps.push([' ', before[--x] ?? '']);
      y--;
    }
    if (depth > 0) {
      steps.push(isDown ? ['+', after[--y] ?? ''] : ['-', before[--x] ?? '']);
    }
  }
  return steps.reverse();
}

/** How far each diagonal had come before each step; undefined where that takes too many. */
function traceOf(before: readonly string[], after: readonly string[]): Int32Array[] | undefined {
  const most = Math.min(maxSteps, before.length + after.length);
  const trace: Int32Array[] = [];
  let reached: Int32Array = new Int32Array(3);
  for (let depth = 0; depth <= most; depth++) {
    trace.push(reached);
    const next = new Int32Array(2 * depth + 5);
    for (let k = -depth; k <= depth; k += 2) {
      const isDown = k === -depth || (k !== depth && at(reached, k - 1, depth) < at(reached, k + 1, depth));
      let x = depth === 0 ? 0 : isDown ? at(reached, k + 1, depth) : at(reached, k - 1, depth) + 1;
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) {
        x++;
      }
      next[k + depth + 2] = x;
      if (x >= before.length && x - k >= after.length) {
        return trace;
      }
    }
    reached = next;
  }
  return undefined;
}

/** Of what was reached at the step before `depth`, whose diagonals begin two places in. */
function at(reached: Int32Array | undefined, k: number, depth: number): number {
  return reached?.[k + depth - 1 + 2] ?? 0;
}
