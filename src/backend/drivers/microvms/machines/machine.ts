/** The connections to one QEMU that runs: made when needed, made anew when they broke. */
import type { Log } from '../../../machine/log';
import type { RuntimeState } from '../../driver';
import type { ProcessIdentity } from '../../../machine/process-identity';
import { ConsoleLimit, ownLimits } from '../guest/console-limit';
import { ConsoleValve } from '../guest/console-valve';
import { ControlPort, flooded } from '../guest/control-port';
import { NetworkGuard } from '../network/guard';
import { waitUntilGone } from '../qemu/process';
import type { QmpClient } from '../qemu/qmp';
import { statusOf } from '../qemu/saved-state';
import type { RuntimeFiles } from '../runtimes/runtime-files';
import { SshLink } from '../guest/ssh-link';
import { ShareWatch } from '../virtiofs/watch';

const endTimeoutMs = 10_000;

const mutedDetail = `Its guest says more than ${ownLimits.bytesPerSecond / 1024} KiB a second on its console: what it says is left out of its log for a while.`;

export interface MachineDeps {
  name: string;
  qmp: QmpClient;
  process: ProcessIdentity;
  files: RuntimeFiles;
  privateKey: () => Promise<string>;
  log: Log;
  /** Serials of the folders of this machine that it has. */
  shares: readonly string[];
  /** What is to be known of it has changed. */
  changed: () => void;
  /** Called when what its guest says there is listened to no more, or again: what is to be known has changed. */
  flooded: (where: string) => void;
}

export class Machine {
  readonly ssh: SshLink;
  readonly network: NetworkGuard;
  readonly console: ConsoleValve;
  readonly shares: ShareWatch;
  /** Commands of people that run inside now. */
  sessions = 0;
  /** It was started, and what happens to it now is news. */
  isGoing = false;
  /** The guest, or QEMU itself, ended in order. */
  hasShutDown = false;
  /** Not paused by anybody: a disk of it could not be written. As last seen. */
  isHalted = false;
  private floodedBefore = false;
  private isMuted = false;
  private control: Promise<ControlPort> | undefined;

  constructor(private readonly deps: MachineDeps) {
    this.ssh = new SshLink({
      socket: deps.files.sockets.ssh,
      privateKey: deps.privateKey,
      serve: async () => (await this.controlPort()).serveSsh(),
      report: (message) => deps.log.warn({ name: deps.name }, message),
    });
    this.network = new NetworkGuard({ ...deps, pid: deps.process.pid });
    this.shares = new ShareWatch({ ...deps, serials: deps.shares });
    this.console = new ConsoleValve(deps.qmp, deps.files.consoleLog);
    const muted = (isMuted: boolean): void => {
      this.isMuted = isMuted;
      deps.flooded(isMuted ? 'its console, which is not written down for a while' : 'its console no more');
    };
    const limited = { path: deps.files.consoleLog, valve: this.console, log: deps.log, muted };
    const limit = new ConsoleLimit(limited);
    void deps.qmp.closed.then(() => {
      limit.end();
      this.close();
    });
  }

  get name(): string {
    return this.deps.name;
  }
  get qmp(): QmpClient {
    return this.deps.qmp;
  }
  get process(): ProcessIdentity {
    return this.deps.process;
  }

  /** What is to be known of a machine that runs, for people. */
  get detail(): string | undefined {
    if (this.floodedBefore) {
      const { message, hint = '' } = flooded();
      return `${message} ${hint}`;
    }
    return this.isMuted ? mutedDetail : undefined;
  }

  /** As QEMU says; stopped when it ends while it is asked, once it is gone. A halted one counts as paused. */
  async state(): Promise<RuntimeState> {
    try {
      const status = statusOf(await this.qmp.execute('query-status'));
      this.isHalted = status === 'io-error';
      return status === 'running' ? 'running' : 'paused';
    } catch (error) {
      if (this.qmp.isOpen || !(await waitUntilGone(this.process, endTimeoutMs))) {
        throw error;
      }
      return 'stopped';
    }
  }

  /** Gives the guest the time of this machine, which it has lost while either of them stood still. */
  async setTime(): Promise<void> {
    (await this.controlPort()).setTime(Date.now());
  }

  controlPort(): Promise<ControlPort> {
    if (this.floodedBefore) {
      return Promise.reject(flooded());
    }
    if (this.control === undefined) {
      const hopeless = (): string | undefined => (this.qmp.isOpen ? undefined : 'QEMU has ended');
      const control = ControlPort.connect(this.deps.files.sockets.control, hopeless);
      this.control = control;
      const forget = (): void => {
        if (this.control === control) {
          this.control = undefined;
        }
      };
      control.then(
        (port) =>
          void port.closed.then(() => {
            if (port.wasFlooded) {
              this.floodedBefore = true;
              this.deps.flooded('the line to the engine, which is closed');
            }
            forget();
          }),
        forget,
      );
    }
    return this.control;
  }

  /** Lets go of the machine, which runs on. */
  close(): void {
    this.ssh.close();
    this.network.close();
    this.shares.close();
    const { control } = this;
    this.control = undefined;
    control?.then(
      (port) => port.close(),
      () => undefined,
    );
    this.qmp.close();
  }
}

/** Answers whether QEMU took it: the guest ends by itself then, in its own time. */
export async function pressPower({ qmp }: Machine): Promise<boolean> {
  try {
    await qmp.execute('system_powerdown');
    return true;
  } catch {
    return false;
  }
}
