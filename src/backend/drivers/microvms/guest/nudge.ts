/**
 * Sends something more when the guest may have missed what was sent last.
 *
 * Linux (virtio_console, seen with 6.1) can lose a wake-up: each question whether a port can be read takes a buffer that
 * has come, and an interrupt that finds none left wakes nobody. sshd asks twice before it sleeps, for what it reads and
 * for what it writes, and looks at the first answer only. What comes between both, its interrupt a little later, lies
 * there until something else comes: a command does not begin, or the end of its input is not seen. It happens once in
 * hundreds of commands on a busy machine.
 *
 * SSH answers requests in order: once a request is answered, all that was sent before it has been read.
 */
import type { Socket } from 'node:net';
import type { Client } from 'ssh2';

const lookMs = 500;
/** Looks between two requests without an answer: a guest that stands still, or is slow, gets few of them. */
const maxPause = 10;
/** Never forwarded, so that the answer is a refusal, which is as good. */
const nowhere = { address: '127.0.0.1', port: 1 };

export class Nudge {
  private timer: NodeJS.Timeout | undefined;
  private users = 0;
  /** Of all that was ever sent: at the last look, and up to where it certainly was read. */
  private seen = 0;
  private read = 0;
  private pause = 1;
  private left = 1;

  constructor(
    private readonly client: Client,
    private readonly sock: Socket,
    private readonly intervalMs = lookMs,
  ) {}

  /** To be called while something is expected of the guest. Ends with the call of the answer. */
  hold(): () => void {
    this.users += 1;
    this.timer ??= setInterval(() => this.look(), this.intervalMs).unref();
    let isHeld = true;
    return () => {
      this.users -= isHeld ? 1 : 0;
      isHeld = false;
      if (this.users === 0) {
        clearInterval(this.timer);
        this.timer = undefined;
      }
    };
  }

  private look(): void {
    const sent = this.sock.bytesWritten;
    if (sent === this.read || !this.sock.writable) {
      return;
    }
    if (sent !== this.seen) {
      this.seen = sent;
      this.left = this.pause = 1;
      return;
    }
    this.left -= 1;
    if (this.left === 0) {
      this.pause = Math.min(this.pause * 2, maxPause);
      this.left = this.pause;
      this.ask();
    }
  }

  private ask(): void {
    let sent = 0;
    try {
      this.client.unforwardIn(nowhere.address, nowhere.port, () => {
        this.read = Math.max(this.read, sent);
      });
    } catch {
      // The guest has hung up, which the socket says only once all that came before is read: nobody is left to ask.
      return;
    }
    sent = this.sock.bytesWritten;
    this.seen = sent;
  }
}
