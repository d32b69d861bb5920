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

/**
 * Writes what there is, then freezes when it is asked, and says for how long. The end of its input lets go: that of the engine
 * as well. A second process does so after the time, should this one be killed.
 */
const program = `
import fcntl, os, select, signal, sys, time
FREEZE, THAW = 0xC0045877, 0xC0045878
target, limit = sys.argv[1], float(sys.argv[2])
place = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
def say(text): os.write(1, text.encode() + b"\\n")
def thaw():
    try: fcntl.ioctl(place, THAW, 0)
    except OSError: return False
    return True
for signum in (signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE): signal.signal(signum, signal.SIG_IGN)
ends, held = os.pipe()
watch = os.fork()
if watch == 0:
    os.setsid()
    nothing = os.open("/dev/null", os.O_RDWR)
    for each in (0, 1, 2): os.dup2(nothing, each)
    os.close(held)
    # One byte begins its time; the end of the other process alone does not, as that may have been killed.
    if os.read(ends, 1):
        time.sleep(limit)
        thaw()
    os._exit(0)
os.close(ends)
sync = os.posix_spawn("${toolsDirectory}/busybox/sync", ["sync", "-f", target], {})
os.waitpid(sync, 0)
say("ready")
if os.read(0, 1):
    os.write(held, b".")
    began = time.monotonic()
    try:
        fcntl.ioctl(place, FREEZE, 0)
        say("frozen")
        isAsked = bool(select.select([0], [], [], limit)[0])
    except OSError as error:
        isAsked = False
        say("failed " + os.strerror(error.errno))
    isOurs = thaw()
    ms = (time.monotonic() - began) * 1000
    try: say(f"thawed {ms:.0f}" if isAsked and isOurs else "late")
    except OSError: pass
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

/** Works while what is mounted at `target` holds still; where the guest can't do that, or `signal` gives it up, all the same. */
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
    return { result, heldMs: 0, problem: wordsOf(error) };
  }
}

class Freeze {
  private readonly lines: string[] = [];
  private rest = '';
  private complaint = '';
  private hasEnded = false;
  private look: () => void = () => undefined;

  private constructor(private readonly process: GuestProcess) {
    const { channel, ended } = process;
    channel.on('data', (chunk: Buffer) => this.take(chunk.toString('utf8')));
    channel.stderr.on('data', (chunk: Buffer) => {
      this.complaint = (this.complaint + chunk.toString('utf8')).slice(-keptChars);
    });
    channel.stdin.on('error', () => undefined);
    const over = (): void => {
      this.hasEnded = true;
      this.look();
    };
    ended.then(over, over);
  }

  /** Throws where the guest does not do it; then it is not left frozen. */
  static async begin(
    { ssh }: Guest,
    target: string,
    { signal, limitSeconds }: Required<FreezeOptions>,
  ): Promise<Freeze> {
    const python = [`${toolsDirectory}/bin/python3`, '-I', '-S', '-c', program];
    const freeze = new Freeze(await ssh.run(quotedCommand([...python, target, String(limitSeconds)]), {}));
    const { channel } = freeze.process;
    const giveUp = (): void => void channel.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await freeze.said('ready', readyTimeoutMs);
      channel.write('.');
      await freeze.said('frozen', freezeTimeoutMs);
      return freeze;
    } catch (error) {
      channel.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Lets go, and answers for how long it was frozen. */
  async end(): Promise<number> {
    const { channel } = this.process;
    channel.end();
    try {
      const [, ms = ''] = (await this.said('thawed', thawTimeoutMs)).split(' ');
      return Math.max(0, Number.parseInt(ms, 10) || 0);
    } finally {
      channel.destroy();
    }
  }

  private take(text: string): void {
    const parts = (this.rest + text).split('\n');
    this.rest = (parts.pop() ?? '').slice(-keptChars);
    this.lines.push(...parts);
    this.look();
  }

  private async said(word: string, timeoutMs: number): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        const fail = (why: string): void => reject(new BerthError('runtime_unavailable', why));
        timer = setTimeout(() => fail(`it did not answer within ${timeoutMs / 1000} s`), timeoutMs);
        this.look = () => {
          const line = this.lines.shift();
          if (line?.split(' ')[0] === word) {
            resolve(line);
          } else if (line !== undefined) {
            fail(line === 'late' ? 'it had let go by itself before' : line.slice(0, keptChars));
          } else if (this.hasEnded) {
            fail(this.complaint.trim() === '' ? 'the connection to it ended' : this.complaint.trim());
          }
        };
        this.look();
      });
    } finally {
      clearTimeout(timer);
      this.look = () => undefined;
    }
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
