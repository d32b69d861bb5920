/** Programs in a runtime that runs. */
import type { Readable, Writable } from 'node:stream';

export interface ExecPlan {
  argv: readonly string[];
  user: string;
  tty?: { cols: number; rows: number };
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Where it starts in place of `cwd`, if its user can go there. */
  preferredCwd?: string;
}

/** A process in a runtime. Closing the client side of `stdin` is end of input; `kill` ends it. */
export interface ExecSession {
  stdin: Writable;
  stdout: Readable;
  /** Empty with a tty. */
  stderr: Readable;
  /** Resolves when the process has ended and all output was delivered. */
  exit: Promise<number>;
  resize(cols: number, rows: number): Promise<void>;
  kill(): Promise<void>;
}

export interface Exec {
  /** After `configure`; any number at once. Throws `illegal_state` where nothing runs. */
  exec(name: string, plan: ExecPlan): Promise<ExecSession>;
}
