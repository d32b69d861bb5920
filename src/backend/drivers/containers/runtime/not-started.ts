/** What the container engine says on a command's standard output when it could not start it: told in our words, on standard error. */
import { quote } from '../../../../api/rules/volume-path';

/** Those of Docker, with any OCI runtime. Podman refuses the request itself. */
const begins = /^(OCI runtime exec failed|unable to find (user|group) )/;
/** More than any of them: what is longer is a program's. */
const maxReport = 8192;
const unknownReason = 'the container engine could not run it.';

interface Asked {
  user: string;
  cwd?: string;
}

/** Keeps back output that begins like such a report, until it is known whether the command has begun. */
export class HeldReport {
  private held = Buffer.alloc(0);
  private isHolding: boolean | undefined;
  private isKnown = false;

  constructor(private readonly asked: Asked) {}

  /** What of the output is to be handed on now. */
  take(chunk: Buffer): Buffer {
    this.isHolding ??= begins.test(chunk.toString('latin1'));
    if (!this.isHolding) {
      return chunk;
    }
    this.held = Buffer.concat([this.held, chunk]);
    if (this.held.length <= maxReport) {
      return Buffer.alloc(0);
    }
    this.isHolding = false;
    return this.release();
  }

  /** What was kept back, as it came: the command has begun, so that it is its own. */
  release(): Buffer {
    const { held } = this;
    this.held = Buffer.alloc(0);
    return held;
  }

  get isEmpty(): boolean {
    return this.held.length === 0;
  }

  /** Whether `words` has named the reason: one that only a container which runs can have. */
  get isExplained(): boolean {
    return this.isKnown;
  }

  /** What was kept back, in our words first. */
  words(): Buffer {
    const report = this.release().toString('utf8').trim();
    const reason = this.reason(report);
    this.isKnown = reason !== undefined;
    return Buffer.from(
      `berth: not started: ${reason ?? unknownReason}\nThe container engine says: ${report}\n`,
    );
  }

  private reason(report: string): string | undefined {
    const { user, cwd = '/' } = this.asked;
    const [name = '', group = ''] = user.split(':');
    if (/^unable to find user /.test(report)) {
      return `there is no user ${quote(name)} in the workspace.`;
    }
    if (/^unable to find group /.test(report)) {
      return `there is no group ${quote(group)} in the workspace.`;
    }
    if (!/: chdir to cwd /.test(report)) {
      return undefined;
    }
    return /permission denied/.test(report)
      ? `the user ${quote(name)} may not enter the folder ${quote(cwd)}.`
      : `there is no folder ${quote(cwd)} in the workspace.`;
  }
}
