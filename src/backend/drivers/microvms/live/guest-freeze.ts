/** Holds a file system of a guest still for a moment (FIFREEZE of ioctl_fs(2)). The guest lets go by itself, whatever becomes of the engine. */
import { BerthError } from '../../../../api/errors';
import { toolsDirectory } from '../../../inside/init-script';
import { quotedCommand } from '../guest/exec';
import type { GuestProcess } from '../guest/ssh-link';

/** A guest that is emulated on a busy machine takes its time to start Python. */
const readyTimeoutMs = 30_000;
/** In which it writes what its memory has of the disk. */
const freezeTimeoutMs = 20_000;
const thawTimeoutMs = 20_000;
/** After which the guest lets go by itself. */
const defaultLimitSeconds = 10;
const keptChars = 400;
/** It says three words; what went wrong may take Python a few more. */
const maxLines = 3;
const maxChars = 4096;

/**
 * Writes what there is, then freezes when it is asked, and says for how long. The end of its input lets go: that of the engine
 * as well. A second process does so after the time, or once this one was killed, also when that was in the middle of freezing.
 * What somebody else has frozen neither of them thaws.
 */
const program = `
import fcntl, os, select, signal, sys, time
FREEZE, THAW = 0xC0045877, 0xC0045878
target, limit = sys.argv[1], float(sys.argv[2])
place = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
def say(text):
    try: os.write(1, text.encode() + b"\\n")
    except OSError: pass
def thaw():
    try: fcntl.ioctl(place, THAW, 0)
    except OSError: return False
    return True
for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE): signal.signal(signum, signal.SIG_IGN)
ends, held = os.pipe()
watch = os.fork()
if watch == 0:
    os.setsid()
    nothing = os.open("/dev/null", os.O_RDWR)
    for each in (0, 1, 2): os.dup2(nothing, each)
    os.close(held)
    # One byte begins its time; the end of the other process alone does not, as that may never have frozen anything.
    if os.read(ends, 1):
        isOver = bool(select.select([ends], [], [], limit)[0])
        # Not yet frozen is no end: it may be so later.
        while not thaw() and not isOver: isOver = bool(select.select([ends], [], [], 1)[0])
    os._exit(0)
os.close(ends)
sync = os.posix_spawn("${toolsDirectory}/busybox/sync", ["sync", "-f", target], {})
os.waitpid(sync, 0)
say("ready")
if os.read(0, 1):
    os.write(held, b".")
    isOurs = isAsked = False
    last = "late"
    began = time.monotonic()
    try:
        fcntl.ioctl(place, FREEZE, 0)
        isOurs = True
        say("frozen")
        isAsked = bool(select.select([0], [], [], limit)[0])
    except OSError as error:
        last = "failed " + os.strerror(error.errno)
    finally:
        if isOurs and thaw() and isAsked: last = f"thawed {(time.monotonic() - began) * 1000:.0f}"
    say(last)
os.kill(watch, signal.SIGKILL)
`;

export interface FrozenGuest<T> {
  result: T;
  /** Milliseconds that nobody inside could write. */
  heldMs: number;
  /** Why it was not frozen, or not for all of it, in words. */
  problem?: string;
}

export interface FreezeOptions {
  signal: AbortSignal;
  limitSeconds?: number;
}

interface Guest {
  ssh: { run(command: string, options: object): Promise<GuestProcess> };
}

/**
 * Works while what is mounted at `target` holds still; where the guest can't do that, all the same. Throws at once when `signal`
 * gives it up, whatever the guest does.
 */
export async function whileFrozen<T>(
  guest: Guest,
  target: string,
  { signal, limitSeconds = defaultLimitSeconds }: FreezeOptions,
  work: () => Promise<T>,
): Promise<FrozenGuest<T>> {
  let freeze;
  try {
    freeze = await Freeze.begin(guest, target, { signal, limitSeconds });
  } catch (error) {
    signal.throwIfAborted();
    return { result: await work(), heldMs: 0, problem: wordsOf(error) };
  }
  let result;
  try {
    result = await work();
  } catch (error) {
    await freeze.end().catch(() => undefined);
    throw error;
  }
  try {
    return { result, heldMs: await freeze.end() };
  } catch (error) {
    signal.throwIfAborted();
    return { result, heldMs: 0, problem: wordsOf(error) };
  }
}

class Freeze {
  private readonly lines: string[] = [];
  private rest = '';
  private complaint = '';
  private left = { lines: maxLines, chars: maxChars };
  private askedAt = 0;
  /** Nothing more comes of it: why. */
  private over: (() => string) | undefined;
  private look: () => void = () => undefined;

  private constructor(
    private readonly process: GuestProcess,
    private readonly signal: AbortSignal,
  ) {
    const { channel, ended } = process;
    channel.on('data', this.take);
    channel.stderr.on('data', this.takeComplaint);
    channel.stdin.on('error', () => undefined);
    const over = (): void => this.isOver(() => this.complaint.trim() || 'the connection to it ended');
    ended.then(over, over);
  }

  /** Throws where the guest does not do it; then it is not left frozen. */
  static async begin(
    { ssh }: Guest,
    target: string,
    { signal, limitSeconds }: Required<FreezeOptions>,
  ): Promise<Freeze> {
    signal.throwIfAborted();
    const python = [`${toolsDirectory}/bin/python3`, '-I', '-S', '-c', program];
    const opening = ssh.run(quotedCommand([...python, target, String(limitSeconds)]), {});
    const freeze = new Freeze(await unlessGivenUp(opening, signal), signal);
    try {
      await freeze.said('ready', readyTimeoutMs);
      freeze.askedAt = performance.now();
      freeze.process.channel.write('.');
      await freeze.said('frozen', freezeTimeoutMs);
      return freeze;
    } catch (error) {
      freeze.letGo();
      throw error;
    }
  }

  /** Lets go, and answers for how long it was frozen. */
  async end(): Promise<number> {
    this.process.channel.end();
    try {
      const line = await this.said('thawed', thawTimeoutMs);
      const ms = /^thawed (\d{1,9})$/.exec(line)?.[1];
      // Nobody is to believe a guest that it was longer than we have waited.
      return Math.min(Number(ms ?? 0), Math.ceil(performance.now() - this.askedAt));
    } finally {
      this.letGo();
    }
  }

  /** What it says from now on is not kept; after more than it was asked for it is not even read. */
  private letGo(): void {
    const { channel } = this.process;
    channel.off('data', this.take);
    channel.stderr.off('data', this.takeComplaint);
    discard(this.process, { isRead: this.left.lines >= 0 && this.left.chars >= 0 });
  }

  private readonly take = (chunk: Buffer): void => {
    this.left.chars -= chunk.length;
    if (this.left.chars >= 0) {
      const parts = (this.rest + chunk.toString('utf8')).split('\n');
      this.rest = parts.pop() ?? '';
      this.left.lines -= parts.length;
      this.lines.push(...parts);
    }
    this.look();
    this.refuseFlood();
  };

  private readonly takeComplaint = (chunk: Buffer): void => {
    this.left.chars -= chunk.length;
    this.complaint = (this.complaint + chunk.toString('utf8')).slice(-keptChars);
    this.refuseFlood();
  };

  private refuseFlood(): void {
    if (this.left.chars < 0 || this.left.lines < 0) {
      this.lines.length = 0;
      this.letGo();
      this.isOver(() => 'it said more than it was asked');
    }
  }

  private isOver(why: () => string): void {
    this.over ??= why;
    this.look();
  }

  private async said(word: string, timeoutMs: number): Promise<string> {
    const { signal } = this;
    signal.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    let giveUp = (): void => undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        const fail = (why: string): void => reject(new BerthError('runtime_unavailable', why));
        timer = setTimeout(() => fail(`it did not answer within ${timeoutMs / 1000} s`), timeoutMs);
        giveUp = () => reject(reasonOf(signal));
        signal.addEventListener('abort', giveUp, { once: true });
        this.look = () => {
          const line = this.lines.shift();
          if (line?.split(' ')[0] === word) {
            resolve(line);
          } else if (line !== undefined) {
            fail(line === 'late' ? 'it had let go by itself before' : line.slice(0, keptChars));
          } else if (this.over !== undefined) {
            fail(this.over());
          }
        };
        this.look();
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      this.look = () => undefined;
    }
  }
}

/** A process that comes later than that is ended. */
async function unlessGivenUp(opening: Promise<GuestProcess>, signal: AbortSignal): Promise<GuestProcess> {
  let giveUp = (): void => undefined;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = () => {
      opening.then(discard, () => undefined);
      reject(reasonOf(signal));
    };
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([opening, givenUp]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** Ends it. What is not read is not sent for long; but its end comes after what it said, so one that may be trusted is read. */
function discard({ channel }: GuestProcess, { isRead } = { isRead: true }): void {
  channel.destroy();
  for (const stream of [channel, channel.stderr]) {
    if (isRead) {
      stream.resume();
    } else {
      stream.pause();
    }
  }
}

const reasonOf = ({ reason }: AbortSignal): Error =>
  reason instanceof Error ? reason : new BerthError('cancelled', 'Cancelled.');

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
